#include "config.h"

#include "imap/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "imap/deflate.h"
#include "imap/dial.h"
#include "imap/tls.h"
#include "lib/buf.h"
#include "lib/mem.h"

#define TLS_RECORD_MAX 16384

struct imap_stream {
	int fd;
	SSL *ssl;                     /* NULL while plain */
	struct imap_deflate *deflate; /* NULL while not compressed */
	bool verify;
	char *host;
	char *ca_file; /* "" for the system's store */
	struct imap_peer peer;
	struct buf out;
	size_t in_start, in_len; /* in[in_start..in_start + in_len) is unread */
	uint64_t received, sent;
	char in[IMAP_STREAM_BUFFER];
};

static bool valid_host(const char *host)
{
	size_t len = host != NULL ? strlen(host) : 0;

	if (len == 0 || len > 253)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)host[i] <= ' ' || host[i] == 0x7F)
			return false;
	return true;
}

static enum err start_tls(struct imap_stream *st, bool starttls, mono_time deadline, struct imap_failure *f)
{
	return imap_tls_start(
	    st->fd, st->host, st->verify, st->ca_file, starttls, deadline, &st->ssl, &st->peer, f);
}

enum err imap_stream_open(const struct imap_endpoint *ep, mono_time deadline, struct imap_stream **st_r,
    struct imap_failure *f, struct imap_peer *peer)
{
	struct imap_stream *st;
	enum err e;

	*st_r = NULL;
	if (peer != NULL)
		*peer = (struct imap_peer){0};
	if (!valid_host(ep->host) || ep->port == 0)
		return imap_fail(f, IMAP_VALUE_INVALID, "host or port");
	if (ep->security < IMAP_SECURITY_TLS || ep->security > IMAP_SECURITY_NONE)
		return imap_fail(f, IMAP_VALUE_INVALID, "security");
	st = mem_alloc(sizeof(*st));
	st->fd = -1;
	st->out = (struct buf)BUF_INIT;
	st->verify = ep->verify;
	st->host = mem_strdup(ep->host);
	st->ca_file = mem_strdup(ep->ca_file != NULL ? ep->ca_file : "");
	e = imap_dial(ep, deadline, &st->fd, st->peer.address, sizeof(st->peer.address), f);
	if (e == ERR_OK && ep->security == IMAP_SECURITY_TLS)
		e = start_tls(st, false, deadline, f);
	if (peer != NULL)
		*peer = st->peer;
	if (e != ERR_OK)
		imap_stream_close(&st);
	*st_r = st;
	return e;
}

enum err imap_stream_starttls(struct imap_stream *st, mono_time deadline, struct imap_failure *f)
{
	if (st->ssl != NULL)
		return imap_fail(f, IMAP_INTERNAL, "TLS twice");
	if (st->in_len != 0)
		return imap_fail(f, IMAP_STARTTLS_INJECTION, "plain text followed the answer to STARTTLS");
	return start_tls(st, true, deadline, f);
}

enum err imap_stream_deflate(struct imap_stream *st, struct imap_failure *f)
{
	size_t room;

	if (st->deflate != NULL || st->out.len != 0)
		return imap_fail(f, IMAP_INTERNAL, "compressed twice, or in the middle of a command");
	st->deflate = imap_deflate_new();
	if (st->deflate == NULL)
		return imap_fail(f, IMAP_INTERNAL, "zlib cannot begin");
	/* what came behind the server's OK is compressed already */
	memcpy(imap_deflate_room(st->deflate, &room), st->in + st->in_start, st->in_len);
	imap_deflate_got(st->deflate, st->in_len);
	st->received -= st->in_len;
	st->in_start = st->in_len = 0;
	return ERR_OK;
}

void imap_stream_close(struct imap_stream **stp)
{
	struct imap_stream *st = *stp;

	if (st == NULL)
		return;
	*stp = NULL;
	if (st->ssl != NULL) {
		/* a courtesy the non-blocking socket may refuse */
		ERR_clear_error();
		(void)SSL_shutdown(st->ssl);
		ERR_clear_error();
		SSL_free(st->ssl);
	}
	if (st->fd >= 0)
		close(st->fd);
	imap_deflate_free(&st->deflate);
	buf_wipe(&st->out);
	explicit_bzero(st->in, sizeof(st->in));
	free(st->host);
	free(st->ca_file);
	free(st);
}

void imap_stream_shut(struct imap_stream *st)
{
	buf_clear(&st->out);
	if (st->ssl != NULL)
		SSL_set_quiet_shutdown(st->ssl, 1);
	(void)shutdown(st->fd, SHUT_RDWR);
}

const char *imap_stream_peek(const struct imap_stream *st, size_t *len_r)
{
	*len_r = st->in_len;
	return st->in + st->in_start;
}

void imap_stream_consume(struct imap_stream *st, size_t n)
{
	st->in_len -= n;
	st->in_start = st->in_len > 0 ? st->in_start + n : 0;
}

/* One attempt.  Bytes moved (> 0), or 0 with *events_r what to wait for, or -1 with f filled. */
static ssize_t attempt_read(
    struct imap_stream *st, char *to, size_t room, short *events_r, struct imap_failure *f)
{
	ERR_clear_error();
	errno = 0;
	*events_r = POLLIN;
	if (st->ssl != NULL) {
		int n = SSL_read(st->ssl, to, (int)room);
		if (n > 0)
			return n;
		int why = SSL_get_error(st->ssl, n);
		if (why == SSL_ERROR_WANT_WRITE)
			*events_r = POLLOUT;
		if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
			return 0;
		(void)imap_tls_failure(st->ssl, n, f);
		return -1;
	}
	ssize_t n = recv(st->fd, to, room, 0);
	if (n > 0)
		return n;
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return 0;
	if (n == 0)
		(void)imap_fail(f, IMAP_CLOSED, "the server closed the connection");
	else
		(void)imap_fail_errno(f, errno, "read");
	return -1;
}

static ssize_t attempt_write(
    struct imap_stream *st, const char *from, size_t len, short *events_r, struct imap_failure *f)
{
	ERR_clear_error();
	errno = 0;
	*events_r = POLLOUT;
	if (st->ssl != NULL) {
		int n = SSL_write(st->ssl, from, len > INT32_MAX ? INT32_MAX : (int)len);
		if (n > 0)
			return n;
		int why = SSL_get_error(st->ssl, n);
		if (why == SSL_ERROR_WANT_READ)
			*events_r = POLLIN;
		if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
			return 0;
		(void)imap_tls_failure(st->ssl, n, f);
		return -1;
	}
	ssize_t n = send(st->fd, from, len, MSG_NOSIGNAL);
	if (n >= 0)
		return n;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return 0;
	(void)imap_fail_errno(f, errno, "write");
	return -1;
}

/* What a failed attempt comes to, f being ours if the caller gave none. */
static enum err await(
    struct imap_stream *st, short events, mono_time deadline, const char *what, struct imap_failure *f)
{
	enum err e = imap_wait(st->fd, events, deadline);

	if (e == ERR_TIMEOUT)
		return imap_fail(f, IMAP_TIMED_OUT, "%s", what);
	if (e != ERR_OK)
		return imap_fail_errno(f, errno, "poll");
	return ERR_OK;
}

static void took(struct imap_stream *st, size_t n)
{
	st->in_len += n;
	st->received += (uint64_t)n;
}

/* What TLS has read already and can tell without another read(2); a failure shows itself at the next fill. */
static void drain_tls(struct imap_stream *st)
{
	while (st->ssl != NULL && st->deflate == NULL && sizeof(st->in) - st->in_len >= TLS_RECORD_MAX &&
	       SSL_has_pending(st->ssl)) {
		ERR_clear_error();
		int n = SSL_read(st->ssl, st->in + st->in_len, (int)(sizeof(st->in) - st->in_len));
		if (n <= 0)
			return;
		took(st, (size_t)n);
	}
}

/* As attempt_read(), into the buffer, through what is compressed. */
static ssize_t attempt_fill(struct imap_stream *st, short *events_r, struct imap_failure *f)
{
	char *to = st->in + st->in_len;
	size_t room = sizeof(st->in) - st->in_len;

	if (st->deflate == NULL)
		return attempt_read(st, to, room, events_r, f);
	for (;;) {
		size_t raw_room;
		ssize_t n = imap_deflate_take(st->deflate, to, room, f);
		if (n != 0)
			return n;
		char *raw = imap_deflate_room(st->deflate, &raw_room);
		n = attempt_read(st, raw, raw_room, events_r, f);
		if (n <= 0)
			return n;
		imap_deflate_got(st->deflate, (size_t)n);
	}
}

enum err imap_stream_fill(struct imap_stream *st, mono_time deadline, struct imap_failure *f)
{
	struct imap_failure mine;

	if (f == NULL)
		f = &mine;
	if (st->in_len == sizeof(st->in))
		return imap_fail(f, IMAP_INTERNAL, "read buffer full");
	if (st->in_start > 0) {
		memmove(st->in, st->in + st->in_start, st->in_len);
		st->in_start = 0;
	}
	for (;;) {
		short events;
		ssize_t n = attempt_fill(st, &events, f);
		if (n < 0)
			return f->err;
		if (n > 0) {
			took(st, (size_t)n);
			drain_tls(st);
			return ERR_OK;
		}
		enum err e = await(st, events, deadline, "no answer", f);
		if (e != ERR_OK)
			return e;
	}
}

/* All that is queued. */
static enum err send_out(struct imap_stream *st, mono_time deadline, struct imap_failure *f)
{
	struct imap_failure mine;
	enum err e = ERR_OK;
	size_t done = 0;

	if (f == NULL)
		f = &mine;
	while (done < st->out.len && e == ERR_OK) {
		short events;
		ssize_t n = attempt_write(st, st->out.data + done, st->out.len - done, &events, f);
		if (n < 0)
			e = f->err;
		else if (n == 0)
			e = await(st, events, deadline, "the server takes no more data", f);
		else
			done += (size_t)n;
	}
	st->sent += done;
	/* what was sent may have been a password */
	if (done > 0)
		explicit_bzero(st->out.data, done);
	buf_consume(&st->out, done);
	return e;
}

enum err imap_stream_flush(struct imap_stream *st, mono_time deadline, struct imap_failure *f)
{
	if (st->deflate != NULL && imap_deflate_flush(st->deflate, &st->out) != ERR_OK)
		return imap_fail(f, IMAP_INTERNAL, "zlib cannot go on");
	return send_out(st, deadline, f);
}

enum err imap_stream_write(
    struct imap_stream *st, const void *bytes, size_t len, mono_time deadline, struct imap_failure *f)
{
	const char *p = bytes;

	while (len > 0) {
		size_t n = len < IMAP_STREAM_BUFFER ? len : IMAP_STREAM_BUFFER;
		buf_reserve(&st->out, 2 * IMAP_STREAM_BUFFER);
		if (st->deflate == NULL)
			buf_add(&st->out, p, n);
		else if (imap_deflate_add(st->deflate, p, n, &st->out) != ERR_OK)
			return imap_fail(f, IMAP_INTERNAL, "zlib cannot go on");
		p += n;
		len -= n;
		if (st->out.len > IMAP_STREAM_BUFFER) {
			enum err e = send_out(st, deadline, f);
			if (e != ERR_OK)
				return e;
		}
	}
	return ERR_OK;
}

int imap_stream_fd(const struct imap_stream *st)
{
	return st->fd;
}

bool imap_stream_pending(const struct imap_stream *st)
{
	return st->in_len > 0 || (st->deflate != NULL && imap_deflate_pending(st->deflate)) ||
	       (st->ssl != NULL && SSL_has_pending(st->ssl));
}

bool imap_stream_is_tls(const struct imap_stream *st)
{
	return st->ssl != NULL;
}

void imap_stream_peer(const struct imap_stream *st, struct imap_peer *peer_r)
{
	*peer_r = st->peer;
}

uint64_t imap_stream_received(const struct imap_stream *st)
{
	return st->received;
}

uint64_t imap_stream_sent(const struct imap_stream *st)
{
	return st->sent;
}
