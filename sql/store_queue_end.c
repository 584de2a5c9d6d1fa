/* How claims end: finish by the owner, rescue by others; and the permits they hold. */
#include "sql/store_queue.h"

#include <string.h>

#include "sql/job_row.h"
#include "sql/tx.h"

enum { TEXT_MAX_CHARS = 1000, RESCUE_MAX = 1000 };

struct end {
	const struct queue_token *token;
	const struct queue_ending *ending;
	struct arena *arena;
	bool is_rescue;
	bool is_expired_only; /* of a rescue: not if the lease was renewed meanwhile */
	bool was_done;        /* set: nothing had to be done */
};

static struct db_param code_param(int64_t v, int64_t none)
{
	return v == none ? db_p_null() : db_p_i64(v);
}

static enum err update_job(struct db *db, const struct end *end, uint64_t *changed_r)
{
	AUTO_QUERY struct query q = QUERY_INIT;
	const struct queue_ending *g = end->ending;
	struct arena *a = end->arena;
	const char *action = g->reason_action != NULL ? g->reason_action : "none";

	query_add_p(&q, "UPDATE job SET state = ?", db_p_str(job_state_name(g->state)));
	query_add_p(&q, ", exit_code = ?", code_param(g->exit_code, -1));
	query_add_p(&q, ", exit_signal = ?", code_param(g->exit_signal, 0));
	query_add_p(&q, ", reason = ?", db_p_str(g->reason));
	query_add_p(&q, ", reason_text = ?", db_p_str(text_clean(a, g->reason_text, TEXT_MAX_CHARS)));
	query_add_p(&q, ", reason_detail = ?", db_p_str(text_clean(a, g->reason_detail, TEXT_MAX_CHARS)));
	query_add_p(&q, ", reason_action = ?", db_p_str(action));
	query_add_p(&q, ", log_errors = COALESCE(?, log_errors)", db_p_count(g->log_errors));
	query_add_p(&q, ", log_warnings = COALESCE(?, log_warnings)", db_p_count(g->log_warnings));
	if (g->counters != NULL) {
		query_add(&q, "," JOB_COUNTERS_SET);
		job_counters_params(
		    g->counters, text_clean(a, g->counters->folder_current, 255), &q.params[q.count]);
		q.count += JOB_COUNTERS_COUNT;
		query_add(&q, ", progress_at = UTC_TIMESTAMP(6)");
	}
	/* a real run's is what was confirmed */
	query_add_p(
	    &q, ", delete2_digest = IF(delete2 AND dry_run, ?, delete2_digest)", db_p_str(g->delete2_digest));
	if (g->verify != NULL) {
		query_add(&q, "," JOB_VERIFY_SET);
		job_verify_params(g->verify, a, &q.params[q.count]);
		q.count += JOB_VERIFY_COUNT;
	} else {
		query_add(&q, ", verify_state = IF(verify_state = 'running', 'unverified', verify_state)");
	}
	/* The owner signs; a rescued job stays unsigned, so that its late owner learns that it lost. */
	query_add_p(&q, ", finish_token = ?",
	    end->is_rescue ? db_p_null() : db_p_blob(end->token->bytes, JOB_TOKEN_BYTES));
	query_add_p(&q,
	    ", claim_token = NULL, lease_until = NULL, finished_at = UTC_TIMESTAMP(6),"
	    " updated_at = UTC_TIMESTAMP(6) WHERE id = ?",
	    db_p_u64(end->token->job_id));
	query_add_p(
	    &q, " AND state = 'running' AND claim_token = ?", db_p_blob(end->token->bytes, JOB_TOKEN_BYTES));
	if (end->is_expired_only)
		query_add(&q, " AND lease_until < UTC_TIMESTAMP(6)");
	return db_exec(db, q.sql.data, q.params, q.count, changed_r);
}

/* What became of a deletion that somebody confirmed stays in the trail when the job is gone. */
static enum err audit_deletion(struct db *db, uint64_t job_id)
{
	return db_exec(db,
	    "INSERT INTO audit (at, account_id, user_id, action, object, detail)"
	    " SELECT UTC_TIMESTAMP(6), account_id, owner_user_id, 'delete2_end', CONCAT('job ', id),"
	    " CONCAT(state, ' (', reason, '): ', COALESCE(messages_deleted, 'unknown how many'), ' of at "
	    "most ',"
	    " max_delete, ' messages deleted of ', dst_user, ' on ', dst_host, ':', dst_port)"
	    " FROM job WHERE id = ? AND max_delete IS NOT NULL",
	    DB_ARGS(db_p_u64(job_id)), NULL);
}

/* Slot first, then job, as in a claim: the same order everywhere, so that claims and ends do not deadlock. */
static enum err end_job(struct db *db, void *ctx)
{
	struct end *end = ctx;
	const struct event ev = {.job_id = end->token->job_id,
	    .kind = end->is_rescue ? "rescued" : "finished",
	    .from = JOB_RUNNING,
	    .to = (int)end->ending->state,
	    .detail = end->ending->reason};
	uint64_t changed;
	enum err e = db_exec(db,
	    "UPDATE run_slot SET job_id = NULL, claim_token = NULL"
	    " WHERE kind = 'global' AND job_id = ? AND claim_token = ?",
	    DB_ARGS(db_p_u64(end->token->job_id), db_p_blob(end->token->bytes, JOB_TOKEN_BYTES)), NULL);

	if (e != ERR_OK)
		return e;
	e = update_job(db, end, &changed);
	if (e != ERR_OK)
		return e;
	if (changed != 1)
		return ERR_LOST;
	e = event_add(db, &ev);
	if (e == ERR_OK)
		e = audit_deletion(db, ev.job_id);
	return e == ERR_OK ? store_outbox_job_ended(db, end->arena, ev.job_id, &end->ending->mail) : e;
}

enum err store_queue_finish(struct db *db, const struct queue_token *t, const struct queue_ending *ending)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e;

	if (!job_state_is_ended(ending->state) || ending->reason == NULL)
		return ERR_INVALID;
	e = tx_run(db, end_job, &(struct end){.token = t, .ending = ending, .arena = a});
	if (e != ERR_LOST)
		return e;
	/* Perhaps it was we who ended it, and the answer was lost. */
	e = db_query_one(db, a, "SELECT id FROM job WHERE id = ? AND finish_token = ?",
	    DB_ARGS(db_p_u64(t->job_id), db_p_blob(t->bytes, JOB_TOKEN_BYTES)), &rows);
	return e == ERR_NOT_FOUND ? ERR_LOST : e;
}

static enum err rescue(struct db *db, struct arena *a, const struct db_rows *rows,
    const struct queue_ending *ending, bool is_expired_only, unsigned *count_r)
{
	for (size_t i = 0; i < rows->count; i++) {
		struct queue_token t = {.job_id = db_u64(rows, i, 0)};
		struct end end = {.token = &t,
		    .ending = ending,
		    .arena = a,
		    .is_rescue = true,
		    .is_expired_only = is_expired_only};
		size_t len;
		const void *token = db_blob(rows, i, 1, &len);
		enum err e;

		if (len != JOB_TOKEN_BYTES)
			return ERR_INTERNAL;
		memcpy(t.bytes, token, len);
		e = tx_run(db, end_job, &end);
		if (e == ERR_OK)
			(*count_r)++;
		else if (e != ERR_LOST) /* lost: its owner, or another rescuer, was faster */
			return e;
	}
	return ERR_OK;
}

enum err store_queue_rescue_worker(
    struct db *db, uint64_t worker_id, const struct queue_ending *ending, unsigned *count_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e;

	*count_r = 0;
	if (!job_state_is_ended(ending->state) || ending->reason == NULL)
		return ERR_INVALID;
	e = db_query(db, a,
	    "SELECT id, claim_token FROM job WHERE worker_id = ? AND state = 'running' ORDER BY id LIMIT ?",
	    DB_ARGS(db_p_u64(worker_id), db_p_u64(RESCUE_MAX)), &rows);
	return e == ERR_OK ? rescue(db, a, &rows, ending, false, count_r) : e;
}

enum err store_queue_rescue_expired(struct db *db, const struct queue_ending *ending, unsigned *count_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e;

	*count_r = 0;
	if (!job_state_is_ended(ending->state) || ending->reason == NULL)
		return ERR_INVALID;
	e = db_query(db, a,
	    "SELECT id, claim_token FROM job WHERE lease_until < UTC_TIMESTAMP(6) AND state = 'running'"
	    " ORDER BY lease_until LIMIT ?",
	    DB_ARGS(db_p_u64(RESCUE_MAX)), &rows);
	return e == ERR_OK ? rescue(db, a, &rows, ending, true, count_r) : e;
}

enum err store_queue_slots(struct db *db, unsigned *total_r, unsigned *used_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT COUNT(*), COUNT(job_id) FROM run_slot WHERE kind = 'global' AND owner = 0", DB_NONE,
	    &rows);

	if (e != ERR_OK)
		return e;
	*total_r = (unsigned)db_u64(&rows, 0, 0);
	*used_r = (unsigned)db_u64(&rows, 0, 1);
	return ERR_OK;
}

struct slots {
	unsigned wanted;
	struct arena *arena;
};

static enum err set_slots(struct db *db, void *ctx)
{
	const struct slots *s = ctx;
	struct db_rows rows;
	uint64_t total, n = 0;
	enum err e = db_query(db, s->arena,
	    "SELECT n FROM run_slot WHERE kind = 'global' AND owner = 0 ORDER BY n FOR UPDATE", DB_NONE,
	    &rows);

	if (e != ERR_OK)
		return e;
	total = rows.count;
	for (size_t i = 0; i < rows.count || total < s->wanted;) {
		n++;
		if (i < rows.count && db_u64(&rows, i, 0) == n) {
			i++;
			continue;
		}
		if (total >= s->wanted)
			continue;
		e = db_exec(db, "INSERT INTO run_slot (kind, owner, n) VALUES ('global', 0, ?)",
		    DB_ARGS(db_p_u64(n)), NULL);
		if (e != ERR_OK)
			return e;
		total++;
	}
	if (total > s->wanted)
		e = db_exec(db,
		    "DELETE FROM run_slot WHERE kind = 'global' AND owner = 0 AND job_id IS NULL ORDER BY n "
		    "DESC LIMIT ?",
		    DB_ARGS(db_p_u64(total - s->wanted)), NULL);
	return e;
}

enum err store_queue_slots_set(struct db *db, unsigned wanted, unsigned *total_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	unsigned used;
	enum err e;

	if (wanted > QUEUE_SLOTS_MAX)
		return ERR_INVALID;
	e = tx_run(db, set_slots, &(struct slots){.wanted = wanted, .arena = a});
	return e == ERR_OK ? store_queue_slots(db, total_r, &used) : e;
}

enum err store_queue_depth(struct db *db, struct queue_depth *depth_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT COALESCE(SUM(j.state = 'queued' AND a.suspended_at IS NULL), 0),"
	    " COALESCE(SUM(j.state = 'queued' AND a.suspended_at IS NOT NULL), 0),"
	    " COALESCE(SUM(j.state = 'running'), 0),"
	    " COALESCE(TIMESTAMPDIFF(SECOND, MIN(IF(j.state = 'queued' AND a.suspended_at IS NULL, "
	    "j.queued_at, NULL)),"
	    " UTC_TIMESTAMP(6)), 0)"
	    " FROM job j JOIN account a ON a.id = j.account_id WHERE j.state IN ('queued', 'running')",
	    DB_NONE, &rows);

	if (e != ERR_OK)
		return e;
	*depth_r = (struct queue_depth){
	    .queued = db_u64(&rows, 0, 0),
	    .held = db_u64(&rows, 0, 1),
	    .running = db_u64(&rows, 0, 2),
	    .oldest_s = db_i64(&rows, 0, 3),
	};
	return ERR_OK;
}
