/*
 * An answer, complete before its first byte leaves: status, headers and body (or, for a log download, a
 * function that writes the body once the head is certain).  Every answer carries the same security headers.
 */
#ifndef MCV_FCGI_RESPONSE_H
#define MCV_FCGI_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

/* Where bytes go.  write returns ERR_OK, or ERR_CLOSED when the client is gone. */
struct response_sink {
	enum err (*write)(void *arg, const void *bytes, size_t len);
	void *arg;
};

struct response {
	unsigned status;          /* 0 until a handler decided */
	const char *content_type; /* NULL = no body */
	struct buf headers;       /* "Name: value\r\n" each */
	struct buf body;
	/* When not NULL, called after the head instead of sending body; length must then be set. */
	enum err (*stream)(void *arg, struct response_sink *sink);
	void *stream_arg;
	uint64_t stream_length; /* bytes that stream will write, for Content-Length */
	const char *framers;    /* origins whose pages may frame it, blanks between; NULL or "": none */
	bool is_length_unknown; /* no Content-Length: the stream ends with the answer */
	int spool;              /* the body, when it is long: see response_spool(); -1: none */
	uint64_t spool_length;
};

#define RESPONSE_INIT \
	{ \
		.headers = BUF_INIT, .body = BUF_INIT, .spool = -1 \
	}

void response_free(struct response *rs);

/*
 * Add bytes to a long body.  It is kept in a nameless file in memory instead of this process, and goes out
 * when the whole of it is there: the client is told its length, and what cannot be finished becomes an error
 * page.  ERR_IO.
 */
enum err response_spool(struct response *rs, const void *bytes, size_t len) MUST_CHECK;

/* Forget what was prepared (not the allocation), before preparing an error instead. */
void response_reset(struct response *rs);

/* Add a header.  value with CR, LF or NUL, or not printable ASCII, is a bug and ends the process. */
void response_header(struct response *rs, const char *name, const char *value);

/* "Content-Disposition: attachment" under that name, whatever it holds (escape_attachment()). */
void response_attachment(struct response *rs, const char *filename);

/*
 * Send all of it.  request_id goes into X-Request-Id; is_head sends no body; secure adds
 * Strict-Transport-Security. ERR_CLOSED when the client is gone; else what the stream returned (bytes are
 * then missing, and the connection must be cut so that the client notices).
 */
enum err response_send(struct response *rs, const char *request_id, bool is_head, bool secure,
    struct response_sink *sink) MUST_CHECK;

#endif
