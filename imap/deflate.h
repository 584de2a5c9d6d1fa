/*
 * What COMPRESS=DEFLATE (RFC 4978) puts between the stream's buffers and the wire: zlib both ways, raw
 * deflate.  For stream.c only.  Memory is bounded whatever the server sends: what comes out of a few bytes is
 * handed over in parts no larger than the caller's room, and counts there as what it is.
 */
#ifndef MCV_IMAP_DEFLATE_H
#define MCV_IMAP_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "imap/cause.h"
#include "lib/buf.h"
#include "lib/err.h"

struct imap_deflate;

/* NULL when zlib has no memory. */
struct imap_deflate *imap_deflate_new(void);
void imap_deflate_free(struct imap_deflate **d); /* NULL or not; wipes */

/* To the server: add to out; flush, so that all added so far can be read.  ERR_OK, ERR_INTERNAL. */
enum err imap_deflate_add(struct imap_deflate *d, const void *bytes, size_t len, struct buf *out) MUST_CHECK;
enum err imap_deflate_flush(struct imap_deflate *d, struct buf *out) MUST_CHECK;

/* From the server: where compressed bytes are to be put while nothing is pending, and how many were. */
char *imap_deflate_room(struct imap_deflate *d, size_t *room_r);
void imap_deflate_got(struct imap_deflate *d, size_t len);

/* Bytes put into to, 0 when more are to be got first, -1 with f filled (IMAP_PROTOCOL_ERROR, IMAP_CLOSED). */
ssize_t imap_deflate_take(struct imap_deflate *d, char *to, size_t room, struct imap_failure *f);

/* Whether take may give something without more being got. */
bool imap_deflate_pending(const struct imap_deflate *d);

#endif
