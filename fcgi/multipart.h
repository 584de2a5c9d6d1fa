/*
 * Forms with files: multipart/form-data (RFC 7578 on RFC 2046 section 5.1), taken apart as they arrive and
 * bounded in everything.  What is sent under one of the names given goes into an anonymous file in memory
 * (memfd_create(2)): it has no name, touches no disk and is gone with its descriptor.  The rest are values.
 */
#ifndef MCV_FCGI_MULTIPART_H
#define MCV_FCGI_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgi/request.h"
#include "lib/arena.h"
#include "lib/err.h"

enum {
	MULTIPART_FEED_MAX_BYTES = 64 * 1024,
	MULTIPART_HEAD_MAX_BYTES = 8 * 1024,    /* headers of one part */
	MULTIPART_VALUES_MAX_BYTES = 64 * 1024, /* of all values together */
	MULTIPART_PARTS_MAX = 50
};

struct multipart;

/*
 * content_type is the request's.  files: up to REQUEST_FILES_MAX names, NULL-terminated, must outlive it.
 * Values and names live in a, a clean arena.  ERR_INVALID: not multipart/form-data, or without a boundary.
 */
enum err multipart_new(struct arena *a, const char *content_type, const char *const *files,
    size_t files_max_bytes, struct multipart **mp_r) MUST_CHECK;

/* Closes the files that were not taken, wipes, frees, sets to NULL; *mp may be NULL. */
void multipart_free(struct multipart **mp);

/*
 * The next len (at most MULTIPART_FEED_MAX_BYTES) bytes; the end.  ERR_INVALID: malformed, or a value that is
 * not UTF-8 or holds NUL, or a name that is there twice; ERR_TOO_BIG: over one of the limits above; ERR_IO: a
 * file could not be made.  After an error only multipart_free() may be called.  A file with which
 * all of them are larger than files_max_bytes is no error: it is marked, and empty.
 */
enum err multipart_feed(struct multipart *mp, const char *bytes, size_t len) MUST_CHECK;
enum err multipart_end(struct multipart *mp) MUST_CHECK;

/* After multipart_end(): move values and files to a request, which closes the files. */
void multipart_take(
    struct multipart *mp, struct params *values_r, struct request_file *files_r, unsigned *file_count_r);

#endif
