/*
 * Signed-in sessions.  The cookie holds 256 random bits; here only their SHA-256 is kept.  Both limits are
 * judged in SQL by the database's clock.  Errors of sql/db.h are not repeated.
 */
#ifndef MCV_SQL_STORE_SESSION_H
#define MCV_SQL_STORE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/store_user.h"
#include "sql/viewer.h"

enum { SESSION_HASH_BYTES = 32 };

struct session {
	struct viewer viewer;
	const char *email;
	const char *account_name;
	const char *panel_origins;      /* the account's, as stored; may be NULL */
	const char *support;            /* who is here in the user's place; NULL: the user */
	bool is_suspended;              /* the account: look, stop, start nothing */
	int64_t created_at, expires_at; /* seconds since 1970 UTC */
};

/*
 * A session for u, who has proved to be what was read into it (sql/store_user.h), and last_login_at.  max_s:
 * seconds until it ends whatever happens.  address and user_agent may be NULL, and are cut to 64 and 255
 * characters.  support: who signs in in the user's place; NULL: the user.  ERR_DENIED: meanwhile the password
 * or the second factor is another, or the user is disabled or gone.  ERR_CONFLICT: the hash exists.
 */
enum err store_session_create(struct db *db, const uint8_t id_hash[SESSION_HASH_BYTES], const struct user *u,
    unsigned max_s, const char *address, const char *user_agent, const char *support) MUST_CHECK;

/*
 * Who holds this session, and note that they were here (written at most every 30 s).  ERR_NOT_FOUND: no such
 * session, unused for idle_s seconds, past its end, or the user disabled.
 */
enum err store_session_touch(struct db *db, struct arena *a, const uint8_t id_hash[SESSION_HASH_BYTES],
    unsigned idle_s, struct session *session_r) MUST_CHECK;

/* Sign out.  ERR_OK also when there is none. */
enum err store_session_delete(struct db *db, const uint8_t id_hash[SESSION_HASH_BYTES]) MUST_CHECK;

/* All of a user; keep (may be NULL) stays. */
enum err store_session_delete_all(struct db *db, uint64_t user_id, const uint8_t *keep) MUST_CHECK;

/* Remove the ended ones (at most 500 a call). */
enum err store_session_purge(struct db *db, unsigned idle_s, uint64_t *removed_r) MUST_CHECK;

#endif
