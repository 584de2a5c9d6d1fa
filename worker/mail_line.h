/*
 * A line to the relay: name, connection and TLS are ours (imap/stream.h), and libesmtp talks through it.
 *
 * libesmtp knows no TLS from the first byte, sends no server name, checks the certificate against a name that
 * DNS chose, goes on in clear where STARTTLS was taken away, keeps what came in clear behind the answer to
 * it, and may wait for minutes.  So it is given a loopback port on which the relay's greeting waits, behind a
 * connection that is verified already; a thread carries the bytes until the deadline, whatever the two sides
 * do.
 */
#ifndef MCV_WORKER_MAIL_LINE_H
#define MCV_WORKER_MAIL_LINE_H

#include <stdint.h>

#include "imap/stream.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/err.h"

/* Strings are borrowed until mail_line_open() returns. */
struct mail_relay {
	const char *host;
	uint16_t port;
	enum imap_security security; /* the certificate is verified, name and all; TLS 1.2 or later */
	const char *ca_file;         /* "" for the system's store */
	const char *hello;           /* our name in EHLO */
};

struct mail_line;

/*
 * Connect, read the greeting and make TLS of it, all within connect_ms; the line ends at deadline.  On
 * failure why gets a sentence for people, and *line_r is NULL.  ERR_OK, or an error of imap/stream.h; ERR_IO:
 * no thread or port.
 */
enum err mail_line_open(const struct mail_relay *relay, int64_t connect_ms, mono_time deadline,
    struct mail_line **line_r, struct buf *why) MUST_CHECK;

/* Where libesmtp connects to, on 127.0.0.1; nobody else is let in. */
uint16_t mail_line_port(const struct mail_line *line);

/* Of a line that was cut: why, else "".  Only after mail_line_stop(). */
const char *mail_line_failure(const struct mail_line *line);

/* End the thread and the connection; close also frees and sets *line to NULL (may be NULL). */
void mail_line_stop(struct mail_line *line);
void mail_line_close(struct mail_line **line);

#endif
