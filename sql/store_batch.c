#include "sql/store_batch.h"

#include <string.h>

#include "sql/tx.h"

#define SELECT_BATCH \
	"SELECT b.id, b.account_id, (SELECT a.name FROM account a WHERE a.id = b.account_id), b.tag," \
	" b.created_by, (SELECT u.email FROM user u WHERE u.id = b.created_by), b.created_at," \
	" b.options FROM batch b WHERE (? = 1 OR b.account_id = ?)"

bool batch_tag_fits(const char *tag)
{
	size_t len = tag != NULL ? strlen(tag) : 0;

	if (len == 0 || len > BATCH_TAG_MAX_CHARS || tag[0] == ' ' || tag[len - 1] == ' ')
		return false;
	/* Two blanks look like one in a page. */
	return strstr(tag, "  ") == NULL &&
	       tag[strspn(tag, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_. ")] == '\0';
}

enum err store_batch_create(struct db *db, const struct viewer *v, const char *tag, uint64_t *id_r)
{
	return store_batch_create_once(db, v, tag, NULL, NULL, id_r);
}

enum err store_batch_create_once(struct db *db, const struct viewer *v, const char *tag, const char *options,
    const uint8_t *request_key, uint64_t *id_r)
{
	enum err e;

	if (!batch_tag_fits(tag))
		return ERR_INVALID;
	e = db_exec(db,
	    "INSERT INTO batch (account_id, tag, created_by, options, request_key, created_at)"
	    " VALUES (?, ?, ?, ?, ?, UTC_TIMESTAMP(6))",
	    DB_ARGS(db_p_u64(v->account_id), db_p_str(tag), db_p_id(v->user_id), db_p_str(options),
		db_p_blob(request_key, JOB_REQUEST_KEY_BYTES)),
	    NULL);
	if (e == ERR_OK)
		*id_r = db_insert_id(db);
	return e;
}

enum err store_batch_find(struct db *db, const struct viewer *v, const char *tag, uint64_t *id_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query_one(db, a, "SELECT id FROM batch WHERE account_id = ? AND tag = ?",
	    DB_ARGS(db_p_u64(v->account_id), db_p_str(tag)), &rows);

	if (e == ERR_OK)
		*id_r = db_u64(&rows, 0, 0);
	return e;
}

enum err store_batch_by_key(struct db *db, const struct viewer *v, const uint8_t *request_key, uint64_t *id_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query_one(db, a, "SELECT id FROM batch WHERE account_id = ? AND request_key = ?",
	    DB_ARGS(db_p_u64(v->account_id), db_p_blob(request_key, JOB_REQUEST_KEY_BYTES)), &rows);

	if (e == ERR_OK)
		*id_r = db_u64(&rows, 0, 0);
	return e;
}

enum err store_batch_jobs(
    struct db *db, struct arena *a, const struct viewer *v, uint64_t id, uint64_t **ids_r, size_t *count_r)
{
	struct db_rows rows;
	enum err e = db_query(db, a,
	    "SELECT id FROM job WHERE batch_id = ? AND parent_id IS NULL AND " SCOPE " ORDER BY id",
	    DB_ARGS(db_p_u64(id), SCOPE_ARGS(v)), &rows);

	if (e != ERR_OK)
		return e;
	*ids_r = arena_array(a, rows.count, sizeof(**ids_r));
	*count_r = rows.count;
	for (size_t i = 0; i < rows.count; i++)
		(*ids_r)[i] = db_u64(&rows, i, 0);
	return ERR_OK;
}

static struct batch read_row(const struct db_rows *rows, size_t row)
{
	return (struct batch){
	    .id = db_u64(rows, row, 0),
	    .account_id = db_u64(rows, row, 1),
	    .account_name = db_str(rows, row, 2),
	    .tag = db_str(rows, row, 3),
	    .created_by = db_u64(rows, row, 4),
	    .created_by_email = db_str(rows, row, 5),
	    .created_at = db_time_s(rows, row, 6),
	    .options = db_str(rows, row, 7),
	};
}

enum err store_batch_get(
    struct db *db, struct arena *a, const struct viewer *v, uint64_t id, struct batch *batch_r)
{
	struct db_rows rows;
	enum err e =
	    db_query_one(db, a, SELECT_BATCH " AND b.id = ?", DB_ARGS(SCOPE_ARGS(v), db_p_u64(id)), &rows);

	if (e == ERR_OK)
		*batch_r = read_row(&rows, 0);
	return e;
}

enum err store_batch_list(struct db *db, struct arena *a, const struct viewer *v, const char *tag,
    uint64_t before, unsigned limit, struct batch **list_r, size_t *count_r, bool *more_r)
{
	struct db_rows rows;
	enum err e;

	if (limit < 1 || limit > BATCH_PAGE_MAX)
		return ERR_INVALID;
	e = db_query(db, a,
	    SELECT_BATCH " AND (? = 0 OR b.id < ?) AND (? IS NULL OR b.tag = ?) ORDER BY b.id DESC LIMIT ?",
	    DB_ARGS(SCOPE_ARGS(v), db_p_u64(before), db_p_u64(before), db_p_str(tag), db_p_str(tag),
		db_p_u64(limit + 1)),
	    &rows);
	if (e != ERR_OK)
		return e;
	*more_r = rows.count > limit;
	*count_r = *more_r ? limit : rows.count;
	*list_r = arena_array(a, *count_r, sizeof(**list_r));
	for (size_t i = 0; i < *count_r; i++)
		(*list_r)[i] = read_row(&rows, i);
	return ERR_OK;
}
