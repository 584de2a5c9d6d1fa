/* An import's end: it becomes a batch, or is forgotten. */
#include "sql/store_import.h"

#include "sql/job_row.h"
#include "sql/limits.h"
#include "sql/store_batch.h"
#include "sql/tx.h"

/* Jobs made by one statement: it must end well within the connection's time limit for one answer. */
enum { JOBS_AT_ONCE = 5000 };

struct confirmation {
	const struct viewer *v;
	uint64_t id;
	const char *tag;
	const uint8_t *request_key;
	bool dry_run, skip_bad;
	enum import_outcome outcome; /* result, also when ERR_CONFLICT rolls back */
	uint64_t batch_id;           /* result */
};

static enum err refuse(struct confirmation *c, enum import_outcome why)
{
	c->outcome = why;
	return ERR_CONFLICT;
}

/* Mailboxes of this import that somebody queued after its preview had looked. */
static enum err demand_idle(struct db *db, struct confirmation *c)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query(db, a,
	    "SELECT o.id " JOB_BUSY_AMONG(
		"job j FORCE INDEX (job_batch)") "WHERE j.batch_id = ?"
						 " AND NOT (o.batch_id <=> j.batch_id)" JOB_BUSY_LOCK,
	    DB_ARGS(db_p_u64(c->batch_id)), &rows);

	return e == ERR_OK && rows.count > 0 ? refuse(c, IMPORT_QUEUED_ELSEWHERE) : e;
}

/* The last line of the next load behind line after; 0: nothing is left. */
static enum err load_end(struct db *db, uint64_t id, unsigned after, unsigned *line_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query(db, a,
	    "SELECT MAX(line) FROM (SELECT line FROM import_row WHERE import_id = ? AND line > ?"
	    " ORDER BY line LIMIT ?) load_",
	    DB_ARGS(db_p_u64(id), db_p_u64(after), db_p_u64(JOBS_AT_ONCE)), &rows);

	if (e == ERR_OK)
		*line_r = (unsigned)db_u64(&rows, 0, 0);
	return e;
}

/* Jobs of the rows behind line from up to line to.  One moment for all, ids rising with the lines: that is
 * the queue's order. */
static enum err insert_jobs(
    struct db *db, const struct confirmation *c, unsigned from, unsigned to, uint64_t *made_r)
{
	return db_exec(db,
	    "INSERT INTO job (account_id, owner_user_id, batch_id, name, dry_run,"
	    " src_server_id, src_server_name, src_host, src_port, src_security, src_verify, src_user, "
	    "src_sealed,"
	    " dst_server_id, dst_server_name, dst_host, dst_port, dst_security, dst_verify, dst_user, "
	    "dst_sealed,"
	    " options, state, queued_at, updated_at)"
	    " SELECT STRAIGHT_JOIN i.account_id, i.user_id, ?, r.name, COALESCE(r.dry_run, ?),"
	    " s.id, s.name, s.host, s.port, s.security, s.verify, r.src_user, r.src_sealed,"
	    " d.id, d.name, d.host, d.port, d.security, d.verify, r.dst_user, r.dst_sealed,"
	    " i.options, 'queued', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)"
	    " FROM import i JOIN import_row r ON r.import_id = i.id"
	    " JOIN server s ON s.id = r.src_server_id AND (s.account_id IS NULL OR s.account_id = "
	    "i.account_id)"
	    " JOIN server d ON d.id = r.dst_server_id AND (d.account_id IS NULL OR d.account_id = "
	    "i.account_id)"
	    " WHERE i.id = ? AND r.line > ? AND r.line <= ? ORDER BY r.line",
	    DB_ARGS(
		db_p_u64(c->batch_id), db_p_u64(c->dry_run), db_p_u64(c->id), db_p_u64(from), db_p_u64(to)),
	    made_r);
}

static enum err make_jobs(struct db *db, struct confirmation *c, const struct import *im)
{
	uint64_t all = 0, made;
	unsigned from = 0, to = 0;
	enum err e;

	while ((e = load_end(db, c->id, from, &to)) == ERR_OK && to != 0) {
		e = insert_jobs(db, c, from, to, &made);
		if (e != ERR_OK)
			return e;
		all += made;
		from = to;
	}
	if (e != ERR_OK)
		return e;
	if (all != im->rows_good)
		return refuse(c, IMPORT_SERVER_GONE);
	e = limits_batch_hosts(db, c->batch_id);
	if (e == ERR_OK)
		e = demand_idle(db, c);
	if (e != ERR_OK)
		return e;
	return db_exec(db,
	    "INSERT INTO job_event (job_id, account_id, at, kind, to_state, user_id)"
	    " SELECT id, account_id, UTC_TIMESTAMP(6), 'created', 'queued', ? FROM job WHERE batch_id = ? "
	    "ORDER BY id",
	    DB_ARGS(db_p_id(c->v->user_id), db_p_u64(c->batch_id)), NULL);
}

static enum err confirm(struct db *db, void *ctx)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct confirmation *c = ctx;
	struct import im;
	uint64_t changed;
	enum err e = store_import_get(db, a, c->v, c->id, &im);

	if (e != ERR_OK)
		return e;
	if (im.batch_id != 0) {
		c->batch_id = im.batch_id;
		c->outcome = IMPORT_DONE_BEFORE;
		return ERR_OK;
	}
	if (im.rows_good == 0)
		return refuse(c, IMPORT_EMPTY);
	if (im.rows_bad > 0 && !c->skip_bad)
		return refuse(c, IMPORT_HAS_BAD);
	e = limits_take(db, c->v->account_id, im.rows_good);
	if (e == ERR_OK)
		e = store_batch_create_once(db, c->v, c->tag, im.options, c->request_key, &c->batch_id);
	if (e == ERR_CONFLICT)
		return refuse(c, IMPORT_TAG_TAKEN);
	if (e == ERR_OK)
		e = db_exec(db, "UPDATE import SET batch_id = ? WHERE id = ? AND batch_id IS NULL",
		    DB_ARGS(db_p_u64(c->batch_id), db_p_u64(c->id)), &changed);
	/* another confirmation was quicker: look again */
	if (e == ERR_OK && changed != 1)
		return ERR_BUSY;
	return e == ERR_OK ? make_jobs(db, c, &im) : e;
}

enum err store_import_confirm(struct db *db, const struct viewer *v, uint64_t id, const char *tag,
    bool dry_run, bool skip_bad, enum import_outcome *outcome_r, uint64_t *batch_id_r)
{
	return store_import_confirm_once(db, v, id, tag, NULL, dry_run, skip_bad, outcome_r, batch_id_r);
}

enum err store_import_confirm_once(struct db *db, const struct viewer *v, uint64_t id, const char *tag,
    const uint8_t *request_key, bool dry_run, bool skip_bad, enum import_outcome *outcome_r,
    uint64_t *batch_id_r)
{
	struct confirmation c = {.v = v,
	    .id = id,
	    .tag = tag,
	    .request_key = request_key,
	    .dry_run = dry_run,
	    .skip_bad = skip_bad};
	enum err e;

	if (!batch_tag_fits(tag))
		return ERR_INVALID;
	c.outcome = IMPORT_DONE;
	e = tx_run(db, confirm, &c);
	if (e == ERR_CONFLICT && c.outcome == IMPORT_TAG_TAKEN) {
		struct import im;
		AUTO_ARENA struct arena *a = arena_new();

		/* perhaps by this very import, confirmed twice at the same moment */
		if (store_import_get(db, a, v, id, &im) == ERR_OK && im.batch_id != 0) {
			c.batch_id = im.batch_id;
			c.outcome = IMPORT_DONE_BEFORE;
		}
	}
	/* a server deleted at this moment breaks its foreign key */
	if (e == ERR_CONFLICT && c.outcome == IMPORT_DONE)
		c.outcome = IMPORT_SERVER_GONE;
	if (e != ERR_OK && e != ERR_CONFLICT)
		return e;
	*outcome_r = c.outcome;
	*batch_id_r = c.batch_id;
	return ERR_OK;
}

enum err store_import_discard(struct db *db, const struct viewer *v, uint64_t id)
{
	uint64_t changed;
	enum err e = db_exec(db,
	    "UPDATE import SET expires_at = UTC_TIMESTAMP(6) WHERE id = ? AND user_id = ? AND account_id = ?"
	    " AND batch_id IS NULL AND expires_at > UTC_TIMESTAMP(6)",
	    DB_ARGS(db_p_u64(id), db_p_u64(v->user_id), db_p_u64(v->account_id)), &changed);

	return e == ERR_OK && changed != 1 ? ERR_NOT_FOUND : e;
}

enum err store_import_sweep(struct db *db, unsigned limit, bool *more_r)
{
	static const char *const deletions[] = {
	    "DELETE FROM import_row WHERE import_id = ? LIMIT ?",
	    "DELETE FROM import_bad WHERE import_id = ? LIMIT ?",
	    "DELETE FROM import WHERE id = ? LIMIT ?",
	};
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	uint64_t changed, left = limit;
	enum err e = db_query_one(db, a,
	    "SELECT id FROM import WHERE expires_at <= UTC_TIMESTAMP(6) ORDER BY expires_at, id LIMIT 1",
	    DB_NONE, &rows);

	*more_r = e == ERR_OK;
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	/* children first, a few at a time: the foreign keys would delete them in one long statement */
	for (size_t i = 0; e == ERR_OK && left > 0 && i < sizeof(deletions) / sizeof(deletions[0]); i++) {
		e = db_exec(
		    db, deletions[i], DB_ARGS(db_p_u64(db_u64(&rows, 0, 0)), db_p_u64(left)), &changed);
		if (e == ERR_OK)
			left -= changed;
	}
	return e;
}
