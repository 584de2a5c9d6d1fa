/*
 * A configuration file's text without its comments.
 */
#ifndef MCV_LIB_CONF_TEXT_H
#define MCV_LIB_CONF_TEXT_H

#include "lib/buf.h"
#include "lib/err.h"

enum { CONF_TEXT_MAX_BYTES = 1 << 20 };

/*
 * Append path's contents to text, comments (# and // to the end of the line, slash-star to star-slash)
 * replaced by blanks: libconfuse 3.3 counts the end of a line comment three times, and would name the wrong
 * line in every message below one.  On failure why gets one sentence.  ERR_OK, ERR_NOT_FOUND, ERR_DENIED (not
 * readable), ERR_TOO_BIG, ERR_INVALID (a NUL), ERR_IO.
 */
enum err conf_text_read(const char *path, struct buf *text, struct buf *why) MUST_CHECK;

#endif
