/*
 * One JSON object on one line (RFC 8259), built by adding to a buffer.  Whatever bytes a text holds, the line
 * is valid: what is not UTF-8 becomes U+FFFD, control characters become \uNNNN.
 */
#ifndef MCV_ENGINE_JSON_H
#define MCV_ENGINE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"

/* {"type":"..." ; b is empty before.  Keys and type need no escaping. */
void json_begin(struct buf *b, const char *type);
void json_text(struct buf *b, const char *key, const char *text);
void json_number(struct buf *b, const char *key, uint64_t n);
void json_bool(struct buf *b, const char *key, bool yes);
void json_end(struct buf *b);

#endif
