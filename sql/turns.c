#include "sql/turns.h"

enum err turns_begin(struct db *db, struct arena *a, struct turns *t_r)
{
	struct db_rows last;
	enum err e = db_query(
	    db, a, "SELECT account_id FROM account_turn ORDER BY claimed_at DESC LIMIT 1", DB_NONE, &last);

	if (e != ERR_OK)
		return e;
	*t_r = (struct turns){.arena = a, .last = last.count > 0 ? db_u64(&last, 0, 0) : 0};
	t_r->at = t_r->last;
	e = db_query(db, a,
	    "SELECT j.account_id, COALESCE(COUNT(*) >= MAX(a.max_running), 0) FROM job j FORCE INDEX "
	    "(job_queue)"
	    " JOIN account a ON a.id = j.account_id WHERE j.state = 'running' GROUP BY j.account_id"
	    " ORDER BY COUNT(*), j.account_id <= ?, j.account_id",
	    DB_ARGS(db_p_u64(t_r->last)), &t_r->running);
	if (e == ERR_OK)
		t_r->waits = arena_array(a, t_r->running.count + 1, sizeof(*t_r->waits));
	return e;
}

/* Whether the account has jobs running; then it is kept for later. */
static bool put_off(struct turns *t, uint64_t account_id)
{
	for (size_t i = 0; i < t->running.count; i++)
		if (db_u64(&t->running, i, 0) == account_id)
			return t->waits[i] = true;
	return false;
}

/* One step on the way round.  *account_id_r 0: to an account whose turn it is not. */
static enum err step(struct db *db, struct turns *t, uint64_t *account_id_r)
{
	struct db_rows rows;
	enum err e = db_query(db, t->arena,
	    "SELECT j.waits_in, (SELECT a.suspended_at IS NULL FROM account a WHERE a.id = j.waits_in)"
	    " FROM job j FORCE INDEX (job_turn) WHERE j.waits_in > ? ORDER BY j.waits_in LIMIT 1",
	    DB_ARGS(db_p_u64(t->at)), &rows);

	*account_id_r = 0;
	if (e != ERR_OK)
		return e;
	if (rows.count == 0 && !t->is_past_end) {
		t->is_past_end = true;
		t->at = 0;
		return ERR_OK;
	}
	if (rows.count > 0)
		t->at = db_u64(&rows, 0, 0);
	t->is_round = rows.count == 0 || (t->is_past_end && t->at > t->last);
	if (!t->is_round && db_u64(&rows, 0, 1) != 0 && !put_off(t, t->at))
		*account_id_r = t->at;
	return ERR_OK;
}

enum err turns_next(struct db *db, struct turns *t, uint64_t *account_id_r)
{
	while (!t->is_round) {
		enum err e = step(db, t, account_id_r);

		if (e != ERR_OK || *account_id_r != 0)
			return e;
	}
	while (t->next_running < t->running.count) {
		size_t i = t->next_running++;

		*account_id_r = db_u64(&t->running, i, 0);
		if (t->waits[i] && db_u64(&t->running, i, 1) == 0)
			return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

enum err turns_jobs(struct db *db, struct arena *a, uint64_t account_id, struct db_rows *rows_r)
{
	return db_query(db, a,
	    "SELECT j.id FROM job j FORCE INDEX (job_turn) WHERE j.waits_in = ?"
	    " AND NOT EXISTS (SELECT 1 FROM job r WHERE r.running_mailboxes = j.mailboxes)"
	    " ORDER BY j.queued_at, j.id LIMIT ?",
	    DB_ARGS(db_p_u64(account_id), db_p_u64(TURNS_JOBS)), rows_r);
}

enum err turns_note(struct db *db, uint64_t account_id)
{
	return db_exec(db,
	    "INSERT INTO account_turn (account_id, claimed_at) VALUES (?, UTC_TIMESTAMP(6))"
	    " ON DUPLICATE KEY UPDATE claimed_at = UTC_TIMESTAMP(6)",
	    DB_ARGS(db_p_u64(account_id)), NULL);
}
