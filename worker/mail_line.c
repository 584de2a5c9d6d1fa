#include "worker/mail_line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/mem.h"

enum {
	REPLY_LINE_MAX = 2000,
	REPLY_LINES_MAX = 100,
	FROM_RELAY_MAX = 1 << 20,
	OWN_FDS = 1024,
	LOCAL_SEND_S = 10
};

struct mail_line {
	struct imap_stream *stream;
	mono_time deadline;
	int listener;
	int stop_fd;
	uint16_t port;
	bool is_running;
	pthread_t thread;
	char failure[256]; /* the thread's until it is joined */
};

/* imap/cause.h speaks of IMAP's ports. */
static const char *explain(const struct imap_failure *f)
{
	switch (f->cause) {
	case IMAP_NOT_TLS:
		return "This port does not speak TLS from the first byte: set smtp_security to starttls, or "
		       "smtp_port "
		       "to the port for TLS (usually 465).";
	case IMAP_STARTTLS_MISSING:
		return "The relay does not offer STARTTLS: somebody on the way may have taken it away, so "
		       "nothing was "
		       "sent. Relays that speak TLS from the first byte (usually port 465) want "
		       "smtp_security = "
		       "\"tls\".";
	case IMAP_CA_FILE_BAD:
		return "The file of trusted certificate authorities (smtp_ca_file) cannot be read.";
	case IMAP_TIMED_OUT: return "The relay did not answer in time.";
	default: return imap_cause_text(f->cause);
	}
}

static enum err failed(struct buf *why, const struct imap_failure *f, enum err e)
{
	buf_adds(why, explain(f));
	if (f->text_len > 0)
		buf_addf(why, " (%s)", f->text);
	return e;
}

/* One reply, all its lines: 0 or its code.  With a word, whether a line after the first begins with it. */
static enum err read_reply(struct imap_stream *st, mono_time deadline, const char *word, bool *has_word_r,
    int *code_r, struct imap_failure *f)
{
	size_t lines = 0;

	for (;;) {
		size_t len;
		const char *p = imap_stream_peek(st, &len);
		const char *end = memchr(p, '\n', len);
		enum err e;
		bool is_last;

		if (end == NULL) {
			if (len > REPLY_LINE_MAX)
				return imap_fail(f, IMAP_PROTOCOL_ERROR, "an endless line");
			e = imap_stream_fill(st, deadline, f);
			if (e != ERR_OK)
				return e;
			continue;
		}
		if (end - p < 3 || lines++ > REPLY_LINES_MAX || strspn(p, "0123456789") != 3)
			return imap_fail(f, IMAP_PROTOCOL_ERROR, "what answers there does not speak SMTP");
		*code_r = (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
		is_last = p[3] != '-';
		if (word != NULL && lines > 1 && (size_t)(end - p) >= 4 + strlen(word) &&
		    strncasecmp(p + 4, word, strlen(word)) == 0 &&
		    strchr("\r\n ", p[4 + strlen(word)]) != NULL)
			*has_word_r = true;
		if (is_last)
			(void)snprintf(
			    f->text, sizeof(f->text), "%.*s", (int)(end - p > 200 ? 200 : end - p), p);
		imap_stream_consume(st, (size_t)(end - p) + 1);
		if (is_last)
			return ERR_OK;
	}
}

static enum err say(struct imap_stream *st, mono_time deadline, const char *line, struct imap_failure *f)
{
	enum err e = imap_stream_write(st, line, strlen(line), deadline, f);

	return e == ERR_OK ? imap_stream_flush(st, deadline, f) : e;
}

static enum err start_tls(
    struct imap_stream *st, const char *hello, mono_time deadline, struct imap_failure *f)
{
	AUTO_BUF struct buf line = BUF_INIT;
	bool is_offered = false;
	int code = 0;
	enum err e;

	buf_addf(&line, "EHLO %s\r\n", hello);
	e = say(st, deadline, line.data, f);
	if (e == ERR_OK)
		e = read_reply(st, deadline, "STARTTLS", &is_offered, &code, f);
	if (e == ERR_OK && (code != 250 || !is_offered))
		return imap_fail(f, IMAP_STARTTLS_MISSING, "%s", "EHLO was answered without it");
	if (e == ERR_OK)
		e = say(st, deadline, "STARTTLS\r\n", f);
	if (e == ERR_OK)
		e = read_reply(st, deadline, NULL, NULL, &code, f);
	if (e == ERR_OK && code != 220)
		return imap_fail(f, IMAP_STARTTLS_MISSING, "it was offered, and refused");
	return e == ERR_OK ? imap_stream_starttls(st, deadline, f) : e;
}

/* Whether the other end of this connection is a socket of our own process. */
static bool is_own(int fd)
{
	struct sockaddr_in peer, mine;
	socklen_t size = sizeof(peer);

	if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0)
		return false;
	for (int other = 0; other < OWN_FDS; other++) {
		size = sizeof(mine);
		if (other != fd && getsockname(other, (struct sockaddr *)&mine, &size) == 0 &&
		    mine.sin_family == AF_INET && mine.sin_port == peer.sin_port &&
		    mine.sin_addr.s_addr == peer.sin_addr.s_addr)
			return true;
	}
	return false;
}

/* Waits for libesmtp; -1 when the line ends first. */
static int accept_own(struct mail_line *l)
{
	for (;;) {
		struct pollfd fds[] = {
		    {.fd = l->listener, .events = POLLIN}, {.fd = l->stop_fd, .events = POLLIN}};
		int fd;

		if (poll(fds, 2, mono_left_ms(l->deadline)) == 0 || fds[1].revents != 0)
			return -1;
		fd = accept4(l->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		if (is_own(fd))
			return fd;
		(void)close(fd);
	}
}

static bool send_local(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* What the relay has sent, on to libesmtp.  False: it is over. */
static bool to_local(struct mail_line *l, int local)
{
	size_t len;
	const char *p = imap_stream_peek(l->stream, &len);
	bool ok = send_local(local, p, len);

	imap_stream_consume(l->stream, len);
	if (imap_stream_received(l->stream) > FROM_RELAY_MAX) {
		(void)snprintf(l->failure, sizeof(l->failure), "The relay sent more than is accepted.");
		return false;
	}
	return ok;
}

static bool from_local(struct mail_line *l, int local, struct imap_failure *f)
{
	char block[4096];
	ssize_t n = recv(local, block, sizeof(block), 0);
	bool ok = n > 0 && imap_stream_write(l->stream, block, (size_t)n, l->deadline, f) == ERR_OK &&
		  imap_stream_flush(l->stream, l->deadline, f) == ERR_OK;

	explicit_bzero(block, sizeof(block)); /* it may have been the password */
	return ok;
}

static void carry(struct mail_line *l, int local)
{
	struct imap_failure f = {.cause = IMAP_OK};
	bool goes_on = send_local(local, "220 relay\r\n", 11) && to_local(l, local);

	while (goes_on) {
		struct pollfd fds[] = {{.fd = local, .events = POLLIN},
		    {.fd = imap_stream_fd(l->stream), .events = POLLIN},
		    {.fd = l->stop_fd, .events = POLLIN}};
		bool is_pending = imap_stream_pending(l->stream);
		int n = poll(fds, 3, is_pending ? 0 : mono_left_ms(l->deadline));

		if (fds[2].revents != 0)
			return;
		if (mono_left_ms(l->deadline) == 0 || (n < 0 && errno != EINTR)) {
			(void)snprintf(l->failure, sizeof(l->failure), "The relay did not answer in time.");
			return;
		}
		if (fds[1].revents != 0 || is_pending) {
			enum err e = imap_stream_fill(l->stream, mono_now(), &f);

			goes_on = to_local(l, local) && (e == ERR_OK || e == ERR_TIMEOUT);
			if (e == ERR_TIMEOUT)
				f = (struct imap_failure){.cause = IMAP_OK};
		}
		if (goes_on && fds[0].revents != 0)
			goes_on = from_local(l, local, &f);
	}
	if (f.cause != IMAP_OK && l->failure[0] == '\0')
		(void)snprintf(l->failure, sizeof(l->failure), "%s", explain(&f));
}

static void *run(void *arg)
{
	struct mail_line *l = arg;
	const struct timeval limit = {.tv_sec = LOCAL_SEND_S};
	int local = accept_own(l);

	if (local < 0)
		return NULL;
	(void)setsockopt(local, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	carry(l, local);
	(void)shutdown(local, SHUT_RDWR);
	(void)close(local);
	return NULL;
}

/* The relay's side: connected, greeted, and encrypted if it is to be. */
static enum err reach(
    const struct mail_relay *relay, mono_time deadline, struct imap_stream **st_r, struct imap_failure *f)
{
	bool is_starttls = relay->security == IMAP_SECURITY_STARTTLS;
	const struct imap_endpoint ep = {.host = relay->host,
	    .port = relay->port,
	    .security = relay->security,
	    .verify = true,
	    .ca_file = relay->ca_file};
	int code = 0;
	enum err e = imap_stream_open(&ep, deadline, st_r, f, NULL);

	if (e == ERR_OK)
		e = read_reply(*st_r, deadline, NULL, NULL, &code, f);
	if (e == ERR_OK && code != 220)
		e = imap_fail(f, IMAP_BUSY, "its greeting was %d", code);
	if (e == ERR_OK && is_starttls)
		e = start_tls(*st_r, relay->hello, deadline, f);
	if (e != ERR_OK)
		imap_stream_close(st_r);
	return e;
}

static enum err listen_local(struct mail_line *l)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);

	l->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	l->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->listener < 0 || l->stop_fd < 0 || bind(l->listener, (struct sockaddr *)&at, size) != 0 ||
	    listen(l->listener, 4) != 0 || getsockname(l->listener, (struct sockaddr *)&at, &size) != 0)
		return ERR_IO;
	l->port = ntohs(at.sin_port);
	errno = pthread_create(&l->thread, NULL, run, l);
	l->is_running = errno == 0;
	return l->is_running ? ERR_OK : ERR_IO;
}

enum err mail_line_open(const struct mail_relay *relay, int64_t connect_ms, mono_time deadline,
    struct mail_line **line_r, struct buf *why)
{
	struct mail_line *l = mem_alloc(sizeof(*l));
	struct imap_failure f = {.cause = IMAP_OK};
	enum err e;

	*line_r = NULL;
	l->listener = l->stop_fd = -1;
	l->deadline = deadline;
	e = reach(relay, mono_after(mono_now(), connect_ms), &l->stream, &f);
	if (e != ERR_OK)
		(void)failed(why, &f, e);
	if (e == ERR_OK && (e = listen_local(l)) != ERR_OK)
		buf_addf(why, "no port or thread for the connection: %s", strerror(errno));
	if (e != ERR_OK)
		mail_line_close(&l);
	*line_r = l;
	return e;
}

uint16_t mail_line_port(const struct mail_line *l)
{
	return l->port;
}

const char *mail_line_failure(const struct mail_line *l)
{
	return l->failure;
}

void mail_line_stop(struct mail_line *l)
{
	if (!l->is_running)
		return;
	(void)eventfd_write(l->stop_fd, 1);
	(void)pthread_join(l->thread, NULL);
	l->is_running = false;
}

void mail_line_close(struct mail_line **line)
{
	struct mail_line *l = *line;

	if (l == NULL)
		return;
	*line = NULL;
	mail_line_stop(l);
	imap_stream_close(&l->stream);
	if (l->listener >= 0)
		(void)close(l->listener);
	if (l->stop_fd >= 0)
		(void)close(l->stop_fd);
	free(l);
}
