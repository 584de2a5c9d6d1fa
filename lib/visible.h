/*
 * Text from outside made fit to be looked at: in a page, a log or on a terminal, which it must not steer.
 */
#ifndef MCV_LIB_VISIBLE_H
#define MCV_LIB_VISIBLE_H

#include <stddef.h>

#include "lib/buf.h"

/*
 * Append valid UTF-8 s to out: line breaks and tabs stay, "\r\n" becomes "\n", other control characters
 * become their visible pictures (U+2400 on), and those that show nothing and change how others look
 * (utf8_is_hidden()) become U+FFFD.
 */
void visible_text(const char *s, size_t len, struct buf *out);

/* The same for a place within a line: line breaks and tabs become pictures, too. */
void visible_line(const char *s, size_t len, struct buf *out);

#endif
