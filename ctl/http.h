/*
 * HTTP for the verbs that ask the panel: one request after the other over one connection.  https with a
 * verified certificate, http to this machine alone: what is sent are tokens and passwords.  No redirection is
 * followed, nothing is read from ~/.netrc, and what libcurl keeps of a request is wiped.  The only user of
 * curl.h.
 */
#ifndef MCV_CTL_HTTP_H
#define MCV_CTL_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"
#include "lib/err.h"

enum { HTTP_ANSWER_MAX_BYTES = 32 << 20 };

struct http;

/* ca_file: what certificates are verified with; NULL: the system's. */
struct http *http_new(const char *ca_file) __attribute__((returns_nonnull));
/* Sets to NULL; *h may be NULL. */
void http_free(struct http **h);

/* Whether url may be asked: https, or http to this machine; a host, a port, and no path. */
bool http_url_is_fit(const char *url);

/* Takes a piece of an answer.  Anything but ERR_OK ends the request and is handed on. */
typedef enum err (*http_sink_fn)(void *arg, const char *bytes, size_t len);

struct http_request {
	const char *method;         /* "GET", "POST", "DELETE" */
	const char *url;            /* whole */
	const char *const *headers; /* "Name: value", NULL at the end */
	const struct buf *form;     /* "a=b&c=d", or NULL */
	const struct buf *file;     /* goes as the part "file" of multipart/form-data instead; or NULL */
	const char *const *values;  /* of further parts before it, a name and a value each, NULL at the end */
	http_sink_fn sink;          /* gets the body of a 2xx answer; NULL: it goes to answer.body */
	void *arg;
};

struct http_answer {
	unsigned status;
	unsigned retry_after_s; /* 0: it does not say */
	bool is_json;
	struct buf body; /* at most HTTP_ANSWER_MAX_BYTES; the caller's */
};

/*
 * ERR_OK: there is an answer, whatever its status.  ERR_UNAVAILABLE: the request was not sent (no such name,
 * nobody listens, a certificate that is not good); ERR_UNCERTAIN: it was, and no answer came, or a part of
 * it; ERR_TOO_BIG; what sink returned.  why gets the reason, but for the last.
 */
enum err http_do(
    struct http *h, const struct http_request *rq, struct http_answer *answer_r, struct buf *why) MUST_CHECK;

#endif
