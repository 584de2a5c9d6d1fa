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

#include "fcgi/route.h"
#include "fcgi/visit.h"
#include "lib/err.h"

/*
 * Fill signed_in, viewer, email and csrf of v from its session cookie.  ERR_OK also when there is no session
 * or it is over; errors of sql/db.h.
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

/*
 * Sign in: count, check, and on success make a new session (any old one ends) and set its cookie.  The time
 * taken and the answer do not tell whether the user exists.  v is signed in afterwards. ERR_DENIED: refused.
 * ERR_BUSY: too many attempts; *wait_s_r seconds to wait.  Errors of sql/db.h.
 *
 * Attempts are counted by address and by user.  A browser that once signed in as this user is recognised (by
 * a cookie bound to the password's hash) and counted apart, so that strangers' guessing delays strangers
 * alone.
 */
enum err auth_login(struct visit *v, const char *email, const char *password, unsigned *wait_s_r) MUST_CHECK;

/* End the session here and in the browser.  Errors of sql/db.h. */
enum err auth_logout(struct visit *v) MUST_CHECK;

#endif
