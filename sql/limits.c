#include "sql/limits.h"

#include "lib/arena.h"

enum err limits_take(struct db *db, uint64_t account_id, uint64_t count)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	uint64_t changed;
	enum err e = db_exec(db,
	    "UPDATE account SET made_count = IF(made_on <=> UTC_DATE(), made_count, 0) + ?, made_on = "
	    "UTC_DATE()"
	    " WHERE id = ? AND (max_queued IS NOT NULL OR max_daily IS NOT NULL)",
	    DB_ARGS(db_p_u64(count), db_p_u64(account_id)), &changed);

	if (e != ERR_OK || changed == 0 || count == 0)
		return e;
	e = db_query_one(db, a,
	    "SELECT COALESCE(made_count > max_daily, 0) OR COALESCE(? + (SELECT COUNT(*) FROM job j WHERE"
	    " j.account_id = account.id AND j.state = 'queued') > max_queued, 0) FROM account WHERE id = ?",
	    DB_ARGS(db_p_u64(count), db_p_u64(account_id)), &rows);
	if (e != ERR_OK)
		return e;
	return db_u64(&rows, 0, 0) != 0 ? ERR_LIMIT : ERR_OK;
}

static enum err judge(struct db *db, const char *sql, uint64_t id)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query(db, a, sql, DB_ARGS(db_p_u64(id)), &rows);

	if (e != ERR_OK)
		return e;
	return rows.count > 0 ? ERR_LIMIT : ERR_OK;
}

#define REFUSED " AND NOT " LIMITS_HOST_OK("j.account_id", "j.dst_host") " LIMIT 1"

enum err limits_running(struct db *db, uint64_t account_id)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT IF(a.max_running IS NULL, 0, (SELECT COUNT(*) FROM job j FORCE INDEX (job_queue)"
	    " WHERE j.state = 'running' AND j.account_id = a.id) > a.max_running) FROM account a WHERE a.id "
	    "= ?",
	    DB_ARGS(db_p_u64(account_id)), &rows);

	return e == ERR_OK && db_u64(&rows, 0, 0) != 0 ? ERR_LIMIT : e;
}

enum err limits_job_host(struct db *db, uint64_t job_id)
{
	return judge(db, "SELECT j.id FROM job j WHERE j.id = ?" REFUSED, job_id);
}

enum err limits_batch_hosts(struct db *db, uint64_t batch_id)
{
	return judge(db, "SELECT j.id FROM job j WHERE j.batch_id = ?" REFUSED, batch_id);
}

enum err limits_may_delete2(struct db *db, uint64_t account_id)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query(db, a,
	    "SELECT id FROM account WHERE id = ? AND may_delete2 AND suspended_at IS NULL LOCK IN SHARE MODE",
	    DB_ARGS(db_p_u64(account_id)), &rows);

	if (e != ERR_OK)
		return e;
	return rows.count == 1 ? ERR_OK : ERR_DENIED;
}
