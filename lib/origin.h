/*
 * Origins of web pages (RFC 6454) that may show ours in a frame, as they stand in a Content-Security-Policy
 * (CSP level 3, section 2.3.1).  Strict: "https://", a host name or IPv4 address, and at most a port behind
 * it; no path, no wildcard, no user.  "http://" is for this machine alone.  IPv6 addresses have no form there
 * that browsers agree on.
 */
#ifndef MCV_LIB_ORIGIN_H
#define MCV_LIB_ORIGIN_H

#include "lib/buf.h"
#include "lib/err.h"

/* Of one list, blanks included: all of them stand in one header. */
enum { ORIGIN_LIST_MAX_BYTES = 1000 };

/*
 * Add the words of text (parted by blanks, commas or semicolons; NULL: none) to list in small letters, one
 * blank between; what is there already is not added again.  ERR_INVALID: a word is no origin; ERR_TOO_BIG:
 * list would be longer than ORIGIN_LIST_MAX_BYTES.  list keeps what came before it then.
 */
enum err origin_list_add(struct buf *list, const char *text) MUST_CHECK;

#endif
