/*
 * What may be asked of the local socket, in one line of JSON, and what a given asker gets for it.  Pure.
 *
 *   {}                                    a link for the asker's own account
 *   {"return_to": PATH, "ttl": SECONDS}   the same, leading to PATH of this site, for 1 to 120 seconds
 *   {"account": ID, "user": NAME}         another's: for root and sso_trusted_users alone
 *   {"account": ID, "support": NAME}      the same, for NAME, who is there in the user's place (root: always)
 *   {"check": true}                       whether all is well: for these alone, too
 *
 * Who is in a user's place is shown and noted; as "root" where root gives no name.
 *
 * The answer is one line: {"url": …, "ttl": …}, {"ok": true}, or {"error": WORD, "detail": SENTENCE}.  WORD
 * is "refused" (malformed, or a value that is not acceptable), "denied" (not for this asker), "busy" (too
 * often, or too many at once) or "unavailable" (the database, or the password database, does not answer).
 */
#ifndef MCV_FCGI_SSO_ASK_H
#define MCV_FCGI_SSO_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "fcgi/sso_peer.h"
#include "lib/arena.h"
#include "lib/err.h"
#include "sql/store_sso.h"

enum { SSO_ASK_MAX_BYTES = 4096 };

struct sso_ask {
	const char *account;   /* what this machine (ISSUER_LOCAL) calls it */
	const char *user;      /* of that account; NULL: the one called as the account */
	const char *return_to; /* NULL: where people begin */
	const char *support;   /* who signs in in the user's place; NULL: the user */
	unsigned ttl_s;
	bool is_check;
	bool is_own; /* set by sso_ask_judge(): no account was named, it is the peer's */
};

/*
 * Read the len bytes at line (without the newline).  ERR_OK; ERR_INVALID: *why_r says what is wrong with it.
 * What is in ask_r lives in a.
 */
enum err sso_ask_read(
    struct arena *a, const char *line, size_t len, struct sso_ask *ask_r, const char **why_r) MUST_CHECK;

/*
 * Whether peer may ask that; account becomes the peer's own where none is named.  ERR_OK; ERR_DENIED and
 * ERR_INVALID: *why_r says why.
 */
enum err sso_ask_judge(const struct sso_peer *peer, struct sso_ask *ask, const char **why_r) MUST_CHECK;

#endif
