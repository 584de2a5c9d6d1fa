/*
 * Recovery codes: what gets somebody in who has lost the phone with the second factor, each once.  80 random
 * bits, so that a plain hash keeps them.  Pure.
 */
#ifndef MCV_FCGI_RECOVERY_H
#define MCV_FCGI_RECOVERY_H

#include <stdint.h>

#include "lib/err.h"
#include "lib/token.h"

enum {
	RECOVERY_CODES = 10, /* made at a time */
	RECOVERY_LEN = 16,
	RECOVERY_TEXT_LEN = RECOVERY_LEN + 3
};

/* A new one, as people see it: "k7dq-2m9x-…", four groups of four, without letters that look like others. */
void recovery_new(char text_r[RECOVERY_TEXT_LEN + 1]);

/*
 * What somebody typed as it is hashed: small letters, blanks and dashes left out, and letters that were not
 * meant (I, L, O) taken for the digits that they look like.  ERR_INVALID: no such code.
 */
enum err recovery_read(const char *text, char code_r[RECOVERY_LEN + 1]) MUST_CHECK;

/* What is stored of a code that recovery_read() gave: it counts for this user alone. */
void recovery_hash(
    uint64_t user_id, const char code[RECOVERY_LEN + 1], unsigned char hash_r[TOKEN_HASH_BYTES]);

#endif
