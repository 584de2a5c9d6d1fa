/* Running a bulk action: chunk after chunk, each one transaction that moves bulk.done along. */
#include "sql/bulk_sql.h"
#include "sql/job_row.h"
#include "sql/limits.h"
#include "sql/store_bulk.h"
#include "sql/store_log.h"
#include "sql/tx.h"

#include "lib/clock.h"

/* Jobs first + 1 … last of one bulk. */
struct chunk {
	const struct viewer *v;
	const struct bulk *bulk;
	struct arena *arena;
	uint64_t first, last;
	struct db_rows logs; /* of a delete: the jobs whose logs go when the rows are gone */
};

/* "bulk_job r JOIN job j" of the chunk, those with this outcome, still the viewer's to touch. */
#define CHUNK_JOBS "bulk_job r JOIN job j ON j.id = r.job_id "
#define CHUNK_WHERE "WHERE r.bulk_id = ? AND r.n > ? AND r.n <= ? "
#define CHUNK_ARGS(c) db_p_u64((c)->bulk->id), db_p_u64((c)->first), db_p_u64((c)->last)

/* A new job's request key: the same action on the same job makes one job, whatever happens. */
#define RERUN_KEY \
	"UNHEX(MD5(CONCAT((SELECT HEX(b.request_key) FROM bulk b WHERE b.id = r.bulk_id), ':', j.id)))"

/* For an event that is no change of state. */
enum { STATE_AS_IS = -1 };

static struct db_param state_param(int state)
{
	return state < 0 ? db_p_null() : db_p_str(job_state_name((enum job_state)state));
}

static enum err write_event(
    struct db *db, const struct chunk *c, const char *outcome, const char *kind, int from, int to)
{
	return db_exec(db,
	    "INSERT INTO job_event (job_id, account_id, at, kind, from_state, to_state, user_id, detail)"
	    " SELECT j.id, j.account_id, UTC_TIMESTAMP(6), ?, ?, ?, ?, CONCAT('bulk ', r.bulk_id)"
	    " FROM bulk_job r JOIN job j ON j.id = IF(r.outcome = 'requeued', r.other_job_id, "
	    "r.job_id) " CHUNK_WHERE "AND r.outcome = ? ORDER BY r.n",
	    DB_ARGS(db_p_str(kind), state_param(from), state_param(to), db_p_id(c->v->user_id), CHUNK_ARGS(c),
		db_p_str(outcome)),
	    NULL);
}

/* How many of the chunk were given this outcome. */
static enum err count(struct db *db, const struct chunk *c, const char *outcome, uint64_t *count_r)
{
	struct db_rows rows;
	enum err e =
	    db_query_one(db, c->arena, "SELECT COUNT(*) FROM bulk_job r " CHUNK_WHERE "AND r.outcome = ?",
		DB_ARGS(CHUNK_ARGS(c), db_p_str(outcome)), &rows);

	*count_r = e == ERR_OK ? db_u64(&rows, 0, 0) : 0;
	return e;
}

/* A job changed between the verdict and the deed: judge the whole chunk anew. */
static enum err demand_all(struct db *db, const struct chunk *c, const char *outcome, uint64_t changed)
{
	uint64_t wanted;
	enum err e = count(db, c, outcome, &wanted);

	return e == ERR_OK && changed != wanted ? ERR_BUSY : e;
}

/* Each account that gets jobs, in one order, so that two who do the same wait for each other. */
static enum err take_limits(struct db *db, const struct chunk *c)
{
	struct db_rows rows;
	enum err e = db_query(db, c->arena,
	    "SELECT j.account_id, COUNT(*) FROM " CHUNK_JOBS CHUNK_WHERE
	    "AND r.outcome = 'requeued' GROUP BY j.account_id ORDER BY j.account_id",
	    DB_ARGS(CHUNK_ARGS(c)), &rows);

	for (size_t i = 0; e == ERR_OK && i < rows.count; i++)
		e = limits_take(db, db_u64(&rows, i, 0), db_u64(&rows, i, 1));
	return e;
}

static enum err check_hosts(struct db *db, const struct chunk *c)
{
	struct db_rows rows;
	enum err e = db_query(db, c->arena,
	    "SELECT j.id FROM bulk_job r JOIN job j ON j.id = r.other_job_id " CHUNK_WHERE
	    "AND r.outcome = 'requeued' AND NOT " LIMITS_HOST_OK("j.account_id", "j.dst_host") " LIMIT 1",
	    DB_ARGS(CHUNK_ARGS(c)), &rows);

	return e == ERR_OK && rows.count > 0 ? ERR_LIMIT : e;
}

/* Somebody else queued the same mailboxes while we did: judge the whole chunk anew. */
static enum err demand_idle(struct db *db, const struct chunk *c)
{
	struct db_rows rows;
	enum err e = db_query(db, c->arena,
	    "SELECT o.id " JOB_BUSY_AMONG("bulk_job r JOIN job j ON j.id = r.other_job_id") CHUNK_WHERE
	    "AND r.outcome = 'requeued'" JOB_BUSY_LOCK,
	    DB_ARGS(CHUNK_ARGS(c)), &rows);

	return e == ERR_OK && rows.count > 0 ? ERR_BUSY : e;
}

static enum err rerun(struct db *db, const struct chunk *c)
{
	enum bulk_action action = c->bulk->action;
	uint64_t changed;
	enum err e = take_limits(db, c);

	if (e == ERR_OK)
		e = db_exec(db,
		    "INSERT INTO job (" JOB_RERUN_COLUMNS ") SELECT COALESCE(?, j.dry_run), " RERUN_KEY
		    ", j.src_sealed, j.dst_sealed, j.options," JOB_RERUN_OWNER "," JOB_RERUN_VALUES
		    "FROM " CHUNK_JOBS JOB_RERUN_SERVERS CHUNK_WHERE
		    "AND r.outcome = 'requeued' AND" JOB_HAS_IDLE_PASSWORDS "ORDER BY r.n",
		    DB_ARGS(action == BULK_RETRY ? db_p_null() : db_p_u64(action == BULK_DRY_RUN),
			JOB_RERUN_OWNER_ARG(c->v), CHUNK_ARGS(c)),
		    &changed);

	if (e == ERR_OK)
		e = demand_all(db, c, "requeued", changed);
	if (e == ERR_OK)
		e = db_exec(db,
		    "UPDATE " CHUNK_JOBS "JOIN job k FORCE INDEX (job_request) ON k.account_id = "
		    "j.account_id AND k.request_key = " RERUN_KEY " SET r.other_job_id = k.id " CHUNK_WHERE
		    "AND r.outcome = 'requeued'",
		    DB_ARGS(CHUNK_ARGS(c)), NULL);
	if (e == ERR_OK)
		e = check_hosts(db, c);
	if (e == ERR_OK)
		e = demand_idle(db, c);
	return e == ERR_OK ? write_event(db, c, "requeued", "created", -1, JOB_QUEUED) : e;
}

static enum err cancel(struct db *db, const struct chunk *c)
{
	uint64_t changed;
	enum err e = db_exec(db,
	    "UPDATE " CHUNK_JOBS "SET" JOB_CANCEL_SET CHUNK_WHERE
	    "AND r.outcome = 'cancelled' AND j.state = 'queued'",
	    DB_ARGS(db_p_id(c->v->user_id), CHUNK_ARGS(c)), &changed);

	if (e == ERR_OK)
		e = demand_all(db, c, "cancelled", changed);
	if (e == ERR_OK)
		e = write_event(db, c, "cancelled", "cancelled", JOB_QUEUED, JOB_CANCELLED);
	if (e == ERR_OK)
		e = db_exec(db,
		    "UPDATE " CHUNK_JOBS "SET" JOB_CANCEL_WISH_SET CHUNK_WHERE
		    "AND r.outcome = 'stopping' AND j.state = 'running' AND j.cancel_requested_at IS NULL",
		    DB_ARGS(db_p_id(c->v->user_id), CHUNK_ARGS(c)), &changed);
	if (e == ERR_OK)
		e = demand_all(db, c, "stopping", changed);
	return e == ERR_OK ? write_event(db, c, "stopping", "cancel_asked", JOB_RUNNING, JOB_RUNNING) : e;
}

static enum err remove_passwords(struct db *db, const struct chunk *c)
{
	uint64_t changed;
	enum err e = db_exec(db,
	    "UPDATE " CHUNK_JOBS "SET" JOB_PASSWORDS_REMOVED_SET CHUNK_WHERE
	    "AND r.outcome = 'passwords_removed' AND" JOB_HAS_IDLE_PASSWORDS,
	    DB_ARGS(CHUNK_ARGS(c)), &changed);

	if (e == ERR_OK)
		e = demand_all(db, c, "passwords_removed", changed);
	if (e == ERR_OK)
		e = db_exec(db,
		    "DELETE i FROM " CHUNK_JOBS JOB_IMPORT_ROWS CHUNK_WHERE
		    "AND r.outcome = 'passwords_removed'",
		    DB_ARGS(CHUNK_ARGS(c)), NULL);
	return e == ERR_OK
		   ? write_event(db, c, "passwords_removed", "passwords_removed", STATE_AS_IS, STATE_AS_IS)
		   : e;
}

static enum err delete_jobs(struct db *db, struct chunk *c)
{
	uint64_t changed;
	enum err e = db_exec(db,
	    "INSERT INTO job_event (job_id, account_id, at, kind, from_state, user_id, detail)"
	    " SELECT j.id, j.account_id, UTC_TIMESTAMP(6), 'deleted', j.state, ?, CONCAT('bulk ', r.bulk_id)"
	    " FROM " CHUNK_JOBS CHUNK_WHERE "AND r.outcome = 'deleted' ORDER BY r.n",
	    DB_ARGS(db_p_id(c->v->user_id), CHUNK_ARGS(c)), NULL);

	if (e == ERR_OK)
		e = db_query(db, c->arena,
		    "SELECT j.id FROM " CHUNK_JOBS CHUNK_WHERE
		    "AND r.outcome = 'deleted' AND j.log_bytes > 0",
		    DB_ARGS(CHUNK_ARGS(c)), &c->logs);
	if (e == ERR_OK)
		e = db_exec(db,
		    "DELETE j FROM " CHUNK_JOBS CHUNK_WHERE
		    "AND r.outcome = 'deleted' AND j.state <> 'running'",
		    DB_ARGS(CHUNK_ARGS(c)), &changed);
	return e == ERR_OK ? demand_all(db, c, "deleted", changed) : e;
}

static bool is_rerun(enum bulk_action action)
{
	return action == BULK_DRY_RUN || action == BULK_RUN_REAL || action == BULK_RETRY;
}

/* Jobs that may not have ended can change under our eyes: they are held until the transaction is over. */
static enum err judge(struct db *db, const struct chunk *c)
{
	AUTO_QUERY struct query q = QUERY_INIT;
	enum bulk_action action = c->bulk->action;
	struct db_rows rows;
	enum err e = ERR_OK;

	if (!is_rerun(action))
		e = db_query(db, c->arena,
		    "SELECT j.id FROM " CHUNK_JOBS CHUNK_WHERE "ORDER BY r.n FOR UPDATE",
		    DB_ARGS(CHUNK_ARGS(c)), &rows);
	if (e != ERR_OK)
		return e;
	query_add_p(&q, "UPDATE bulk_job r LEFT JOIN job j ON j.id = r.job_id AND (? = 1",
	    db_p_u64(viewer_is_admin(c->v)));
	query_add_p(&q, " OR j.account_id = ?) SET r.outcome = ", db_p_u64(c->v->account_id));
	query_add(&q, bulk_verdict(action));
	query_add(&q, ", r.other_job_id = ");
	query_add(&q, is_rerun(action) ? JOB_BUSY_ID " " : "NULL ");
	query_add_p(&q, "WHERE r.bulk_id = ?", db_p_u64(c->bulk->id));
	query_add_p(&q, " AND r.n > ?", db_p_u64(c->first));
	query_add_p(&q, " AND r.n <= ?", db_p_u64(c->last));
	return db_exec(db, q.sql.data, q.params, q.count, NULL);
}

/* Whoever moves bulk.done from first to last does the chunk.  ERR_LOST: somebody else did. */
static enum err take(struct db *db, const struct chunk *c)
{
	uint64_t changed;
	enum err e = db_exec(db,
	    "UPDATE bulk SET confirmed_at = COALESCE(confirmed_at, UTC_TIMESTAMP(6)), touched_at = "
	    "UTC_TIMESTAMP(6),"
	    " finished_at = IF(? = total, UTC_TIMESTAMP(6), NULL), done = ? WHERE id = ? AND done = ?",
	    DB_ARGS(db_p_u64(c->last), db_p_u64(c->last), db_p_u64(c->bulk->id), db_p_u64(c->first)),
	    &changed);

	return e == ERR_OK && changed != 1 ? ERR_LOST : e;
}

static enum err do_chunk(struct db *db, void *ctx)
{
	struct chunk *c = ctx;
	enum err e = take(db, c);

	c->logs.count = 0;
	if (e == ERR_OK)
		e = judge(db, c);
	if (e != ERR_OK)
		return e;
	switch (c->bulk->action) {
	case BULK_CANCEL: return cancel(db, c);
	case BULK_DELETE: return delete_jobs(db, c);
	case BULK_REMOVE_PASSWORDS: return remove_passwords(db, c);
	default: return rerun(db, c);
	}
}

enum err store_bulk_run(struct db *db, const struct viewer *v, uint64_t id, int64_t budget_ms)
{
	AUTO_ARENA struct arena *a = arena_new();
	mono_time begun = mono_now();
	enum err e = ERR_OK;

	while (e == ERR_OK) {
		struct bulk b;
		struct chunk c = {.v = v, .bulk = &b, .arena = a};

		arena_reset(a);
		e = store_bulk_get(db, a, v, id, &b);
		if (e == ERR_OK && b.is_expired)
			return ERR_CONFLICT;
		if (e != ERR_OK || b.done >= b.total || mono_diff_ms(begun, mono_now()) > budget_ms)
			break;
		c.first = b.done;
		c.last = b.done + BULK_CHUNK < b.total ? b.done + BULK_CHUNK : b.total;
		e = tx_run(db, do_chunk, &c);
		if (e == ERR_LOST) /* the same request at the same moment: let the other one finish */
			return ERR_OK;
		for (size_t i = 0; e == ERR_OK && i < c.logs.count; i++)
			e = store_log_delete(db, db_u64(&c.logs, i, 0));
	}
	return e;
}
