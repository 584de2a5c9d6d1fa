#include "sql/store_account.h"

#include "sql/tx.h"

#define COLUMNS \
	"a.id, a.name, (SELECT GROUP_CONCAT(CONCAT(e.issuer, ' ', e.external_id) ORDER BY e.issuer " \
	"SEPARATOR" \
	" '\n') FROM account_external e WHERE e.account_id = a.id), a.suspended_at, a.created_at, " \
	"a.max_queued, a.max_daily," \
	" IF(a.made_on <=> UTC_DATE(), a.made_count, 0)," \
	" (SELECT COUNT(*) FROM user u WHERE u.account_id = a.id)," \
	" (SELECT COUNT(*) FROM job j WHERE j.account_id = a.id AND j.state = 'queued')," \
	" (SELECT COUNT(*) FROM job j WHERE j.account_id = a.id AND j.state = 'running')," \
	" a.panel_origins, a.closed_at, a.notify_email, a.may_delete2, a.max_running"

enum { NAME_MAX_CHARS = 100 };

static void read_row(const struct db_rows *rows, size_t row, struct account *account_r)
{
	*account_r = (struct account){
	    .id = db_u64(rows, row, 0),
	    .name = db_str(rows, row, 1),
	    .external_ids = db_str(rows, row, 2),
	    .suspended_at = db_time_s(rows, row, 3),
	    .created_at = db_time_s(rows, row, 4),
	    .max_queued = db_count(rows, row, 5),
	    .max_daily = db_count(rows, row, 6),
	    .made_today = db_u64(rows, row, 7),
	    .users = db_u64(rows, row, 8),
	    .queued = db_u64(rows, row, 9),
	    .running = db_u64(rows, row, 10),
	    .panel_origins = db_str(rows, row, 11),
	    .closed_at = db_time_s(rows, row, 12),
	    .notify_email = db_str(rows, row, 13),
	    .may_delete2 = db_u64(rows, row, 14) != 0,
	    .max_running = db_i64(rows, row, 15),
	};
}

enum err store_account_create(struct db *db, const char *name, uint64_t *id_r)
{
	enum err e;

	if (!text_fits(name, 1, NAME_MAX_CHARS))
		return ERR_INVALID;
	e = db_exec(db, "INSERT INTO account (name, created_at) VALUES (?, UTC_TIMESTAMP(6))",
	    DB_ARGS(db_p_str(name)), NULL);
	if (e == ERR_OK)
		*id_r = db_insert_id(db);
	return e;
}

enum err store_account_get(struct db *db, struct arena *a, uint64_t id, struct account *account_r)
{
	struct db_rows rows;
	enum err e = db_query_one(
	    db, a, "SELECT " COLUMNS " FROM account a WHERE a.id = ?", DB_ARGS(db_p_u64(id)), &rows);

	if (e == ERR_OK)
		read_row(&rows, 0, account_r);
	return e;
}

enum err store_account_by_name(struct db *db, struct arena *a, const char *name, struct account *account_r)
{
	struct db_rows rows;
	enum err e = db_query_one(
	    db, a, "SELECT " COLUMNS " FROM account a WHERE a.name = ?", DB_ARGS(db_p_str(name)), &rows);

	if (e == ERR_OK)
		read_row(&rows, 0, account_r);
	return e;
}

enum err store_account_by_external(
    struct db *db, struct arena *a, const char *issuer, const char *external_id, struct account *account_r)
{
	uint64_t id;
	enum err e = store_external_find(db, EXTERNAL_ACCOUNT, issuer, external_id, &id);

	return e == ERR_OK ? store_account_get(db, a, id, account_r) : e;
}

enum err store_account_list(struct db *db, struct arena *a, struct account **list_r, size_t *count_r)
{
	struct db_rows rows;
	struct account *list;
	enum err e = db_query(db, a, "SELECT " COLUMNS " FROM account a ORDER BY a.name", DB_NONE, &rows);

	if (e != ERR_OK)
		return e;
	list = arena_array(a, rows.count, sizeof(*list));
	for (size_t i = 0; i < rows.count; i++)
		read_row(&rows, i, &list[i]);
	*list_r = list;
	*count_r = rows.count;
	return ERR_OK;
}
