/*
 * A mail as bytes: headers, and one body as plain text and as HTML (RFC 5322, 2045 to 2047, 3834).  Whatever
 * the texts hold, the result is 7-bit, every line ends in CRLF and has at most 78 bytes, none begins with a
 * dot, and there are exactly the headers and parts written here: a name with a line break in it begins no
 * header.
 */
#ifndef MCV_LIB_MIME_H
#define MCV_LIB_MIME_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

struct mime_mail {
	const char *from_name;   /* shown before the address */
	const char *from, *to;   /* addresses that mime_address_fits() */
	const char *subject;     /* any text; line breaks and other control characters become blanks */
	const char *message_id;  /* "left@right" without the angles, an address that fits */
	int64_t date_s;          /* seconds since 1970 UTC */
	const char *text, *html; /* UTF-8 (what is not becomes U+FFFD); lines end in LF, CRLF or CR */
};

/*
 * Whether an address can stand in a header and in an SMTP command as it is: a dot-atom (RFC 5322
 * section 3.2.3), '@' and a host name, all ASCII.  Quoted local parts, addresses with comments and those that
 * need SMTPUTF8 do not.
 */
bool mime_address_fits(const char *address);

/* Append the mail to out.  ERR_INVALID: an address or the message id does not fit; out is as before. */
enum err mime_build(const struct mime_mail *m, struct buf *out) MUST_CHECK;

#endif
