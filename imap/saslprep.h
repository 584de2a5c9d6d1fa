/*
 * SASLprep (RFC 4013): how a password must be written before SCRAM computes with it, so that the same one
 * typed on another keyboard gives the same bytes.  The only user of libidn.
 *
 * Printable ASCII is its own SASLprep and never reaches the library, which frees its working copies without
 * wiping them: what may stay behind in this process's memory (never dumped, PR_SET_DUMPABLE) is a password
 * with characters beyond ASCII.
 */
#ifndef MCV_IMAP_SASLPREP_H
#define MCV_IMAP_SASLPREP_H

#include <stddef.h>

#include "lib/buf.h"

/*
 * Adds the len bytes so written to out, or as they are where SASLprep does not take them (not UTF-8,
 * forbidden characters): a server that lets such a password be set computes with its bytes.
 */
void saslprep_add(const char *text, size_t len, struct buf *out);

#endif
