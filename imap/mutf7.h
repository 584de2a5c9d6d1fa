/*
 * Modified UTF-7, in which IMAP4rev1 writes folder names (RFC 3501 section 5.1.3): printable ASCII is itself,
 * "&" is "&-", all else is UTF-16BE in base64 with "," for "/" between "&" and "-".
 */
#ifndef MCV_IMAP_MUTF7_H
#define MCV_IMAP_MUTF7_H

#include "lib/buf.h"
#include "lib/err.h"

/*
 * Both add to out and leave it as it was on failure.  Strict: a decoded name encodes to the same bytes again,
 * so that no two raw names decode to one.
 * decode: ERR_INVALID for bytes outside 0x20-0x7E, an unfinished or needless shift, unused bits that are not
 * zero, base64 of a printable ASCII character, a lone surrogate, "&-&" style adjacent shifts.
 * encode: ERR_INVALID when in is not valid UTF-8.  NUL and control characters are encoded like any other.
 */
enum err mutf7_decode(const char *in, size_t len, struct buf *out) MUST_CHECK;
enum err mutf7_encode(const char *in, size_t len, struct buf *out) MUST_CHECK;

/*
 * For display: the decoded name; where raw does not decode, raw itself if it is valid UTF-8 (some servers
 * send that), else raw with each byte >= 0x80 replaced by U+FFFD.  Always valid UTF-8; controls are kept.
 */
void mutf7_display(const char *raw, size_t len, struct buf *out);

#endif
