/*
 * What slows who guesses passwords and codes.
 *
 * A password is counted three ways: by address; by user and address; and, much more loosely, by user alone,
 * so that many addresses together do not guess without end.  A browser that once signed in as this user is
 * recognised (by a cookie bound to the password's hash and the second factor) and counted apart, so that
 * strangers' guessing delays strangers alone.
 *
 * Codes of a second factor are counted by user, known browsers and others apart, ten a day: only who has the
 * password gets as far, so no stranger can use them up; and who has stolen it cannot keep the owner's own
 * browser out.  A new password begins a new count.  Recovery codes are too long to be guessed and are not
 * counted.
 */
#ifndef MCV_FCGI_ATTEMPT_H
#define MCV_FCGI_ATTEMPT_H

#include <stdbool.h>

#include "fcgi/visit.h"
#include "lib/err.h"
#include "sql/store_throttle.h"
#include "sql/store_user.h"

enum { ATTEMPT_KEYS = 3 };

struct attempt {
	struct {
		enum throttle_kind kind;
		const char *key; /* NULL: does not count */
		struct throttle_rule rule;
	} by[ATTEMPT_KEYS];
	const char *code_key;
};

/* Who tries; u->id 0: there is no such user. */
void attempt_describe(struct visit *v, const char *email, const struct user *u, struct attempt *at_r);

/* ERR_BUSY: too many passwords were tried; *wait_s_r seconds to wait.  Errors of sql/db.h. */
enum err attempt_check(struct visit *v, const struct attempt *at, unsigned *wait_s_r) MUST_CHECK;

/*
 * Count a failure.  That follows the check without a lock in between, so that as many attempts as there are
 * web processes may slip through at once; no more.  Errors of sql/db.h.
 */
enum err attempt_count(struct visit *v, const struct attempt *at) MUST_CHECK;

/* The same for a code. */
enum err attempt_check_code(struct visit *v, const struct attempt *at, unsigned *wait_s_r) MUST_CHECK;
enum err attempt_count_code(struct visit *v, const struct attempt *at) MUST_CHECK;

/* Signed in: forget what this user failed at from here.  Errors of sql/db.h. */
enum err attempt_forget(struct visit *v, const struct attempt *at) MUST_CHECK;

/* Let the browser be recognised from now on as one that signed in as this user. */
void attempt_know_browser(struct visit *v, const struct user *u);

#endif
