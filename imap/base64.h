/*
 * Base64 as SASL has it on the wire (RFC 4648, padded, no line ends), for secrets: nothing is left behind in
 * memory but in the buffer, which is the caller's to wipe.
 */
#ifndef MCV_IMAP_BASE64_H
#define MCV_IMAP_BASE64_H

#include <stddef.h>

#include "lib/buf.h"
#include "lib/err.h"

/* Adds the code of the len bytes to out. */
void base64_add(const void *bytes, size_t len, struct buf *out);

/* Adds what the len characters are the code of to out; strict: ERR_INVALID for anything else, out as it was.
 */
enum err base64_decode(const char *code, size_t len, struct buf *out) MUST_CHECK;

#endif
