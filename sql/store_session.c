#include "sql/store_session.h"

#include <string.h>

#include "sql/tx.h"

enum { TOUCH_S = 30, ADDRESS_MAX_CHARS = 64, AGENT_MAX_CHARS = 255 };

struct beginning {
	const uint8_t *id_hash;
	const struct user *u;
	unsigned max_s;
	const char *address, *user_agent, *support;
};

/* Whether what the user proved is still what is asked of them.  Their row is written before: whoever changes
 * it, or begins to ask for a second factor, comes before this or ends the session after it. */
static enum err check_unchanged(struct db *db, struct arena *a, const struct user *u)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT u.password_hash = ? AND u.disabled_at IS NULL, f.created_at FROM user u"
	    " LEFT JOIN second_factor f ON f.user_id = u.id WHERE u.id = ?",
	    DB_ARGS(db_p_str(u->password_hash), db_p_u64(u->id)), &rows);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_DENIED : e;
	return db_i64(&rows, 0, 0) != 0 && db_time_s(&rows, 0, 1) == u->second_factor_at ? ERR_OK
											 : ERR_DENIED;
}

static enum err begin(struct db *db, void *ctx)
{
	AUTO_ARENA struct arena *a = arena_new_clean();
	const struct beginning *b = ctx;
	enum err e = db_exec(db, "UPDATE user SET last_login_at = UTC_TIMESTAMP(6) WHERE id = ?",
	    DB_ARGS(db_p_u64(b->u->id)), NULL);

	if (e == ERR_OK)
		e = check_unchanged(db, a, b->u);
	if (e != ERR_OK)
		return e;
	return db_exec(db,
	    "INSERT INTO session (id_hash, user_id, created_at, last_seen_at, expires_at, address, "
	    "user_agent, support)"
	    " VALUES (?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL ? SECOND, ?, ?, "
	    "?)",
	    DB_ARGS(db_p_blob(b->id_hash, SESSION_HASH_BYTES), db_p_u64(b->u->id), db_p_u64(b->max_s),
		db_p_str(text_clean(a, b->address, ADDRESS_MAX_CHARS)),
		db_p_str(text_clean(a, b->user_agent, AGENT_MAX_CHARS)), db_p_str(b->support)),
	    NULL);
}

enum err store_session_create(struct db *db, const uint8_t id_hash[SESSION_HASH_BYTES], const struct user *u,
    unsigned max_s, const char *address, const char *user_agent, const char *support)
{
	return tx_run(db, begin,
	    &(struct beginning){.id_hash = id_hash,
		.u = u,
		.max_s = max_s,
		.address = address,
		.user_agent = user_agent,
		.support = support});
}

enum err store_session_touch(struct db *db, struct arena *a, const uint8_t id_hash[SESSION_HASH_BYTES],
    unsigned idle_s, struct session *session_r)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT u.id, u.account_id, u.role, u.email, a.name, s.created_at, s.expires_at,"
	    " s.last_seen_at < UTC_TIMESTAMP(6) - INTERVAL ? SECOND, a.suspended_at IS NOT NULL,"
	    " a.panel_origins, s.support"
	    " FROM session s JOIN user u ON u.id = s.user_id JOIN account a ON a.id = u.account_id"
	    " WHERE s.id_hash = ? AND s.expires_at > UTC_TIMESTAMP(6)"
	    " AND s.last_seen_at > UTC_TIMESTAMP(6) - INTERVAL ? SECOND"
	    " AND u.disabled_at IS NULL",
	    DB_ARGS(db_p_u64(TOUCH_S), db_p_blob(id_hash, SESSION_HASH_BYTES), db_p_u64(idle_s)), &rows);

	if (e != ERR_OK)
		return e;
	if (db_i64(&rows, 0, 7) != 0) {
		e = db_exec(db, "UPDATE session SET last_seen_at = UTC_TIMESTAMP(6) WHERE id_hash = ?",
		    DB_ARGS(db_p_blob(id_hash, SESSION_HASH_BYTES)), NULL);
		/* Whether it was written or not, they are signed in. */
		if (e != ERR_OK && e != ERR_BUSY && e != ERR_UNCERTAIN && e != ERR_FULL)
			return e;
	}
	*session_r = (struct session){
	    .viewer =
		{
		    .user_id = db_u64(&rows, 0, 0),
		    .account_id = db_u64(&rows, 0, 1),
		    .role = strcmp(db_str(&rows, 0, 2), "admin") == 0 ? ROLE_ADMIN : ROLE_MEMBER,
		},
	    .email = db_str(&rows, 0, 3),
	    .account_name = db_str(&rows, 0, 4),
	    .panel_origins = db_str(&rows, 0, 9),
	    .support = db_str(&rows, 0, 10),
	    .is_suspended = db_u64(&rows, 0, 8) != 0,
	    .created_at = db_time_s(&rows, 0, 5),
	    .expires_at = db_time_s(&rows, 0, 6),
	};
	return ERR_OK;
}

enum err store_session_delete(struct db *db, const uint8_t id_hash[SESSION_HASH_BYTES])
{
	return db_exec(db, "DELETE FROM session WHERE id_hash = ?",
	    DB_ARGS(db_p_blob(id_hash, SESSION_HASH_BYTES)), NULL);
}

enum err store_session_delete_all(struct db *db, uint64_t user_id, const uint8_t *keep)
{
	return db_exec(db, "DELETE FROM session WHERE user_id = ? AND (? IS NULL OR id_hash <> ?)",
	    DB_ARGS(
		db_p_u64(user_id), db_p_blob(keep, SESSION_HASH_BYTES), db_p_blob(keep, SESSION_HASH_BYTES)),
	    NULL);
}

enum err store_session_purge(struct db *db, unsigned idle_s, uint64_t *removed_r)
{
	return db_exec(db,
	    "DELETE FROM session WHERE expires_at < UTC_TIMESTAMP(6)"
	    " OR last_seen_at < UTC_TIMESTAMP(6) - INTERVAL ? SECOND LIMIT 500",
	    DB_ARGS(db_p_u64(idle_s)), removed_r);
}
