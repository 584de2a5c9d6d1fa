#include "config.h"

#include "imap/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/mem.h"

/* One look-up.  It must stay in memory until the C library's thread is done with it. */
struct lookup {
	struct gaicb cb;
	struct addrinfo hints;
	char host[256];
	char port[8];
	struct lookup *next;
};

/* Look-ups whose deadline passed first; freed when a later call finds them done. */
static struct lookup *abandoned;

static void lookup_free(struct lookup *l)
{
	if (l->cb.ar_result != NULL)
		freeaddrinfo(l->cb.ar_result);
	free(l);
}

static void sweep(void)
{
	struct lookup **at = &abandoned;

	while (*at != NULL) {
		struct lookup *l = *at;
		if (gai_error(&l->cb) == EAI_INPROGRESS) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		lookup_free(l);
	}
}

static void abandon(struct lookup *l)
{
	if (gai_cancel(&l->cb) != EAI_NOTCANCELED) {
		lookup_free(l);
		return;
	}
	l->next = abandoned;
	abandoned = l;
}

enum err imap_wait(int fd, short events, mono_time deadline)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		int n = poll(&p, 1, mono_left_ms(deadline));
		if (n > 0)
			return ERR_OK;
		if (n == 0) {
			if (mono_left_ms(deadline) == 0)
				return ERR_TIMEOUT;
		} else if (errno != EINTR) {
			return ERR_IO;
		}
	}
}

enum err imap_fail_errno(struct imap_failure *f, int error, const char *what)
{
	char text[128];
	enum imap_cause c;

	switch (error) {
	case ECONNREFUSED: c = IMAP_CONNECT_REFUSED; break;
	case ETIMEDOUT: c = IMAP_TIMED_OUT; break;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
	case EACCES:
	case EPERM: c = IMAP_UNREACHABLE; break;
	case ECONNRESET:
	case EPIPE:
	case ECONNABORTED: c = IMAP_CLOSED; break;
	default: c = IMAP_INTERNAL; break;
	}
	return imap_fail(f, c, "%s: %s", what, strerror_r(error, text, sizeof(text)));
}

static enum err name_failure(int code, struct imap_failure *f)
{
	switch (code) {
	case EAI_NONAME:
#ifdef EAI_NODATA
	case EAI_NODATA:
#endif
#ifdef EAI_ADDRFAMILY
	case EAI_ADDRFAMILY:
#endif
		return imap_fail(f, IMAP_NAME_NOT_FOUND, "%s", gai_strerror(code));
	case EAI_AGAIN:
	case EAI_FAIL: return imap_fail(f, IMAP_NAME_NO_ANSWER, "%s", gai_strerror(code));
	default: return imap_fail(f, IMAP_INTERNAL, "looking up the name: %s", gai_strerror(code));
	}
}

/* In a thread of the C library.  *res_r is the caller's to freeaddrinfo(). */
static enum err lookup_name(const char *host, const char *port, const struct addrinfo *hints,
    mono_time deadline, struct addrinfo **res_r, struct imap_failure *f)
{
	struct lookup *l = mem_alloc(sizeof(*l));
	struct gaicb *list[1] = {&l->cb};
	struct sigevent quiet = {.sigev_notify = SIGEV_NONE};

	snprintf(l->host, sizeof(l->host), "%s", host);
	snprintf(l->port, sizeof(l->port), "%s", port);
	l->hints = *hints;
	l->cb = (struct gaicb){.ar_name = l->host, .ar_service = l->port, .ar_request = &l->hints};
	int code = getaddrinfo_a(GAI_NOWAIT, list, 1, &quiet);
	if (code != 0) {
		free(l);
		return name_failure(code, f);
	}
	while ((code = gai_error(&l->cb)) == EAI_INPROGRESS) {
		int left = mono_left_ms(deadline);
		struct timespec ts = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000L};
		if (left == 0) {
			abandon(l);
			return imap_fail(f, IMAP_NAME_NO_ANSWER, "the name look-up took too long");
		}
		gai_suspend((const struct gaicb *const *)list, 1, &ts);
	}
	if (code != 0) {
		lookup_free(l);
		return name_failure(code, f);
	}
	*res_r = l->cb.ar_result;
	l->cb.ar_result = NULL;
	lookup_free(l);
	return ERR_OK;
}

static enum err resolve(
    const struct imap_endpoint *ep, mono_time deadline, struct addrinfo **res_r, struct imap_failure *f)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	    .ai_protocol = IPPROTO_TCP,
	    .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST};
	char port[8];

	sweep();
	snprintf(port, sizeof(port), "%u", (unsigned)ep->port);
	if (getaddrinfo(ep->address != NULL ? ep->address : ep->host, port, &hints, res_r) == 0)
		return ERR_OK;
	if (ep->address != NULL)
		return imap_fail(f, IMAP_VALUE_INVALID, "this is no address");
	hints.ai_flags = AI_NUMERICSERV;
	return lookup_name(ep->host, port, &hints, deadline, res_r, f);
}

/* An IPv4 address dressed as IPv6 becomes itself, so that a filter cannot be walked round. */
static void unmap(struct sockaddr_storage *ss, socklen_t *len)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)ss;
	struct sockaddr_in four = {.sin_family = AF_INET};

	if (ss->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
		return;
	four.sin_port = six->sin6_port;
	memcpy(&four.sin_addr, six->sin6_addr.s6_addr + 12, 4);
	memset(ss, 0, sizeof(*ss));
	memcpy(ss, &four, sizeof(four));
	*len = sizeof(four);
}

static enum err connect_one(const struct sockaddr *addr, socklen_t len, bool keepalive, mono_time deadline,
    int *fd_r, struct imap_failure *f)
{
	int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	int error = 0, on = 1;
	socklen_t size = sizeof(error);
	enum err e;

	if (fd < 0)
		return imap_fail_errno(f, errno, "socket");
	/* commands are small and waited for; a failure here only costs time */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (keepalive)
		(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (connect(fd, addr, len) != 0) {
		if (errno != EINPROGRESS && errno != EINTR) {
			e = imap_fail_errno(f, errno, "connect");
			goto out;
		}
		e = imap_wait(fd, POLLOUT, deadline);
		if (e == ERR_TIMEOUT) {
			e = imap_fail(f, IMAP_TIMED_OUT, "no answer to the connection attempt");
			goto out;
		}
		if (e != ERR_OK || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
			e = imap_fail_errno(f, errno, "connect");
			goto out;
		}
		if (error != 0) {
			e = imap_fail_errno(f, error, "connect");
			goto out;
		}
	}
	*fd_r = fd;
	return ERR_OK;
out:
	close(fd);
	return e;
}

/* Of several addresses' failures, the one that tells a person most. */
static int telling(enum imap_cause c)
{
	switch (c) {
	case IMAP_CONNECT_REFUSED: return 4;
	case IMAP_TIMED_OUT: return 3;
	case IMAP_UNREACHABLE: return 2;
	case IMAP_OK: return 0;
	default: return 1;
	}
}

enum err imap_dial(const struct imap_endpoint *ep, mono_time deadline, int *fd_r, char *address_r,
    size_t size, struct imap_failure *f)
{
	struct addrinfo *list = NULL;
	struct imap_failure worst = {0}, now = {0};
	unsigned left = 0, denied = 0;
	enum err e = resolve(ep, deadline, &list, f);

	if (e != ERR_OK)
		return e;
	for (struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next)
		left++;
	for (struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next, left--) {
		struct sockaddr_storage ss = {0};
		socklen_t len = ai->ai_addrlen;
		memcpy(&ss, ai->ai_addr, len);
		unmap(&ss, &len);
		if (ep->allow != NULL && !ep->allow(ep->allow_ctx, (const struct sockaddr *)&ss)) {
			denied++;
			continue;
		}
		if (getnameinfo((const struct sockaddr *)&ss, len, address_r, (socklen_t)size, NULL, 0,
			NI_NUMERICHOST) != 0)
			address_r[0] = '\0';
		/* a dead first address must leave time for the others */
		mono_time share = mono_after(mono_now(), mono_left_ms(deadline) / (int)left);
		e = connect_one((const struct sockaddr *)&ss, len, ep->keepalive, share, fd_r, &now);
		if (e == ERR_OK)
			break;
		if (telling(now.cause) > telling(worst.cause))
			worst = now;
	}
	freeaddrinfo(list);
	if (e == ERR_OK && worst.cause == IMAP_OK && denied > 0 && left == 0)
		return imap_fail(f, IMAP_ADDRESS_DENIED, "the address is not allowed");
	if (e == ERR_OK)
		return ERR_OK;
	if (f != NULL)
		*f = worst;
	return worst.err;
}
