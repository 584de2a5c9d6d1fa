/*
 * What an API token may do.  Each right stands alone: one that writes does not read.  Pure.
 */
#ifndef MCV_LIB_SCOPE_H
#define MCV_LIB_SCOPE_H

#include "lib/arena.h"
#include "lib/err.h"

/* Bits, so that a token's rights are a mask. */
enum scope {
	SCOPE_JOBS_READ = 1,
	SCOPE_JOBS_WRITE = 2,
	SCOPE_SERVERS_WRITE = 4,  /* servers are read with it, too */
	SCOPE_ACCOUNTS_WRITE = 8, /* all that administrators do; of the installation's tokens alone */
	SCOPE_SSO_CREATE = 16     /* make links that sign others in */
};
enum { SCOPE_COUNT = 5, SCOPE_ALL = 31 };

/* "jobs:read" …, of one bit; NULL for what is none. */
const char *scope_name(unsigned bit);

/* "jobs:read jobs:write"; "" for 0. */
const char *scope_list(struct arena *a, unsigned mask);

/* Names with single blanks between them.  ERR_INVALID: one is unknown, or there is none. */
enum err scope_parse(const char *text, unsigned *mask_r) MUST_CHECK;

#endif
