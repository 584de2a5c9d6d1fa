#include "sql/store_throttle.h"

#include "lib/arena.h"

/* Folded by the same hand as the address of a user that is looked up: one user is one key, however written.
 */
#define KEY "UNHEX(SHA2(LOWER(?), 256))"

enum err store_throttle_check(struct db *db, enum throttle_kind kind, const char *key, unsigned *wait_s_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query(db, a,
	    "SELECT CEIL(TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), blocked_until) / 1000000)"
	    " FROM login_throttle WHERE kind = ? AND key_hash = " KEY " AND blocked_until > UTC_TIMESTAMP(6)",
	    DB_ARGS(db_p_u64(kind), db_p_str(key)), &rows);

	if (e != ERR_OK)
		return e;
	*wait_s_r = rows.count > 0 ? (unsigned)db_i64(&rows, 0, 0) : 0;
	return ERR_OK;
}

/*
 * MariaDB assigns from left to right, each assignment seeing those before it: blocked_until is judged with
 * the new failures, and failures with the old window_start.  A block that has been served ends its window
 * too.
 */
enum err store_throttle_count(struct db *db, enum throttle_kind kind, const char *key,
    const struct throttle_rule *rule, unsigned *wait_s_r)
{
	enum err e = db_exec(db,
	    "INSERT INTO login_throttle (kind, key_hash, failures, window_start, blocked_until)"
	    " VALUES (?, " KEY ", 1, UTC_TIMESTAMP(6),"
	    " IF(? <= 1, UTC_TIMESTAMP(6) + INTERVAL ? SECOND, NULL))"
	    " ON DUPLICATE KEY UPDATE"
	    " failures = IF(window_start < UTC_TIMESTAMP(6) - INTERVAL ? SECOND"
	    " OR blocked_until <= UTC_TIMESTAMP(6), 1, failures + 1),"
	    " window_start = IF(failures = 1, UTC_TIMESTAMP(6), window_start),"
	    " blocked_until = IF(failures >= ?, UTC_TIMESTAMP(6) + INTERVAL ? SECOND,"
	    " IF(blocked_until <= UTC_TIMESTAMP(6), NULL, blocked_until))",
	    DB_ARGS(db_p_u64(kind), db_p_str(key), db_p_u64(rule->failures_max), db_p_u64(rule->block_s),
		db_p_u64(rule->window_s), db_p_u64(rule->failures_max), db_p_u64(rule->block_s)),
	    NULL);

	if (e != ERR_OK || wait_s_r == NULL)
		return e;
	return store_throttle_check(db, kind, key, wait_s_r);
}

enum err store_throttle_reset(struct db *db, enum throttle_kind kind, const char *key)
{
	return db_exec(db, "DELETE FROM login_throttle WHERE kind = ? AND key_hash = " KEY,
	    DB_ARGS(db_p_u64(kind), db_p_str(key)), NULL);
}

enum err store_throttle_purge(struct db *db)
{
	return db_exec(db,
	    "DELETE FROM login_throttle WHERE window_start < UTC_TIMESTAMP(6) - INTERVAL 1 DAY"
	    " AND (blocked_until IS NULL OR blocked_until < UTC_TIMESTAMP(6)) LIMIT 500",
	    DB_NONE, NULL);
}
