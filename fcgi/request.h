/*
 * One HTTP request, parsed and bounded before any handler sees it.  Everything is checked once, here: what a
 * handler gets is valid UTF-8 without NUL, at most the stated sizes, and every parameter name stands at most
 * once (names ending in "[]" may repeat).  Files and lists are taken at one address each, see
 * REQUEST_FILES_PATH and REQUEST_ROWS_PATH.
 *
 * Strings live as long as the request.  What came in a body may be a password: it lies in a clean arena and
 * is wiped by request_free().
 */
#ifndef MCV_FCGI_REQUEST_H
#define MCV_FCGI_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/netmask.h"

enum {
	REQUEST_URI_MAX_BYTES = 4096,
	REQUEST_BODY_MAX_BYTES = 64 * 1024,
	REQUEST_PARAMS_MAX = 100,
	REQUEST_COOKIES_MAX_BYTES = 4096,
	REQUEST_HEADER_MAX_BYTES = 8192,
	REQUEST_ID_MAX = 64,
	REQUEST_ROWS_MAX_BYTES = 2 * 1024 * 1024, /* nginx's limit everywhere but there */
	REQUEST_FILES_MAX = 2,
	REQUEST_FILES_MAX_BYTES = 20 * 1024 * 1024,     /* of all together: they are kept in memory */
	REQUEST_FILES_BODY_MAX_BYTES = 32 * 1024 * 1024 /* files and values; nginx's limit there, too */
};

/*
 * Where POST takes multipart/form-data; the parts of these names are files, whoever sent them.  A body of
 * type text/csv is the first of them as it is.
 */
#define REQUEST_FILES_PATH "/migration/import"
#define REQUEST_FILE_UPLOAD "file"
#define REQUEST_FILE_PASTED "text"

/* Where POST takes JSON of up to REQUEST_ROWS_MAX_BYTES with a list of that name beside plain values. */
#define REQUEST_ROWS_PATH "/migration/batches"
#define REQUEST_ROWS "jobs"

/* The header that says whom an installation's token acts for (bearer.h), and the meta-variable it becomes. */
#define REQUEST_ACCOUNT_HEADER "Mailconvoy-Account"
#define REQUEST_ACCOUNT_ENV "HTTP_MAILCONVOY_ACCOUNT"

/* The one key of a JSON body that may hold an object. */
#define REQUEST_NESTED "options"

/* Bits, so that a set of methods is a mask. */
enum method {
	METHOD_GET = 1,
	METHOD_POST = 2,
	METHOD_DELETE = 4,
	METHOD_OTHER = 8 /* PUT, PATCH, OPTIONS, TRACE, CONNECT: known, served by no route */
};

struct param {
	const char *name;
	const char *value;
};

struct json_object;

struct params {
	struct param *list;
	unsigned count;
};

struct request_file {
	const char *name;
	int fd; /* in memory, without a name in any file system; closed by request_free() */
	uint64_t size;
	bool is_too_big; /* over REQUEST_FILES_MAX_BYTES: empty then */
};

/* Where a request comes from: main.c fills it from libfcgi, tests and fuzzers by hand. */
struct request_source {
	/* CGI meta-variables "NAME=value" (RFC 3875), NULL-terminated. */
	char **env;
	/* Reads up to len bytes of the body into dst; returns how many, 0 at its end or on failure. */
	size_t (*read_body)(void *arg, char *dst, size_t len);
	void *arg;
};

struct request {
	struct arena *arena;  /* for the handler, too: lives as long as the request */
	struct arena *secret; /* clean: body, form values */
	char id[17];          /* 16 hex digits, random; in the log */
	/*
	 * What X-Request-Id and the page say: the client's own X-Request-Id where it sent one of 1 to
	 * REQUEST_ID_MAX letters, digits, '.', '_' and '-' (the log then has both), else id.
	 */
	const char *shown_id;
	char **env;

	enum method method; /* HEAD is GET with is_head set */
	bool is_head;
	const char *path; /* decoded, begins with '/', no empty, "." or ".." segment */
	const char *uri;  /* as sent, path and query; printable ASCII only */
	struct params query;
	struct params body;
	struct params cookies;
	struct request_file files[REQUEST_FILES_MAX];
	unsigned file_count;
	struct json_object *document; /* the body, where it has rows; wiped by request_free() */
	struct json_object *rows;     /* the list in it, or NULL */
	const char *client;           /* address of the browser as text, never NULL */
	bool is_api;                  /* path began with /api/v1, which has been taken off */
	bool wants_json;              /* is_api, or Accept asks for JSON and not for HTML */

	/* Set when the request cannot be served as it is; the fields above are then as far as they were read.
	 */
	unsigned bad_status; /* 400, 413, 414, 415, 501 or 503; 0 = good */
	const char *bad_reason;
};

/*
 * Parse src.  trusted_proxies: the addresses (NULL = none) whose X-Forwarded-For is believed:
 * the client is the last address in it that is none of them.  Always fills *rq_r, which is the caller's to
 * request_free(); ERR_INVALID when bad_status is set.  A body is read to its end up to 4 MiB even when it is
 * refused, so that the server in front gets our answer instead of a broken pipe.
 */
enum err request_parse(const struct request_source *src, const struct netmask_list *trusted_proxies,
    struct request **rq_r) MUST_CHECK;

/* Wipes, frees, sets to NULL. */
void request_free(struct request **rq);

/* The meta-variable's value or NULL; header X-Foo is HTTP_X_FOO.  Over REQUEST_HEADER_MAX_BYTES it counts as
 * empty: a condition that cannot be read is one that is not met, never one that was not made. */
const char *request_env(const struct request *rq, const char *name);

/* The file of that name, or NULL. */
const struct request_file *request_file(const struct request *rq, const char *name);

/* The value of the first parameter of that name, or NULL. */
const char *params_get(const struct params *ps, const char *name);

/*
 * Take "a=b&c=d" apart into ps (list allocated in a).  Strict: '%' needs two hex digits, the result must be
 * UTF-8 without NUL.  ERR_INVALID, or ERR_TOO_BIG when ps would hold more than REQUEST_PARAMS_MAX.
 */
enum err params_parse(struct params *ps, struct arena *a, const char *text, size_t len) MUST_CHECK;

/* Add one; neither is copied.  ERR_INVALID: it has no name, or its name is there; ERR_TOO_BIG as above. */
enum err params_add(struct params *ps, struct arena *a, const char *name, const char *value) MUST_CHECK;

/* Add a value of JSON that is no list and no object, copied into a; null is absent.  key is not copied. */
enum err params_add_json(
    struct params *ps, struct arena *a, const char *key, struct json_object *val) MUST_CHECK;

/*
 * The same from a flat JSON object: strings, whole numbers and booleans ("1" or "0"); null is absent.
 * REQUEST_NESTED may be such an object itself, whose lists of strings become lines: {"options": {"a": ["x",
 * "y"]}} gives options=1 and options.a="x\ny".  What the JSON library keeps of its strings meanwhile is
 * wiped.
 */
enum err params_parse_json(struct params *ps, struct arena *a, const char *text, size_t len) MUST_CHECK;

/* Add one member of such an object, copied into a. */
enum err params_add_member(
    struct params *ps, struct arena *a, const char *key, struct json_object *val) MUST_CHECK;

/*
 * In a form REQUEST_NESTED may be such an object as text: make parameters of it.  Errors as of
 * params_parse_json().
 */
enum err params_open_nested(struct params *ps, struct arena *a) MUST_CHECK;

#endif
