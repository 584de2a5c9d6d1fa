/*
 * Compression of log chunks (zlib, RFC 1950).  Pure.
 */
#ifndef MCV_SQL_LOGZIP_H
#define MCV_SQL_LOGZIP_H

#include <stddef.h>

#include "lib/buf.h"
#include "lib/err.h"

/* Values of job_log.encoding. */
enum log_encoding { LOG_PLAIN = 0, LOG_ZLIB = 1 };

/* Replace out's content by bytes in the shorter of the two encodings. */
enum log_encoding logzip_pack(const void *bytes, size_t len, struct buf *out);

/*
 * Undo it into room, which has raw_len bytes: exactly as many must come out.  ERR_PROTOCOL: damaged, or of
 * another length (nothing is ever written beyond raw_len).
 */
enum err logzip_unpack(
    enum log_encoding encoding, const void *bytes, size_t len, void *room, size_t raw_len) MUST_CHECK;

#endif
