/* A customer who has left. */
#include "sql/admin.h"
#include "sql/job_row.h"
#include "sql/sign_ins.h"
#include "sql/store_account.h"
#include "sql/tx.h"
#include "sql/user_links.h"

struct closing {
	const struct viewer *v;
	uint64_t id;
};

/* What the account's jobs in that state become; the event goes first: it shows whom the change will reach. */
static enum err end_jobs(struct db *db, const struct closing *c, const char *state, const char *kind,
    const char *to_state, const char *update)
{
	enum err e = db_exec(db,
	    "INSERT INTO job_event (job_id, account_id, at, kind, from_state, to_state, user_id, detail)"
	    " SELECT id, account_id, UTC_TIMESTAMP(6), ?, state, ?, ?, 'account closed'"
	    " FROM job WHERE account_id = ? AND state = ? AND (state = 'queued' OR cancel_requested_at IS "
	    "NULL)",
	    DB_ARGS(
		db_p_str(kind), db_p_str(to_state), db_p_id(c->v->user_id), db_p_u64(c->id), db_p_str(state)),
	    NULL);

	if (e != ERR_OK)
		return e;
	return db_exec(db, update, DB_ARGS(db_p_id(c->v->user_id), db_p_u64(c->id)), NULL);
}

/* Those of jobs that are still being stopped go when their time is over. */
static enum err remove_passwords(struct db *db, const struct closing *c)
{
	enum err e = db_exec(db,
	    "INSERT INTO job_event (job_id, account_id, at, kind, user_id, detail)"
	    " SELECT j.id, j.account_id, UTC_TIMESTAMP(6), 'passwords_removed', ?, 'account closed'"
	    " FROM job j WHERE j.account_id = ? AND" JOB_HAS_IDLE_PASSWORDS,
	    DB_ARGS(db_p_id(c->v->user_id), db_p_u64(c->id)), NULL);

	if (e == ERR_OK)
		e = db_exec(db,
		    "UPDATE job j SET" JOB_PASSWORDS_REMOVED_SET
		    "WHERE j.account_id = ? AND" JOB_HAS_IDLE_PASSWORDS,
		    DB_ARGS(db_p_u64(c->id)), NULL);
	if (e == ERR_OK)
		e = db_exec(db,
		    "DELETE i FROM import_row i JOIN import m ON m.id = i.import_id WHERE m.account_id = ?",
		    DB_ARGS(db_p_u64(c->id)), NULL);
	return e;
}

static enum err end_access(struct db *db, const struct closing *c)
{
	static const char *const statements[] = {
	    "DELETE e FROM user_external e JOIN user u ON u.id = e.user_id WHERE u.account_id = ?",
	    "DELETE FROM account_external WHERE account_id = ?",
	    "UPDATE api_token SET revoked_at = COALESCE(revoked_at, UTC_TIMESTAMP(6)) WHERE account_id = ?",
	    "UPDATE log_link l JOIN job j ON j.id = l.job_id SET l.revoked_at = COALESCE(l.revoked_at,"
	    " UTC_TIMESTAMP(6)) WHERE j.account_id = ?",
	    "UPDATE user SET disabled_at = COALESCE(disabled_at, UTC_TIMESTAMP(6)), mail_on_done = FALSE,"
	    " mail_on_failed = FALSE, email = CONCAT('closed-', id, '-', LEFT(email, 220)) WHERE account_id "
	    "= ?",
	};
	enum err e = user_links_end_account(db, c->id, "the account was closed");

	if (e == ERR_OK)
		e = sign_ins_end_account(db, c->id);
	for (size_t i = 0; e == ERR_OK && i < sizeof(statements) / sizeof(statements[0]); i++)
		e = db_exec(db, statements[i], DB_ARGS(db_p_u64(c->id)), NULL);
	return e;
}

/* ERR_CONFLICT: the installation would have no administrator left.  Locked, as store_user_admin.c does, so
 * that two do not go at once. */
static enum err check_others(struct db *db, const struct closing *c)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query(db, a,
	    "SELECT account_id FROM user WHERE role = 'admin' AND disabled_at IS NULL FOR UPDATE", DB_NONE,
	    &rows);

	for (size_t i = 0; e == ERR_OK && i < rows.count; i++)
		if (db_u64(&rows, i, 0) != c->id)
			return ERR_OK;
	return e == ERR_OK ? ERR_CONFLICT : e;
}

static enum err close_account(struct db *db, void *ctx)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct closing *c = ctx;
	struct account account;
	enum err e = admin_check(db, c->v);

	if (e == ERR_OK)
		e = store_account_get(db, a, c->id, &account);
	if (e != ERR_OK)
		return e;
	if (account.closed_at != 0)
		return ERR_OK;
	if (c->v->user_id != 0 && c->id == c->v->account_id)
		return ERR_CONFLICT;
	e = check_others(db, c);
	if (e == ERR_OK)
		e = db_exec(db,
		    "UPDATE account SET closed_at = UTC_TIMESTAMP(6), suspended_at = COALESCE(suspended_at,"
		    " UTC_TIMESTAMP(6)), panel_origins = NULL, notify_email = NULL,"
		    " name = CONCAT(LEFT(name, 70), ' (closed, ', id, ')') WHERE id = ?",
		    DB_ARGS(db_p_u64(c->id)), NULL);
	if (e == ERR_OK)
		e = end_jobs(db, c, "queued", "cancelled", "cancelled",
		    "UPDATE job j SET" JOB_CANCEL_SET "WHERE j.account_id = ? AND j.state = 'queued'");
	if (e == ERR_OK)
		e = end_jobs(db, c, "running", "cancel_asked", "running",
		    "UPDATE job j SET" JOB_CANCEL_WISH_SET
		    "WHERE j.account_id = ? AND j.state = 'running' AND j.cancel_requested_at IS NULL");
	if (e == ERR_OK)
		e = remove_passwords(db, c);
	return e == ERR_OK ? end_access(db, c) : e;
}

enum err store_account_close(struct db *db, const struct viewer *v, uint64_t id)
{
	return tx_run(db, close_account, &(struct closing){v, id});
}
