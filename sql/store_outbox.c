#include "sql/store_outbox.h"

#include <string.h>

#include "lib/token.h"
#include "sql/job_filter.h"
#include "sql/outbox_sql.h"
#include "sql/tx.h"
#include "sql/user_links.h"

enum { CANDIDATES = 8, SWEEP_MAX = 20 };

/* Who polled the jobs list just now is told nothing; the row stays, to be seen on the job's page. */
#define FIRST_STATE \
	" IF(u.jobs_seen_at IS NOT NULL AND u.jobs_seen_at > UTC_TIMESTAMP(6) - INTERVAL ? SECOND," \
	" 'suppressed', 'waiting'), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)"
#define COLUMNS "account_id, user_id, job_id, batch_id, kind, dedupe_key, state, next_at, created_at"
#define REACHABLE " u.disabled_at IS NULL AND " OUTBOX_IS_REAL
/* A key that is there already is a mail that is written already. */
#define ONCE " ON DUPLICATE KEY UPDATE notification.id = notification.id"

static enum err add_job(struct db *db, uint64_t job_id, const struct outbox_policy *p)
{
	return db_exec(db,
	    "INSERT INTO notification (" COLUMNS ")"
	    " SELECT j.account_id, u.id, j.id, NULL, 'job', CONCAT('job:', j.id)," FIRST_STATE
	    " FROM job j JOIN user u ON u.id = j.owner_user_id JOIN account a ON a.id = j.account_id"
	    " WHERE j.id = ? AND j.state IN ('done', 'failed', 'interrupted') AND (j.batch_id IS NULL OR ? = "
	    "1)"
	    " AND" REACHABLE " AND IF(j.state = 'done', u.mail_on_done, u.mail_on_failed)" ONCE,
	    DB_ARGS(db_p_u64(p->suppress_s), db_p_u64(job_id), db_p_u64(p->batch == OUTBOX_EACH)), NULL);
}

/* How long ago the last hundred of a bulk action may have been done, so that it is taken to be going on: one
 * that was left where the time of its request ended is gone on with by hand, perhaps never. */
enum { BULK_PAUSE_S = 60 };

/* Between two hundreds of a bulk action the batch may look over when it is not. */
static enum err is_being_requeued(struct db *db, struct arena *a, uint64_t batch_id, bool *is_r)
{
	struct db_rows rows;
	enum err e = db_query(db, a,
	    "SELECT k.id FROM bulk k WHERE k.finished_at IS NULL AND k.action IN ('dry_run', 'run_real', "
	    "'retry')"
	    " AND k.touched_at > UTC_TIMESTAMP(6) - INTERVAL ? SECOND AND EXISTS (SELECT 1 FROM bulk_job r"
	    " JOIN job j ON j.id = r.job_id WHERE r.bulk_id = k.id AND r.n > k.done AND j.batch_id = ?) "
	    "LIMIT 1",
	    DB_ARGS(db_p_u64(BULK_PAUSE_S), db_p_u64(batch_id)), &rows);

	*is_r = e == ERR_OK && rows.count > 0;
	return e;
}

/*
 * The batch's row is ours until the commit, and every end that came before is seen.  Its owner is who made
 * it; where nobody knows that, the owner of the job that ended last.
 */
static enum err close_batch(
    struct db *db, struct arena *a, uint64_t batch_id, uint64_t job_id, const struct outbox_policy *p)
{
	struct db_rows rows;
	bool goes_on;
	enum err e = db_query_one(db, a,
	    "SELECT b.unreported, EXISTS (SELECT 1 FROM job j WHERE j.batch_id = b.id"
	    " AND j.state IN ('queued', 'running')) FROM batch b WHERE b.id = ?",
	    DB_ARGS(db_p_u64(batch_id)), &rows);

	if (e != ERR_OK || db_u64(&rows, 0, 0) == 0 || db_u64(&rows, 0, 1) != 0)
		return e;
	e = is_being_requeued(db, a, batch_id, &goes_on);
	if (e != ERR_OK || goes_on)
		return e;
	e = db_exec(db,
	    "INSERT INTO notification (" COLUMNS ")"
	    " SELECT b.account_id, u.id, NULL, b.id, 'batch', CONCAT('batch:', b.id, ':', "
	    "b.ends)," FIRST_STATE
	    " FROM batch b JOIN user u ON u.id = COALESCE(b.created_by, (SELECT o.owner_user_id FROM job o"
	    " WHERE o.id = ?)) JOIN account a ON a.id = b.account_id"
	    " WHERE b.id = ? AND" REACHABLE " AND EXISTS (SELECT 1 FROM job j WHERE j.batch_id = b.id"
	    " AND j.state IN ('done', 'failed', 'interrupted') AND " JOB_IS_LATEST
	    " AND IF(j.state = 'done', u.mail_on_done, u.mail_on_failed))" ONCE,
	    DB_ARGS(db_p_u64(p->suppress_s), db_p_u64(job_id), db_p_u64(batch_id)), NULL);
	if (e == ERR_OK)
		e = db_exec(
		    db, "UPDATE batch SET unreported = 0 WHERE id = ?", DB_ARGS(db_p_u64(batch_id)), NULL);
	return e;
}

enum err store_outbox_job_ended(
    struct db *db, struct arena *a, uint64_t job_id, const struct outbox_policy *p)
{
	struct db_rows rows;
	uint64_t batch_id;
	enum err e;

	if (!p->is_on)
		return ERR_OK;
	e = add_job(db, job_id, p);
	if (e != ERR_OK || p->batch != OUTBOX_SUMMARY)
		return e;
	e = db_query_one(db, a, "SELECT COALESCE(batch_id, 0), state <> 'cancelled' FROM job WHERE id = ?",
	    DB_ARGS(db_p_u64(job_id)), &rows);
	if (e != ERR_OK || (batch_id = db_u64(&rows, 0, 0)) == 0)
		return e;
	/* Written, not only locked: that holds between the nodes of a Galera cluster, too. */
	e = db_exec(db, "UPDATE batch SET ends = ends + 1, unreported = unreported + ? WHERE id = ?",
	    DB_ARGS(db_p_u64(db_u64(&rows, 0, 1)), db_p_u64(batch_id)), NULL);
	return e == ERR_OK ? close_batch(db, a, batch_id, job_id, p) : e;
}

struct closing {
	const struct outbox_policy *policy;
	struct arena *arena;
	uint64_t batch_id, job_id;
};

static enum err close_swept(struct db *db, void *ctx)
{
	const struct closing *c = ctx;
	enum err e = db_exec(
	    db, "UPDATE batch SET ends = ends + 1 WHERE id = ?", DB_ARGS(db_p_u64(c->batch_id)), NULL);

	return e == ERR_OK ? close_batch(db, c->arena, c->batch_id, c->job_id, c->policy) : e;
}

enum err store_outbox_sweep(struct db *db, const struct outbox_policy *p)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e;

	if (!p->is_on || p->batch != OUTBOX_SUMMARY)
		return ERR_OK;
	e = db_query(db, a,
	    "SELECT b.id, COALESCE((SELECT MAX(o.id) FROM job o WHERE o.batch_id = b.id), 0) FROM batch b"
	    " WHERE b.unreported > 0 AND NOT EXISTS (SELECT 1 FROM job j WHERE j.batch_id = b.id"
	    " AND j.state IN ('queued', 'running')) ORDER BY b.id LIMIT ?",
	    DB_ARGS(db_p_u64(SWEEP_MAX)), &rows);
	for (size_t i = 0; e == ERR_OK && i < rows.count; i++)
		e = tx_run(db, close_swept,
		    &(struct closing){.policy = p,
			.arena = a,
			.batch_id = db_u64(&rows, i, 0),
			.job_id = db_u64(&rows, i, 1)});
	return e;
}

#define IS_DUE " state IN ('waiting', 'sending') AND next_at <= UTC_TIMESTAMP(6) "
/* Who may not sign in is told nothing, until they may again; nor who has lost the address they had.  What
 * would bring them a link is not held back, but refused (store_invite_link()). */
#define MAY_BE_TOLD \
	"(kind = 'invite' OR EXISTS (SELECT 1 FROM user u JOIN account o ON o.id = u.account_id JOIN " \
	"account a" \
	" ON a.id = notification.account_id WHERE u.id = notification.user_id AND o.suspended_at IS NULL " \
	"AND" REACHABLE ")) "

static enum err read_claimed(struct db *db, struct arena *a, struct outbox_mail *m)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT n.job_id, n.batch_id, " OUTBOX_TO_OF_N ", n.attempts, n.created_at,"
	    " TIMESTAMPDIFF(SECOND, n.created_at, UTC_TIMESTAMP(6)), n.kind = 'invite', u.id"
	    " FROM notification n JOIN user u ON u.id = n.user_id JOIN account a ON a.id = n.account_id "
	    "WHERE n.id = ? AND n.lease_token = ?",
	    DB_ARGS(db_p_u64(m->id), db_p_blob(m->token, sizeof(m->token))), &rows);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_BUSY : e;
	m->job_id = db_u64(&rows, 0, 0);
	m->batch_id = db_u64(&rows, 0, 1);
	m->to = db_str(&rows, 0, 2);
	m->attempts = (unsigned)db_u64(&rows, 0, 3);
	m->created_us = db_time_us(&rows, 0, 4);
	m->age_s = db_i64(&rows, 0, 5);
	m->is_invite = db_i64(&rows, 0, 6) != 0;
	m->user_id = db_u64(&rows, 0, 7);
	return ERR_OK;
}

/* ERR_LIMIT: the account has got as many as it may; all that it would get now is put off. */
static enum err spare(struct db *db, struct arena *a, uint64_t account_id, unsigned hourly_max)
{
	struct db_rows rows;
	enum err e;

	if (hourly_max == 0)
		return ERR_OK;
	/* the oldest of as many as it may get, newest first */
	e = db_query_one(db, a,
	    "SELECT sent_at + INTERVAL 1 HOUR FROM notification WHERE account_id = ?"
	    " AND sent_at > UTC_TIMESTAMP(6) - INTERVAL 1 HOUR ORDER BY sent_at DESC LIMIT 1 OFFSET ?",
	    DB_ARGS(db_p_u64(account_id), db_p_u64(hourly_max - 1)), &rows);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = db_exec(db,
	    "UPDATE notification SET next_at = ? WHERE account_id = ? AND state = 'waiting' AND next_at <= "
	    "UTC_TIMESTAMP(6)",
	    DB_ARGS(db_p_time(db_time_us(&rows, 0, 0)), db_p_u64(account_id)), NULL);
	return e == ERR_OK ? ERR_LIMIT : e;
}

/* ERR_BUSY: somebody else has it. */
static enum err lease(struct db *db, struct arena *a, unsigned lease_s, struct outbox_mail *m)
{
	uint64_t changed;
	enum err e = db_exec(db,
	    "UPDATE notification SET state = 'sending', lease_token = ?, attempts = attempts + 1,"
	    " next_at = UTC_TIMESTAMP(6) + INTERVAL ? SECOND WHERE id = ? AND" IS_DUE,
	    DB_ARGS(db_p_blob(m->token, sizeof(m->token)), db_p_u64(lease_s), db_p_u64(m->id)), &changed);

	if (e == ERR_OK && changed == 0)
		return ERR_BUSY;
	return e == ERR_OK ? read_claimed(db, a, m) : e;
}

enum err store_outbox_claim(
    struct db *db, struct arena *a, unsigned lease_s, unsigned hourly_max, struct outbox_mail *mail_r)
{
	struct outbox_mail m = {0};
	struct db_rows rows;
	enum err e = db_query(db, a,
	    "SELECT id, account_id FROM notification WHERE" IS_DUE "AND " MAY_BE_TOLD
	    "ORDER BY next_at, id LIMIT ?",
	    DB_ARGS(db_p_u64(CANDIDATES)), &rows);

	if (e != ERR_OK)
		return e;
	token_random(m.token, sizeof(m.token));
	for (size_t i = 0; i < rows.count; i++) {
		m.id = db_u64(&rows, i, 0);
		e = spare(db, a, db_u64(&rows, i, 1), hourly_max);
		if (e == ERR_OK)
			e = lease(db, a, lease_s, &m);
		if (e == ERR_OK)
			*mail_r = m;
		if (e != ERR_BUSY && e != ERR_LIMIT)
			return e;
	}
	return rows.count > 0 ? ERR_BUSY : ERR_NOT_FOUND;
}

struct result {
	const struct outbox_mail *mail;
	const char *state, *event;
	unsigned delay_s;
	const char *text;
};

static enum err note_result(struct db *db, void *ctx)
{
	const struct result *r = ctx;
	uint64_t changed;
	enum err e = db_exec(db,
	    "UPDATE notification SET state = ?, lease_token = NULL, last_error = ?, last_to = ?,"
	    " next_at = UTC_TIMESTAMP(6) + INTERVAL ? SECOND, sent_at = IF(?, UTC_TIMESTAMP(6), NULL)"
	    " WHERE id = ? AND state = 'sending' AND lease_token = ?",
	    DB_ARGS(db_p_str(r->state), db_p_str(r->text), db_p_str(r->mail->to), db_p_u64(r->delay_s),
		db_p_u64(strcmp(r->state, "sent") == 0), db_p_u64(r->mail->id),
		db_p_blob(r->mail->token, OUTBOX_TOKEN_BYTES)),
	    &changed);
	const struct event ev = {
	    .job_id = r->mail->job_id, .kind = r->event, .from = -1, .to = -1, .detail = r->text};

	if (e != ERR_OK || changed == 0)
		return e == ERR_OK ? ERR_LOST : e;
	/* nobody has the link that was in it: what made another would have taken the mail from us */
	if (r->mail->is_invite && strcmp(r->state, "failed") == 0)
		return user_links_end(db, r->mail->user_id, "it could not be delivered");
	return r->event != NULL && r->mail->job_id != 0 ? event_add(db, &ev) : ERR_OK;
}

static enum err set_result(struct db *db, struct result *r)
{
	AUTO_ARENA struct arena *a = arena_new();

	r->text = text_clean(a, r->text, OUTBOX_ERROR_MAX_CHARS);
	return tx_run(db, note_result, r);
}

enum err store_outbox_sent(struct db *db, const struct outbox_mail *m)
{
	return set_result(db, &(struct result){.mail = m, .state = "sent", .event = "mail_sent"});
}

enum err store_outbox_later(struct db *db, const struct outbox_mail *m, unsigned delay_s, const char *text)
{
	return set_result(
	    db, &(struct result){.mail = m, .state = "waiting", .delay_s = delay_s, .text = text});
}

enum err store_outbox_suppressed(struct db *db, const struct outbox_mail *m, const char *text)
{
	return set_result(db, &(struct result){.mail = m, .state = "suppressed", .text = text});
}

enum err store_outbox_failed(struct db *db, const struct outbox_mail *m, const char *text)
{
	return set_result(
	    db, &(struct result){.mail = m, .state = "failed", .event = "mail_failed", .text = text});
}
