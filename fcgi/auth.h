/*
 * Who is this, and did this request come from our own pages: sessions, sign-in, sign-out, CSRF.
 *
 * A session is 256 random bits in a cookie; the database knows only their hash.  The CSRF token is derived
 * from the same bits, so it needs no storage and ends with the session.  Before there is a session, the
 * sign-in form is protected the same way with a cookie of its own.
 */
#ifndef MCV_FCGI_AUTH_H
#define MCV_FCGI_AUTH_H

#include <stdbool.h>

#include "fcgi/factor.h"
#include "fcgi/route.h"
#include "fcgi/visit.h"
#include "lib/err.h"
#include "sql/store_user.h"

/*
 * Fill signed_in, viewer, email, support and csrf of v from its session cookie.  ERR_OK also when there is no
 * session or it is over; errors of sql/db.h.
 */
enum err auth_load(struct visit *v) MUST_CHECK;

/* Whether the browser showed a session cookie at all (then a session that is not there is one that is over).
 */
bool auth_has_cookie(const struct visit *v);

/*
 * Whether the request may change things by its route's rule: its token is right, and neither Origin nor
 * Sec-Fetch-Site say that another site's page sent it.
 */
bool auth_csrf_ok(const struct visit *v, enum route_csrf rule);

/* Set v->csrf for the sign-in page, giving the browser its cookie when it has none. */
void auth_prepare_login(struct visit *v);

enum auth_step {
	AUTH_DONE = 1, /* signed in */
	AUTH_CODE /* the code of the second factor is owed: URL_LOGIN_CODE asks for it; nobody is signed in */
};

/*
 * The one door, for whoever has proved to be u, by a password or a link: makes a new session (any old one
 * ends) and sets its cookie, or, if u has a second factor, gives the browser a ticket to come back with its
 * code.  u: as store_user_get() has it, not disabled.  support: who signs in in u's place; NULL: u.
 * ERR_DENIED: meanwhile the password or the second factor is another, or the user disabled.  Errors of
 * sql/db.h.
 */
enum err auth_sign_in(
    struct visit *v, const struct user *u, const char *support, enum auth_step *step_r) MUST_CHECK;

/*
 * Sign in by password: count, check, and on success auth_sign_in().  The time taken and the answer do not
 * tell whether the user exists.  ERR_DENIED: refused.  ERR_BUSY: too many attempts (attempt.h); *wait_s_r
 * seconds to wait.  Errors of sql/db.h.
 */
enum err auth_login(struct visit *v, const char *email, const char *password, unsigned *wait_s_r,
    enum auth_step *step_r) MUST_CHECK;

/* Whether this browser owes a code.  ERR_NOT_FOUND: it does not, or not any more.  Errors of sql/db.h. */
enum err auth_owes_code(struct visit *v) MUST_CHECK;

/*
 * The code that was owed: the app's, or a recovery code.  v is signed in afterwards.  ERR_NOT_FOUND as above;
 * ERR_DENIED: wrong, or used before; ERR_BUSY: too many attempts, given_r->wait_s seconds to wait;
 * ERR_CRYPTO: it cannot be checked (factor.h).  Errors of sql/db.h.
 */
enum err auth_code(struct visit *v, const char *code, struct factor_given *given_r) MUST_CHECK;

struct auth_proof {
	bool is_password_good; /* then ERR_DENIED is about the code */
	struct factor_given given;
};

/*
 * Let v's user prove once more who they are, before something that a session alone shall not do: the password
 * and, unless code is NULL, a code, which is used up.  Counted as a sign-in.  Errors as auth_code().
 */
enum err auth_prove(
    struct visit *v, const char *password, const char *code, struct auth_proof *proof_r) MUST_CHECK;

/* The way to sign in has changed: v's user gets a new session here and loses all others.  ERR_DENIED: it has
 * changed once more.  Errors of sql/db.h. */
enum err auth_renew(struct visit *v) MUST_CHECK;

/* End the session here and in the browser.  Errors of sql/db.h. */
enum err auth_logout(struct visit *v) MUST_CHECK;

#endif
