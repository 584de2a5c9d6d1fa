#include "sql/store_bulk.h"

#include <string.h>

#include "sql/bulk_sql.h"
#include "sql/job_filter.h"
#include "sql/job_row.h"
#include "sql/tx.h"

enum { SWEEP_MAX = 3 }; /* old bulks a question takes away */

static const char *const actions[BULK_ACTION__MAX] = {
    [BULK_DRY_RUN] = "dry_run",
    [BULK_RUN_REAL] = "run_real",
    [BULK_RETRY] = "retry",
    [BULK_CANCEL] = "cancel",
    [BULK_DELETE] = "delete",
    [BULK_REMOVE_PASSWORDS] = "remove_passwords",
};

static const char *const outcomes[BULK_OUTCOME__MAX] = {
    [BULK_REQUEUED] = "requeued",
    [BULK_CANCELLED] = "cancelled",
    [BULK_STOPPING] = "stopping",
    [BULK_DELETED] = "deleted",
    [BULK_PASSWORDS_REMOVED] = "passwords_removed",
    [BULK_NOT_ENDED] = "not_ended",
    [BULK_MAILBOXES_BUSY] = "mailboxes_busy",
    [BULK_OLDER_RUN] = "older_run",
    [BULK_NEEDS_PASSWORDS] = "needs_passwords",
    [BULK_NO_PASSWORDS] = "no_passwords",
    [BULK_ENDED] = "ended",
    [BULK_STOPPING_ALREADY] = "stopping_already",
    [BULK_RUNNING] = "running",
    [BULK_DELETES] = "deletes",
    [BULK_GONE] = "gone",
};

static enum err parse(const char *const *words, unsigned count, const char *name, unsigned *i_r)
{
	for (unsigned i = 0; name != NULL && i < count; i++)
		if (strcmp(words[i], name) == 0) {
			*i_r = i;
			return ERR_OK;
		}
	return ERR_INVALID;
}

const char *bulk_action_name(enum bulk_action action)
{
	return (unsigned)action < BULK_ACTION__MAX ? actions[action] : "unknown";
}

enum err bulk_action_parse(const char *name, enum bulk_action *action_r)
{
	unsigned i = 0;
	enum err e = parse(actions, BULK_ACTION__MAX, name, &i);

	if (e == ERR_OK)
		*action_r = (enum bulk_action)i;
	return e;
}

const char *bulk_outcome_name(enum bulk_outcome o)
{
	return (unsigned)o < BULK_OUTCOME__MAX ? outcomes[o] : "unknown";
}

enum err bulk_outcome_parse(const char *name, enum bulk_outcome *o_r)
{
	unsigned i = 0;
	enum err e = parse(outcomes, BULK_OUTCOME__MAX, name, &i);

	if (e == ERR_OK)
		*o_r = (enum bulk_outcome)i;
	return e;
}

bool bulk_outcome_touches(enum bulk_outcome o)
{
	return o <= BULK_PASSWORDS_REMOVED;
}

const char *bulk_verdict(enum bulk_action action)
{
	switch (action) {
	case BULK_CANCEL:
		return "CASE WHEN j.id IS NULL THEN 'gone' WHEN j.state = 'queued' THEN 'cancelled'"
		       " WHEN j.state <> 'running' THEN 'ended'"
		       " WHEN j.cancel_requested_at IS NULL THEN 'stopping' ELSE 'stopping_already' END";
	case BULK_DELETE:
		return "CASE WHEN j.id IS NULL THEN 'gone' WHEN j.state = 'running' THEN 'running'"
		       " ELSE 'deleted' END";
	case BULK_REMOVE_PASSWORDS:
		return "CASE WHEN j.id IS NULL THEN 'gone' WHEN j.state IN ('queued', 'running') THEN "
		       "'not_ended'"
		       " WHEN j.passwords_removed_at IS NOT NULL THEN 'no_passwords'"
		       " ELSE 'passwords_removed' END";
	default:
		return "CASE WHEN j.id IS NULL THEN 'gone' WHEN j.state IN ('queued', 'running') THEN "
		       "'not_ended' WHEN j.delete2 THEN 'deletes'"
		       " WHEN " JOB_BUSY_ID " IS NOT NULL THEN 'mailboxes_busy'"
		       " WHEN r.is_last = 0 THEN 'older_run'"
		       " WHEN j.passwords_removed_at IS NOT NULL THEN 'needs_passwords' ELSE 'requeued' END";
	}
}

/* One question, being written. */
struct asking {
	const struct viewer *v;
	const struct bulk_question *q;
	struct arena *arena;
	uint64_t id;
};

static enum err find_by_key(struct db *db, const struct asking *c, uint64_t *id_r)
{
	struct db_rows rows;
	enum err e = db_query_one(db, c->arena,
	    "SELECT id FROM bulk WHERE user_id = ? AND as_admin = ? AND account_id = ? AND request_key = ?",
	    DB_ARGS(db_p_u64(c->v->user_id), SCOPE_ARGS(c->v),
		db_p_blob(c->q->request_key, JOB_REQUEST_KEY_BYTES)),
	    &rows);

	if (e == ERR_OK)
		*id_r = db_u64(&rows, 0, 0);
	return e;
}

/* In the order they were queued, which a rerun keeps.  One more than may be is read, to be refused. */
static enum err insert_jobs(struct db *db, const struct asking *c, uint64_t *count_r)
{
	AUTO_QUERY struct query q = QUERY_INIT;
	enum err e;

	query_add_p(&q,
	    "INSERT INTO bulk_job (bulk_id, n, job_id, label, is_last)"
	    " SELECT ?, ROW_NUMBER() OVER (ORDER BY t.queued_at, t.id), t.id, t.label, t.later = 1 FROM"
	    " (SELECT j.id, j.label, j.queued_at, ROW_NUMBER() OVER"
	    " (PARTITION BY j.account_id, j.mailboxes ORDER BY j.id DESC)"
	    " AS later FROM job j ",
	    db_p_u64(c->id));
	e = job_filter_add(&q, c->arena, c->v, &c->q->jobs);
	if (e != ERR_OK)
		return e;
	if (c->q->jobs.states != 0) {
		query_add(&q, " AND ");
		job_filter_states(&q, c->q->jobs.states);
	}
	query_add_p(&q, " LIMIT ?) t", db_p_u64(BULK_JOBS_MAX + 1));
	return db_exec(db, q.sql.data, q.params, q.count, count_r);
}

static enum err ask(struct db *db, void *ctx)
{
	struct asking *c = ctx;
	uint64_t count;
	enum err e = db_exec(db,
	    "INSERT INTO bulk (user_id, as_admin, account_id, request_key, action, filter, picked,"
	    " newest_job_id, total, created_at)"
	    " SELECT ?, ?, ?, ?, ?, ?, ?, COALESCE(MAX(id), 0), 0, UTC_TIMESTAMP(6) FROM job",
	    DB_ARGS(db_p_u64(c->v->user_id), SCOPE_ARGS(c->v),
		db_p_blob(c->q->request_key, JOB_REQUEST_KEY_BYTES), db_p_str(bulk_action_name(c->q->action)),
		db_p_str(c->q->filter), db_p_u64(c->q->picked)),
	    NULL);

	if (e != ERR_OK)
		return e;
	c->id = db_insert_id(db);
	e = insert_jobs(db, c, &count);
	if (e != ERR_OK)
		return e;
	if (count == 0)
		return ERR_NOT_FOUND;
	if (count > BULK_JOBS_MAX)
		return ERR_TOO_BIG;
	return db_exec(
	    db, "UPDATE bulk SET total = ? WHERE id = ?", DB_ARGS(db_p_u64(count), db_p_u64(c->id)), NULL);
}

enum err store_bulk_sweep(struct db *db)
{
	return db_exec(db,
	    "DELETE FROM bulk WHERE created_at < UTC_TIMESTAMP(6) - INTERVAL ? SECOND"
	    " AND (confirmed_at IS NULL OR created_at < UTC_TIMESTAMP(6) - INTERVAL ? SECOND)"
	    " ORDER BY created_at LIMIT ?",
	    DB_ARGS(db_p_u64(BULK_CONFIRM_S), db_p_u64(BULK_KEEP_S), db_p_u64(SWEEP_MAX)), NULL);
}

enum err store_bulk_ask(struct db *db, const struct viewer *v, const struct bulk_question *q, uint64_t *id_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct asking c = {.v = v, .q = q, .arena = a};
	enum err e;

	if (v->user_id == 0 || q->request_key == NULL || (unsigned)q->action >= BULK_ACTION__MAX ||
	    !text_fits(q->filter, 0, BULK_FILTER_MAX_CHARS))
		return ERR_INVALID;
	e = find_by_key(db, &c, id_r);
	if (e != ERR_NOT_FOUND)
		return e;
	e = store_bulk_sweep(db);
	if (e == ERR_OK)
		e = tx_run(db, ask, &c);
	if (e == ERR_CONFLICT) /* the same request, this very moment */
		return find_by_key(db, &c, id_r) == ERR_OK ? ERR_OK : ERR_CONFLICT;
	if (e == ERR_OK)
		*id_r = c.id;
	return e;
}

enum err store_bulk_get(
    struct db *db, struct arena *a, const struct viewer *v, uint64_t id, struct bulk *bulk_r)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT id, action, filter, newest_job_id, total, done, created_at, confirmed_at, finished_at,"
	    " confirmed_at IS NULL AND created_at < UTC_TIMESTAMP(6) - INTERVAL ? SECOND, picked"
	    " FROM bulk WHERE id = ? AND user_id = ? AND (? = 1 OR (as_admin = 0 AND account_id = ?))",
	    DB_ARGS(db_p_u64(BULK_CONFIRM_S), db_p_u64(id), db_p_u64(v->user_id), SCOPE_ARGS(v)), &rows);

	if (e != ERR_OK)
		return e;
	*bulk_r = (struct bulk){
	    .id = db_u64(&rows, 0, 0),
	    .filter = db_str(&rows, 0, 2),
	    .newest_job_id = db_u64(&rows, 0, 3),
	    .total = db_u64(&rows, 0, 4),
	    .done = db_u64(&rows, 0, 5),
	    .created_at = db_time_s(&rows, 0, 6),
	    .confirmed_at = db_time_s(&rows, 0, 7),
	    .finished_at = db_time_s(&rows, 0, 8),
	    .is_expired = db_i64(&rows, 0, 9) != 0,
	    .picked = db_i64(&rows, 0, 10) != 0,
	};
	return bulk_action_parse(db_str(&rows, 0, 1), &bulk_r->action) == ERR_OK ? ERR_OK : ERR_INTERNAL;
}

static enum err read_counts(const struct db_rows *rows, uint64_t counts_r[BULK_OUTCOME__MAX])
{
	memset(counts_r, 0, BULK_OUTCOME__MAX * sizeof(*counts_r));
	for (size_t i = 0; i < rows->count; i++) {
		enum bulk_outcome o;

		if (bulk_outcome_parse(db_str(rows, i, 0), &o) != ERR_OK)
			return ERR_INTERNAL;
		counts_r[o] = db_u64(rows, i, 1);
	}
	return ERR_OK;
}

enum err store_bulk_judge(
    struct db *db, const struct viewer *v, uint64_t id, uint64_t counts_r[BULK_OUTCOME__MAX])
{
	AUTO_ARENA struct arena *a = arena_new();
	AUTO_QUERY struct query q = QUERY_INIT;
	struct bulk b;
	struct db_rows rows;
	enum err e = store_bulk_get(db, a, v, id, &b);

	if (e != ERR_OK)
		return e;
	query_add(&q, "SELECT ");
	query_add(&q, bulk_verdict(b.action));
	query_add_p(&q,
	    " AS verdict, COUNT(*) FROM bulk_job r LEFT JOIN job j ON j.id = r.job_id WHERE r.bulk_id = ?"
	    " GROUP BY verdict",
	    db_p_u64(id));
	e = db_query(db, a, q.sql.data, q.params, q.count, &rows);
	return e == ERR_OK ? read_counts(&rows, counts_r) : e;
}

enum err store_bulk_counts(
    struct db *db, const struct viewer *v, uint64_t id, uint64_t counts_r[BULK_OUTCOME__MAX])
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	struct bulk b;
	enum err e = store_bulk_get(db, a, v, id, &b);

	if (e != ERR_OK)
		return e;
	e = db_query(db, a,
	    "SELECT outcome, COUNT(*) FROM bulk_job WHERE bulk_id = ? AND outcome IS NOT NULL GROUP BY "
	    "outcome",
	    DB_ARGS(db_p_u64(id)), &rows);
	return e == ERR_OK ? read_counts(&rows, counts_r) : e;
}

enum err store_bulk_jobs(struct db *db, struct arena *a, const struct viewer *v, uint64_t id, int outcome,
    uint64_t after, unsigned limit, struct bulk_job **list_r, size_t *count_r)
{
	AUTO_QUERY struct query q = QUERY_INIT;
	struct db_rows rows;
	struct bulk_job *list;
	struct bulk b;
	enum err e = store_bulk_get(db, a, v, id, &b);

	if (e != ERR_OK)
		return e;
	query_add_p(&q, "SELECT n, job_id, label, outcome, other_job_id FROM bulk_job WHERE bulk_id = ?",
	    db_p_u64(id));
	query_add_p(&q, " AND n > ?", db_p_u64(after));
	if (outcome >= 0)
		query_add_p(&q, " AND outcome = ?", db_p_str(bulk_outcome_name((enum bulk_outcome)outcome)));
	query_add_p(&q, " ORDER BY n LIMIT ?", db_p_u64(limit));
	e = db_query(db, a, q.sql.data, q.params, q.count, &rows);
	if (e != ERR_OK)
		return e;
	list = arena_array(a, rows.count, sizeof(*list));
	for (size_t i = 0; i < rows.count; i++) {
		list[i] = (struct bulk_job){
		    .n = db_u64(&rows, i, 0),
		    .job_id = db_u64(&rows, i, 1),
		    .label = db_str(&rows, i, 2),
		    .is_done = !db_is_null(&rows, i, 3),
		    .other_job_id = db_u64(&rows, i, 4),
		};
		if (list[i].is_done && bulk_outcome_parse(db_str(&rows, i, 3), &list[i].outcome) != ERR_OK)
			return ERR_INTERNAL;
	}
	*list_r = list;
	*count_r = rows.count;
	return ERR_OK;
}
