/*
 * UTF-8 as RFC 3629 defines it: shortest form, no surrogates, at most U+10FFFF.
 */
#ifndef MCV_LIB_UTF8_H
#define MCV_LIB_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Length (1 to 4) of the valid sequence s begins with, 0 if it begins with none (len 0 included). */
size_t utf8_sequence(const char *s, size_t len);

/* Whether the len bytes at s are the beginning of a valid sequence that needs more bytes: 0 < len < 4. */
bool utf8_incomplete(const char *s, size_t len);

/* Whether all len bytes are valid UTF-8. */
bool utf8_valid(const char *s, size_t len);

/* Whether the valid sequence s of n bytes is a C0 or C1 control character or DEL. */
bool utf8_is_control(const char *s, size_t n);

#endif
