#include "sql/store_account.h"

#include "sql/job_row.h"
#include "sql/tx.h"

#define COLUMNS "id, name, external_id, suspended_at, created_at"

enum { NAME_MAX_CHARS = 100 };

static void read_row(const struct db_rows *rows, size_t row, struct account *account_r)
{
	*account_r = (struct account){
	    .id = db_u64(rows, row, 0),
	    .name = db_str(rows, row, 1),
	    .external_id = db_str(rows, row, 2),
	    .suspended_at = db_time_s(rows, row, 3),
	    .created_at = db_time_s(rows, row, 4),
	};
}

enum err store_account_create(struct db *db, const char *name, const char *external_id, uint64_t *id_r)
{
	enum err e;

	if (!text_fits(name, 1, NAME_MAX_CHARS) || !text_fits(external_id, 0, NAME_MAX_CHARS))
		return ERR_INVALID;
	e = db_exec(db, "INSERT INTO account (name, external_id, created_at) VALUES (?, ?, UTC_TIMESTAMP(6))",
	    DB_ARGS(db_p_str(name), db_p_str(external_id)), NULL);
	if (e == ERR_OK)
		*id_r = db_insert_id(db);
	return e;
}

enum err store_account_get(struct db *db, struct arena *a, uint64_t id, struct account *account_r)
{
	struct db_rows rows;
	enum err e =
	    db_query_one(db, a, "SELECT " COLUMNS " FROM account WHERE id = ?", DB_ARGS(db_p_u64(id)), &rows);

	if (e == ERR_OK)
		read_row(&rows, 0, account_r);
	return e;
}

enum err store_account_by_name(struct db *db, struct arena *a, const char *name, struct account *account_r)
{
	struct db_rows rows;
	enum err e = db_query_one(
	    db, a, "SELECT " COLUMNS " FROM account WHERE name = ?", DB_ARGS(db_p_str(name)), &rows);

	if (e == ERR_OK)
		read_row(&rows, 0, account_r);
	return e;
}

enum err store_account_list(struct db *db, struct arena *a, struct account **list_r, size_t *count_r)
{
	struct db_rows rows;
	struct account *list;
	enum err e = db_query(db, a, "SELECT " COLUMNS " FROM account ORDER BY name", DB_NONE, &rows);

	if (e != ERR_OK)
		return e;
	list = arena_array(a, rows.count, sizeof(*list));
	for (size_t i = 0; i < rows.count; i++)
		read_row(&rows, i, &list[i]);
	*list_r = list;
	*count_r = rows.count;
	return ERR_OK;
}

struct suspension {
	uint64_t id;
	bool suspended;
	uint64_t user_id;
};

/* Those that run are told to stop; the worker does it.  The event goes first: it shows whom the wish will
 * reach. */
static enum err stop_running(struct db *db, const struct suspension *s)
{
	enum err e = db_exec(db,
	    "INSERT INTO job_event (job_id, account_id, at, kind, from_state, to_state, user_id, detail)"
	    " SELECT id, account_id, UTC_TIMESTAMP(6), 'cancel_asked', 'running', 'running', ?, 'account "
	    "suspended'"
	    " FROM job WHERE account_id = ? AND state = 'running' AND cancel_requested_at IS NULL",
	    DB_ARGS(db_p_id(s->user_id), db_p_u64(s->id)), NULL);

	if (e != ERR_OK)
		return e;
	return db_exec(db,
	    "UPDATE job j SET" JOB_CANCEL_WISH_SET
	    "WHERE j.account_id = ? AND j.state = 'running' AND j.cancel_requested_at IS NULL",
	    DB_ARGS(db_p_id(s->user_id), db_p_u64(s->id)), NULL);
}

static enum err suspend(struct db *db, void *ctx)
{
	const struct suspension *s = ctx;
	enum err e = db_exec(db,
	    "UPDATE account SET suspended_at = IF(?, COALESCE(suspended_at, UTC_TIMESTAMP(6)), NULL) WHERE "
	    "id = ?",
	    DB_ARGS(db_p_u64(s->suspended), db_p_u64(s->id)), NULL);

	return e == ERR_OK && s->suspended ? stop_running(db, s) : e;
}

enum err store_account_suspend(struct db *db, uint64_t id, bool suspended, uint64_t user_id)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct account account;
	enum err e = store_account_get(db, a, id, &account);

	return e == ERR_OK ? tx_run(db, suspend, &(struct suspension){id, suspended, user_id}) : e;
}
