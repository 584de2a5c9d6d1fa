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

/*
 * Whether the valid sequence s of n bytes shows nothing and changes how others look: marks, embeddings,
 * overrides and isolates of direction (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069), line and
 * paragraph separator, zero-width space, word joiner and its like, byte order mark, soft hyphen, fillers,
 * interlinear and tag characters.  Joiners and selectors that scripts and emoji need (U+200C, U+200D, U+FE00
 * to U+FE0F) are not among them.
 */
bool utf8_is_hidden(const char *s, size_t n);

/* The code point of the valid sequence s of n bytes. */
unsigned utf8_code(const char *s, size_t n);

/* Whether the valid sequence s of n bytes is a C0 or C1 control character or DEL. */
bool utf8_is_control(const char *s, size_t n);

#endif
