/*
 * Takes known secrets out of a stream before it is stored or shown.
 *
 * Each secret is found as it is, inside base64 (at any of its three alignments, so also within a SASL PLAIN
 * response), percent- encoded, and as an IMAP quoted string, whichever way the stream is cut into pieces;
 * what is found becomes "********". At most the longest form's length is held back between calls.
 *
 * A secret shorter than REDACT_SHORT_BYTES occurs by chance in every log ("a", "12"), so it is masked only
 * where no letter or digit stands beside it.
 */
#ifndef MCV_LIB_REDACT_H
#define MCV_LIB_REDACT_H

#include <stddef.h>

#include "lib/buf.h"

enum { REDACT_SHORT_BYTES = 4 };

struct redact;

struct redact *redact_new(void) __attribute__((returns_nonnull));

/* Wipes the secrets, frees and sets *r to NULL; *r may be NULL. */
void redact_free(struct redact **r);

/* Look for this secret (copied) from now on; len 0 is ignored. */
void redact_add(struct redact *r, const void *secret, size_t len);

/* Append to out what of the stream so far is known to be clean. */
void redact_feed(struct redact *r, const void *bytes, size_t len, struct buf *out);

/* The stream has ended: append what was held back.  The next feed begins a new stream. */
void redact_end(struct redact *r, struct buf *out);

#endif
