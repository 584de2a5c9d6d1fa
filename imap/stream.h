/*
 * A byte stream to an IMAP server: name, TCP, TLS, buffers, deadlines.  Only this file's implementation
 * (stream.c with dial.c and tls.c) touches sockets and OpenSSL's SSL.
 *
 * Every wait ends at its deadline.  The descriptor is non-blocking throughout; a deadline already passed
 * means "do what is possible now", so an event loop may poll imap_stream_fd() and call in with mono_now().
 * After any failure but ERR_TIMEOUT from imap_stream_fill() the stream is of no use but to be closed.
 * Processes using it must ignore SIGPIPE (OpenSSL writes with write(2)).
 */
#ifndef MCV_IMAP_STREAM_H
#define MCV_IMAP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "imap/cause.h"
#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/err.h"

enum imap_security {
	IMAP_SECURITY_TLS = 1,  /* TLS from the first byte, usually port 993 */
	IMAP_SECURITY_STARTTLS, /* plain greeting, then STARTTLS or nothing, usually port 143 */
	IMAP_SECURITY_NONE,     /* plain text: passwords travel readable */
};

/* Where and how.  Strings are borrowed until imap_stream_open() or imap_session_open() returns. */
struct imap_endpoint {
	const char *host;    /* name, IPv4 or IPv6 literal (no brackets); <= 253 bytes */
	const char *address; /* numeric: where to connect, host being its name only; NULL: look host up */
	uint16_t port;       /* > 0 */
	enum imap_security security; /* 0 is refused, so that forgetting it cannot mean plain text */
	bool verify;                 /* certificate chain and host name; false only where a person chose so */
	const char *ca_file;         /* PEM bundle to trust; NULL or "" for the system's store */
	bool keepalive;              /* SO_KEEPALIVE: for sessions that may wait for the other side */

	/*
	 * Asked about each address right before connecting to it and to nothing else (no second look-up), an
	 * IPv4-mapped IPv6 address as its IPv4 self.  False skips the address.  NULL allows all.
	 */
	bool (*allow)(void *ctx, const struct sockaddr *addr);
	void *allow_ctx;
};

struct imap_stream;

/* What is known of the connection, for people.  Strings are "" when not known. */
struct imap_peer {
	char address[64];       /* numeric address connected to */
	char tls_version[16];   /* "TLSv1.3" */
	char tls_cipher[64];    /* "TLS_AES_256_GCM_SHA384" */
	char cert_subject[256]; /* RFC 2253, UTF-8, control characters escaped by OpenSSL */
	char cert_issuer[256];
	char cert_names[512];   /* DNS and IP subject alternative names, ", " between, cut */
	int64_t cert_expires_s; /* seconds since 1970 UTC; 0 when not known */
};

/*
 * Resolve, connect to the addresses in turn until one answers, and for IMAP_SECURITY_TLS shake hands, all
 * before deadline (name look-up included).  On failure *st_r is NULL, f is filled (causes from
 * IMAP_NAME_NOT_FOUND to IMAP_CA_FILE_BAD, IMAP_VALUE_INVALID, IMAP_INTERNAL) and, when peer is not NULL, it
 * holds what was known by then (of a refused certificate too).  *st_r is the caller's to close.
 */
enum err imap_stream_open(const struct imap_endpoint *ep, mono_time deadline, struct imap_stream **st_r,
    struct imap_failure *f, struct imap_peer *peer) MUST_CHECK;

/*
 * Shake hands on a plain stream, after the server's OK to STARTTLS.  Plain bytes already received beyond that
 * OK are refused (IMAP_STARTTLS_INJECTION).  Failures as imap_stream_open().
 */
enum err imap_stream_starttls(struct imap_stream *st, mono_time deadline, struct imap_failure *f) MUST_CHECK;

/*
 * Compress both ways from here on, after the server's OK to COMPRESS (RFC 4978).  A server can make much of
 * few bytes, but never more at a time than the buffer holds, and every bound above counts what was made.
 * IMAP_INTERNAL.
 */
enum err imap_stream_deflate(struct imap_stream *st, struct imap_failure *f) MUST_CHECK;

/* Closes (with close_notify if that needs no waiting) and sets *st to NULL; *st may be NULL. */
void imap_stream_close(struct imap_stream **st);

/* End the connection at once, sending nothing more (queued bytes are dropped); close is still to be called.
 */
void imap_stream_shut(struct imap_stream *st);

/*
 * Reading.  peek: what is buffered, borrowed until the next call on st; *len_r may be 0.  consume: drop n of
 * it.  fill: wait for at least one more byte; ERR_TIMEOUT (nothing lost, may be called again), ERR_CLOSED
 * (also a TLS stream cut off without close_notify), ERR_IO, ERR_PROTOCOL.  The buffer holds at most
 * IMAP_STREAM_BUFFER bytes; fill on a full buffer is ERR_INTERNAL.
 */
#define IMAP_STREAM_BUFFER 65536
const char *imap_stream_peek(const struct imap_stream *st, size_t *len_r);
void imap_stream_consume(struct imap_stream *st, size_t n);
enum err imap_stream_fill(struct imap_stream *st, mono_time deadline, struct imap_failure *f) MUST_CHECK;

/*
 * Writing.  write queues (sending when more than IMAP_STREAM_BUFFER are queued); flush sends everything.
 * Each piece of progress renews nothing: deadline is for the whole call.  ERR_TIMEOUT, ERR_CLOSED, ERR_IO;
 * all of them leave it unknown how much arrived.
 */
enum err imap_stream_write(struct imap_stream *st, const void *bytes, size_t len, mono_time deadline,
    struct imap_failure *f) MUST_CHECK;
enum err imap_stream_flush(struct imap_stream *st, mono_time deadline, struct imap_failure *f) MUST_CHECK;

/* For an event loop: the descriptor, and whether bytes wait inside TLS that poll(2) cannot see. */
int imap_stream_fd(const struct imap_stream *st);
bool imap_stream_pending(const struct imap_stream *st);

bool imap_stream_is_tls(const struct imap_stream *st);
void imap_stream_peer(const struct imap_stream *st, struct imap_peer *peer_r);

/* Bytes received so far, as they are after TLS and decompression; and sent, as they are before TLS. */
uint64_t imap_stream_received(const struct imap_stream *st);
uint64_t imap_stream_sent(const struct imap_stream *st);

#endif
