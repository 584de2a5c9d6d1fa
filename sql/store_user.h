/*
 * Users: those who sign in.  E-mail addresses are kept in lower case and compared so.  Errors of sql/db.h are
 * not repeated.
 */
#ifndef MCV_SQL_STORE_USER_H
#define MCV_SQL_STORE_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/viewer.h"

struct user {
	uint64_t id;
	uint64_t account_id;
	const char *account_name;
	const char *email;
	const char *password_hash; /* crypt(5) format; NULL in lists */
	bool has_password;         /* false: invited, has not chosen one yet */
	enum role role;
	bool mail_on_done, mail_on_failed;
	int64_t disabled_at;          /* seconds since 1970 UTC, 0 = not */
	int64_t account_suspended_at; /* the same of the account */
	int64_t account_closed_at;    /* the same, for good */
	int64_t second_factor_at;     /* since when signing in takes a code, too; 0 = it does not */
	int64_t last_login_at, jobs_seen_at, created_at;
};

/* For login; also finds disabled users and those of suspended accounts: look at both moments.  ERR_NOT_FOUND.
 */
enum err store_user_by_email(
    struct db *db, struct arena *a, const char *email, struct user *user_r) MUST_CHECK;

/* By id, whoever asks: for administrators, the command line, and users about themselves.  ERR_NOT_FOUND. */
enum err store_user_get(struct db *db, struct arena *a, uint64_t id, struct user *user_r) MUST_CHECK;

/* email: 3 to 254 characters with an @, no space or control character.  ERR_INVALID; ERR_CONFLICT: the
 * address is taken; ERR_NOT_FOUND: there is no such account, or it is closed. */
enum err store_user_create(struct db *db, uint64_t account_id, const char *email, const char *password_hash,
    enum role role, uint64_t *id_r) MUST_CHECK;

/* Ends all sessions, sign-ins that wait for a code, and one-time links of the user, and mails that would
 * bring one, in the same transaction.  ERR_NOT_FOUND. */
enum err store_user_set_password(struct db *db, uint64_t id, const char *password_hash) MUST_CHECK;

/* All users of account_id (0 = of all accounts), by address. */
enum err store_user_list(
    struct db *db, struct arena *a, uint64_t account_id, struct user **list_r, size_t *count_r) MUST_CHECK;

/* The viewer looks at the jobs list now: holds back mails about what they see (written at most once a
 * second).
 */
enum err store_user_jobs_seen(struct db *db, const struct viewer *v) MUST_CHECK;

/* The viewer's own choice: mail about what ended well, about what failed or was interrupted. */
enum err store_user_set_mail(struct db *db, const struct viewer *v, bool on_done, bool on_failed) MUST_CHECK;

#endif
