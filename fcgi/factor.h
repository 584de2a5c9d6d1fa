/*
 * The second factor: setting one up, and checking what somebody gives as its code.
 *
 * The secret that an app shares with us is stored under a key that is in a file of the web's alone
 * (second_factor_key_file), bound to its user.  The key is read each time it is needed: whoever takes the
 * file away stops all of this at once, and nobody gets in without.
 *
 * Codes are judged by the database's clock, the one that sessions and tickets go by: all web processes, on
 * whatever machines, have the same.
 */
#ifndef MCV_FCGI_FACTOR_H
#define MCV_FCGI_FACTOR_H

#include <stdbool.h>

#include "fcgi/attempt.h"
#include "fcgi/recovery.h"
#include "fcgi/visit.h"
#include "lib/err.h"
#include "sql/store_user.h"

enum { FACTOR_SETUP_S = 900 }; /* to get from the QR code to the first code */

/* What is shown to somebody who sets one up; lives as long as the request, in its secret arena. */
struct factor_setup {
	const char *secret_text; /* for typing */
	const char *uri;         /* for the QR code */
	const char *box;         /* what the form brings back: the secret, sealed for this user and session */
};

/* Recovery codes as they are shown, once. */
struct factor_codes {
	char text[RECOVERY_CODES][RECOVERY_TEXT_LEN + 1];
};

/* What was given instead of the code of an app, if it was right. */
struct factor_given {
	bool is_recovery;
	unsigned recovery_left; /* only when is_recovery */
	unsigned wait_s;        /* with ERR_BUSY: seconds */
};

/* Whether the key is there; why it is not is logged. */
bool factor_has_key(const struct visit *v);

/*
 * A new secret for v's user.  Nothing is stored: until it was confirmed the form carries it.  ERR_CRYPTO:
 * there is no key.  Errors of sql/db.h.
 */
enum err factor_begin(struct visit *v, struct factor_setup *setup_r) MUST_CHECK;

/* The same secret again, after a code that was wrong.  ERR_NOT_FOUND: box is none, too old, or somebody
 * else's. */
enum err factor_resume(struct visit *v, const char *box, struct factor_setup *setup_r) MUST_CHECK;

/*
 * Turn it on, if code is one of box's.  That code is used up.  ERR_DENIED: it is not; ERR_CONFLICT: it is on
 * already; ERR_NOT_FOUND, ERR_CRYPTO as above.
 */
enum err factor_confirm(
    struct visit *v, const char *box, const char *code, struct factor_codes *codes_r) MUST_CHECK;

/*
 * Use up what u gave: the app's code of now, or a recovery code.  What is wrong is counted (attempt.h) and
 * noted in the trail.  ERR_DENIED: wrong, or used before; ERR_BUSY: too many wrong codes; ERR_CRYPTO: it
 * cannot be checked, for want of the key; ERR_NOT_FOUND: u has no second factor.  Errors of sql/db.h.
 */
enum err factor_check(struct visit *v, const struct user *u, const struct attempt *at, const char *given,
    struct factor_given *given_r) MUST_CHECK;

/* Other recovery codes for v's user.  ERR_NOT_FOUND: there is no second factor. */
enum err factor_renew(struct visit *v, struct factor_codes *codes_r) MUST_CHECK;

/* Note in the trail what happened to a user's second factor. */
void factor_note(struct visit *v, const char *action, uint64_t user_id, const char *email);

#endif
