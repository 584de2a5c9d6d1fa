#include "sql/store_queue.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "sql/job_row.h"
#include "sql/limits.h"
#include "sql/turns.h"
#include "sql/tx.h"

static struct db_param token_param(const struct queue_token *t)
{
	return db_p_blob(t->bytes, JOB_TOKEN_BYTES);
}

void queue_token_new(struct queue_token *t)
{
	t->job_id = 0;
	/* Without randomness two workers could own one job: rather none. */
	if (getrandom(t->bytes, sizeof(t->bytes), 0) != (ssize_t)sizeof(t->bytes))
		abort();
}

/*
 * A server that is gone was not a shared one for all we know, and an owner who is gone no administrator; nor
 * is one for a customer's servers, which are the customer's to name.
 */
#define IS_VETTED(server_id) \
	"COALESCE((SELECT u.role <> 'admin' OR u.account_id <> j.account_id FROM user u" \
	" WHERE u.id = j.owner_user_id), 1)" \
	" AND NOT EXISTS (SELECT 1 FROM server s WHERE s.id = " server_id " AND s.account_id IS NULL)"

#define IS_MENDING \
	"COALESCE((SELECT p.reason = 'verify_missing' AND p.reason_action = 'rerun' FROM job p" \
	" WHERE p.id = j.parent_id), 0)"

/* Both are asked here once more: what was confirmed may have waited for days. */
#define IS_DELETE2_REFUSED \
	"j.delete2 AND NOT COALESCE((SELECT a.may_delete2 FROM account a WHERE a.id = j.account_id), 0)"
#define IS_DELETE2_CHANGED \
	"j.max_delete IS NOT NULL AND (j.delete2_digest IS NULL OR " JOB_SERVER_CHANGED( \
	    "src") "OR" JOB_SERVER_CHANGED("dst") ")"

static enum err read_claimed(
    struct db *db, struct arena *a, const struct queue_token *t, struct queue_job *job_r)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT" JOB_COLUMNS ", j.src_sealed, j.dst_sealed, " IS_VETTED("j.src_server_id") ", " IS_VETTED(
		"j.dst_server_id") ", " IS_MENDING ", NOT " LIMITS_HOST_OK("j.account_id",
		"j.dst_host") ", " IS_DELETE2_REFUSED ", " IS_DELETE2_CHANGED
			      " FROM job j WHERE j.claim_token = ?",
	    DB_ARGS(token_param(t)), &rows);

	if (e != ERR_OK)
		return e;
	job_r->src_sealed = db_blob(&rows, 0, JOB_COLUMN_COUNT, &job_r->src_sealed_len);
	job_r->dst_sealed = db_blob(&rows, 0, JOB_COLUMN_COUNT + 1, &job_r->dst_sealed_len);
	job_r->is_src_vetted = db_i64(&rows, 0, JOB_COLUMN_COUNT + 2) != 0;
	job_r->is_dst_vetted = db_i64(&rows, 0, JOB_COLUMN_COUNT + 3) != 0;
	job_r->is_mending = db_i64(&rows, 0, JOB_COLUMN_COUNT + 4) != 0;
	job_r->is_dst_refused = db_i64(&rows, 0, JOB_COLUMN_COUNT + 5) != 0;
	job_r->is_delete2_refused = db_i64(&rows, 0, JOB_COLUMN_COUNT + 6) != 0;
	job_r->is_delete2_changed = db_i64(&rows, 0, JOB_COLUMN_COUNT + 7) != 0;
	return job_row_read(&rows, 0, &job_r->job);
}

/* One attempt to claim one job in one slot. */
struct claim {
	uint64_t worker_id;
	unsigned lease_s;
	uint64_t account_id;
	uint64_t slot;
	const struct queue_token *token;
};

/* Both rows are written under a condition and must change: whoever commits first has them.  ERR_LOST:
 * somebody did, or has the same mailboxes.  ERR_LIMIT: the account runs as many as it may. */
static enum err write_claim(struct db *db, const struct claim *c)
{
	uint64_t changed;
	enum err e = db_exec(db,
	    "UPDATE run_slot SET job_id = ?, claim_token = ? WHERE kind = 'global' AND owner = 0 AND n = ?"
	    " AND job_id IS NULL",
	    DB_ARGS(db_p_u64(c->token->job_id), token_param(c->token), db_p_u64(c->slot)), &changed);

	/* The same job in another slot is a conflict of keys. */
	if (e == ERR_CONFLICT)
		return ERR_LOST;
	if (e != ERR_OK || changed != 1)
		return e != ERR_OK ? e : ERR_NOT_FOUND;
	e = db_exec(db,
	    "UPDATE job SET state = 'running', claim_token = ?, worker_id = ?,"
	    " lease_until = UTC_TIMESTAMP(6) + INTERVAL ? SECOND, attempts = attempts + 1,"
	    " started_at = UTC_TIMESTAMP(6), updated_at = UTC_TIMESTAMP(6) WHERE id = ? AND state = 'queued'",
	    DB_ARGS(token_param(c->token), db_p_u64(c->worker_id), db_p_u64(c->lease_s),
		db_p_u64(c->token->job_id)),
	    &changed);
	if (e == ERR_CONFLICT || (e == ERR_OK && changed != 1))
		return ERR_LOST;
	if (e == ERR_OK)
		e = turns_note(db, c->account_id);
	return e == ERR_OK ? limits_running(db, c->account_id) : e;
}

/* The servers may have been edited while the job waited; the mailboxes may be others then, and run already:
 * ERR_CONFLICT.  A job that deletes goes where it was confirmed for, or nowhere (IS_DELETE2_CHANGED). */
static enum err refresh_servers(struct db *db, const struct queue_token *t)
{
	enum err e = db_exec(db,
	    "UPDATE job j JOIN server s ON s.id = j.src_server_id"
	    " AND (s.account_id IS NULL OR s.account_id = j.account_id)"
	    " SET j.src_server_name = s.name, j.src_host = s.host, j.src_port = s.port, j.src_security = "
	    "s.security,"
	    " j.src_verify = s.verify WHERE j.id = ? AND j.claim_token = ? AND j.max_delete IS NULL",
	    DB_ARGS(db_p_u64(t->job_id), token_param(t)), NULL);

	if (e != ERR_OK)
		return e;
	return db_exec(db,
	    "UPDATE job j JOIN server s ON s.id = j.dst_server_id"
	    " AND (s.account_id IS NULL OR s.account_id = j.account_id)"
	    " SET j.dst_server_name = s.name, j.dst_host = s.host, j.dst_port = s.port, j.dst_security = "
	    "s.security,"
	    " j.dst_verify = s.verify WHERE j.id = ? AND j.claim_token = ? AND j.max_delete IS NULL",
	    DB_ARGS(db_p_u64(t->job_id), token_param(t)), NULL);
}

/* Read before it is committed: a job that cannot be read is not claimed either. */
static enum err claim_one(struct db *db, struct arena *a, const struct claim *c, struct queue_job *job_r)
{
	const struct event ev = {.job_id = c->token->job_id,
	    .kind = "claimed",
	    .from = JOB_QUEUED,
	    .to = JOB_RUNNING,
	    .worker_id = c->worker_id};
	enum err e = db_begin(db);

	if (e != ERR_OK)
		return e;
	e = write_claim(db, c);
	if (e == ERR_OK) {
		e = refresh_servers(db, c->token);
		e = e == ERR_CONFLICT ? ERR_LOST : e;
	}
	if (e == ERR_OK)
		e = event_add(db, &ev);
	if (e == ERR_OK) {
		e = read_claimed(db, a, c->token, job_r);
		e = e == ERR_NOT_FOUND ? ERR_INTERNAL : e;
	}
	if (e != ERR_OK) {
		db_rollback(db);
		return e;
	}
	return db_commit(db);
}

/* The free slots, read without a lock: only hints of what to try. */
static enum err read_slots(struct db *db, struct arena *a, struct db_rows *slots_r)
{
	return db_query(db, a,
	    "SELECT n FROM run_slot WHERE kind = 'global' AND owner = 0 AND job_id IS NULL ORDER BY n",
	    DB_NONE, slots_r);
}

/* A claim whose commit was not answered. */
static enum err settle(struct db *db, struct arena *a, const struct queue_token *t, struct queue_job *job_r)
{
	enum err e = db_reconnect(db);

	if (e == ERR_OK)
		e = store_queue_claim_resolve(db, a, t, job_r);
	if (e == ERR_OK)
		return ERR_OK;
	return e == ERR_NOT_FOUND ? ERR_BUSY : ERR_UNCERTAIN;
}

/*
 * Try the jobs of c's account in their order, with the slots from *slot on.  ERR_NOT_FOUND: others were
 * faster.  ERR_INTERNAL: so they were, but for one that could not be claimed or read.
 */
static enum err claim_of_account(struct db *db, struct arena *a, struct claim *c, struct queue_token *t,
    const struct db_rows *slots, size_t *slot, struct queue_job *job_r)
{
	struct db_rows jobs;
	size_t job = 0;
	enum err unread = ERR_NOT_FOUND; /* why a job was passed over */
	enum err e = turns_jobs(db, a, c->account_id, &jobs);

	if (e != ERR_OK)
		return e;
	while (job < jobs.count && *slot < slots->count) {
		/* Workers begin with different slots. */
		c->slot = db_u64(slots, (t->bytes[0] + *slot) % slots->count, 0);
		t->job_id = db_u64(&jobs, job, 0);
		e = claim_one(db, a, c, job_r);
		if (e == ERR_OK)
			return ERR_OK;
		if (e == ERR_UNCERTAIN)
			return settle(db, a, t, job_r);
		if (e == ERR_LIMIT)
			return unread;
		if (e == ERR_INTERNAL)
			unread = e;
		if (e == ERR_LOST || e == ERR_INTERNAL)
			job++;
		else if (e == ERR_NOT_FOUND)
			(*slot)++;
		else
			return e;
	}
	return unread;
}

enum err store_queue_claim(struct db *db, struct arena *a, uint64_t worker_id, unsigned lease_s,
    struct queue_token *t, struct queue_job *job_r)
{
	struct claim c = {.worker_id = worker_id, .lease_s = lease_s, .token = t};
	struct db_rows slots;
	struct turns turns;
	size_t slot = 0;
	enum err unclaimed = ERR_BUSY; /* why there is no job in the end */
	enum err e = turns_begin(db, a, &turns);

	if (e == ERR_OK)
		e = turns_next(db, &turns, &c.account_id);
	if (e == ERR_OK)
		e = read_slots(db, a, &slots);
	if (e != ERR_OK)
		return e;
	while (e == ERR_OK && slot < slots.count) {
		e = claim_of_account(db, a, &c, t, &slots, &slot, job_r);
		if (e != ERR_NOT_FOUND && e != ERR_INTERNAL)
			return e;
		unclaimed = e == ERR_INTERNAL ? e : unclaimed;
		e = turns_next(db, &turns, &c.account_id);
	}
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	return unclaimed;
}

enum err store_queue_claim_resolve(
    struct db *db, struct arena *a, const struct queue_token *t, struct queue_job *job_r)
{
	struct db_rows rows;
	enum err e;

	/* The server may still be at that commit: its lock on the row is waited for. */
	e = db_query_one(db, a, "SELECT claim_token FROM job WHERE id = ? FOR UPDATE",
	    DB_ARGS(db_p_u64(t->job_id)), &rows);
	return e == ERR_OK ? read_claimed(db, a, t, job_r) : e;
}

/* The wishes for these tokens; a token without a running job is lost.  Padded by repetition to few lengths,
 * so that few statements are prepared. */
static void add_tokens(struct query *q, const struct queue_lease *leases, size_t count)
{
	size_t padded = 4;

	while (padded < count)
		padded *= 4;
	for (size_t i = 0; i < padded; i++)
		query_add_p(q, i == 0 ? "(?" : ", ?", token_param(leases[i < count ? i : count - 1].token));
	query_add(q, ")");
}

enum err store_queue_wishes(struct db *db, struct queue_lease *leases, size_t count)
{
	AUTO_ARENA struct arena *a = arena_new();
	AUTO_QUERY struct query q = QUERY_INIT;
	struct db_rows rows;
	enum err e;

	if (count == 0)
		return ERR_OK;
	if (count > QUEUE_RENEW_MAX)
		return ERR_INVALID;
	query_add(&q, "SELECT claim_token, cancel_requested_at IS NOT NULL FROM job WHERE claim_token IN ");
	add_tokens(&q, leases, count);
	e = db_query(db, a, q.sql.data, q.params, q.count, &rows);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < count; i++) {
		leases[i].is_lost = true;
		leases[i].is_cancel_wanted = false;
		for (size_t row = 0; row < rows.count; row++) {
			size_t len;
			const void *token = db_blob(&rows, row, 0, &len);

			if (len == JOB_TOKEN_BYTES && memcmp(token, leases[i].token->bytes, len) == 0) {
				leases[i].is_lost = false;
				leases[i].is_cancel_wanted = db_i64(&rows, row, 1) != 0;
			}
		}
	}
	return ERR_OK;
}

enum err store_queue_renew(struct db *db, unsigned lease_s, struct queue_lease *leases, size_t count)
{
	AUTO_QUERY struct query q = QUERY_INIT;
	enum err e;

	if (count == 0)
		return ERR_OK;
	if (count > QUEUE_RENEW_MAX)
		return ERR_INVALID;
	query_add_p(
	    &q, "UPDATE job SET lease_until = UTC_TIMESTAMP(6) + INTERVAL ? SECOND", db_p_u64(lease_s));
	query_add(&q, " WHERE state = 'running' AND claim_token IN ");
	add_tokens(&q, leases, count);
	e = db_exec(db, q.sql.data, q.params, q.count, NULL);
	return e == ERR_OK ? store_queue_wishes(db, leases, count) : e;
}

/* What an update on one own job came to.  Nothing changed may also mean nothing to change. */
static enum err judge_own(struct db *db, const struct queue_token *t, enum err e, uint64_t changed)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;

	if (e != ERR_OK || changed == 1)
		return e;
	e = db_query_one(db, a, "SELECT id FROM job WHERE id = ? AND claim_token = ?",
	    DB_ARGS(db_p_u64(t->job_id), token_param(t)), &rows);
	return e == ERR_NOT_FOUND ? ERR_LOST : e;
}

enum err store_queue_program(
    struct db *db, const struct queue_token *t, const char *program, const char *version)
{
	AUTO_ARENA struct arena *a = arena_new();
	uint64_t changed = 0;
	enum err e = db_exec(db,
	    "UPDATE job SET program = ?, program_version = ?, updated_at = UTC_TIMESTAMP(6)"
	    " WHERE id = ? AND claim_token = ?",
	    DB_ARGS(db_p_str(text_clean(a, program, 255)), db_p_str(text_clean(a, version, 64)),
		db_p_u64(t->job_id), token_param(t)),
	    &changed);

	return judge_own(db, t, e, changed);
}

enum err store_queue_progress(struct db *db, const struct queue_token *t, const struct job_counters *c,
    int64_t log_errors, int64_t log_warnings)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_param params[JOB_COUNTERS_COUNT + 4];
	uint64_t changed = 0;
	enum err e;

	job_counters_params(c, text_clean(a, c->folder_current, 255), params);
	params[JOB_COUNTERS_COUNT] = db_p_count(log_errors);
	params[JOB_COUNTERS_COUNT + 1] = db_p_count(log_warnings);
	params[JOB_COUNTERS_COUNT + 2] = db_p_u64(t->job_id);
	params[JOB_COUNTERS_COUNT + 3] = token_param(t);
	e = db_exec(db,
	    "UPDATE job SET " JOB_COUNTERS_SET
	    ", log_errors = ?, log_warnings = ?, progress_at = UTC_TIMESTAMP(6),"
	    " updated_at = UTC_TIMESTAMP(6) WHERE id = ? AND claim_token = ?",
	    params, JOB_COUNTERS_COUNT + 4, &changed);
	return judge_own(db, t, e, changed);
}

enum err store_queue_verify(struct db *db, const struct queue_token *t, const struct job_verify *v)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_param params[JOB_VERIFY_COUNT + 2];
	uint64_t changed = 0;
	enum err e;

	job_verify_params(v, a, params);
	params[JOB_VERIFY_COUNT] = db_p_u64(t->job_id);
	params[JOB_VERIFY_COUNT + 1] = token_param(t);
	e = db_exec(db,
	    "UPDATE job SET " JOB_VERIFY_SET
	    ", updated_at = UTC_TIMESTAMP(6) WHERE id = ? AND claim_token = ?",
	    params, JOB_VERIFY_COUNT + 2, &changed);
	return judge_own(db, t, e, changed);
}
