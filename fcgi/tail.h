/*
 * From raw log bytes, which may be anything, to text.  Pure.
 */
#ifndef MCV_FCGI_TAIL_H
#define MCV_FCGI_TAIL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"

enum { TAIL_MAX_BYTES = 64 * 1024 };

enum tail_end {
	TAIL_MORE_LATER, /* the piece reaches the end of a log that may grow */
	TAIL_CUT,        /* the log goes on, but the asker wants no more in this piece */
	TAIL_LAST        /* nothing will ever follow */
};

/*
 * Append raw as UTF-8 to text and return how many raw bytes that took.  What is no UTF-8 becomes U+FFFD, one
 * for each longest beginning of a character (as WHATWG's decoder does, so that pieces add up to what decoding
 * the whole would give).  A character cut off at the end is left for the next piece (fewer than len bytes are
 * taken), unless end is TAIL_LAST, or is TAIL_CUT and there is nothing else in the piece.
 */
size_t tail_text(const char *raw, size_t len, enum tail_end end, struct buf *text);

#endif
