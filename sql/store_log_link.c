#include "sql/store_log_link.h"

#include <string.h>

#include "sql/tx.h"

enum { LIST_MAX = 100 };

#define SELECT_LINK \
	"SELECT l.id, l.job_id, j.account_id, l.created_at, l.expires_at, u.email FROM log_link l" \
	" JOIN job j ON j.id = l.job_id LEFT JOIN user u ON u.id = l.created_by WHERE "
#define WORKS "l.revoked_at IS NULL AND l.expires_at > UTC_TIMESTAMP(6)"
#define SEEN "(? = 1 OR j.account_id = ?)"

static void read_row(const struct db_rows *rows, size_t row, struct log_link *link_r)
{
	*link_r = (struct log_link){
	    .id = db_u64(rows, row, 0),
	    .job_id = db_u64(rows, row, 1),
	    .account_id = db_u64(rows, row, 2),
	    .created_at = db_time_s(rows, row, 3),
	    .expires_at = db_time_s(rows, row, 4),
	    .email = db_str(rows, row, 5),
	};
}

enum err store_log_link_find(struct db *db, struct arena *a, uint64_t id, struct log_link *link_r)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a, SELECT_LINK "l.id = ? AND " WORKS, DB_ARGS(db_p_u64(id)), &rows);

	if (e == ERR_OK)
		read_row(&rows, 0, link_r);
	return e;
}

enum err store_log_link_create(struct db *db, struct arena *a, const struct viewer *v, uint64_t job_id,
    unsigned days, struct log_link *link_r)
{
	uint64_t changed;
	enum err e;

	if (days < 1 || days > LOG_LINK_DAYS_MAX)
		return ERR_INVALID;
	e = db_exec(db,
	    "INSERT INTO log_link (job_id, created_by, created_at, expires_at) SELECT j.id, ?,"
	    " UTC_TIMESTAMP(6), UTC_TIMESTAMP() + INTERVAL ? DAY FROM job j WHERE j.id = ? AND " SEEN,
	    DB_ARGS(db_p_id(v->user_id), db_p_u64(days), db_p_u64(job_id), SCOPE_ARGS(v)), &changed);
	if (e == ERR_OK && changed != 1)
		return ERR_NOT_FOUND;
	return e == ERR_OK ? store_log_link_find(db, a, db_insert_id(db), link_r) : e;
}

enum err store_log_link_list(struct db *db, struct arena *a, const struct viewer *v, uint64_t job_id,
    struct log_link **list_r, size_t *count_r)
{
	struct db_rows rows;
	struct log_link *list;
	enum err e = db_query_one(db, a, "SELECT j.id FROM job j WHERE j.id = ? AND " SEEN,
	    DB_ARGS(db_p_u64(job_id), SCOPE_ARGS(v)), &rows);

	if (e == ERR_OK)
		e = db_query(db, a, SELECT_LINK "l.job_id = ? AND " WORKS " ORDER BY l.id DESC LIMIT ?",
		    DB_ARGS(db_p_u64(job_id), db_p_u64(LIST_MAX)), &rows);
	if (e != ERR_OK)
		return e;
	list = arena_array(a, rows.count, sizeof(*list));
	for (size_t i = 0; i < rows.count; i++)
		read_row(&rows, i, &list[i]);
	*list_r = list;
	*count_r = rows.count;
	return ERR_OK;
}

enum err store_log_link_revoke(struct db *db, const struct viewer *v, uint64_t id, uint64_t *job_id_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	uint64_t changed;
	enum err e = db_query_one(db, a,
	    "SELECT l.job_id FROM log_link l JOIN job j ON j.id = l.job_id WHERE l.id = ? AND " SEEN,
	    DB_ARGS(db_p_u64(id), SCOPE_ARGS(v)), &rows);

	if (e == ERR_OK)
		e = db_exec(db,
		    "UPDATE log_link SET revoked_at = UTC_TIMESTAMP(6) WHERE id = ? AND revoked_at IS NULL",
		    DB_ARGS(db_p_u64(id)), &changed);
	if (e == ERR_OK && changed != 1)
		return ERR_NOT_FOUND;
	if (e == ERR_OK)
		*job_id_r = db_u64(&rows, 0, 0);
	return e;
}

enum err store_log_link_key(struct db *db, unsigned char key_r[LOG_LINK_KEY_BYTES])
{
	AUTO_ARENA struct arena *a = arena_new_clean();
	struct db_rows rows;
	const void *bytes;
	size_t len;
	enum err e =
	    db_query_one(db, a, "SELECT bytes FROM site_secret WHERE name = 'log_link'", DB_NONE, &rows);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_INTERNAL : e;
	bytes = db_blob(&rows, 0, 0, &len);
	if (len != LOG_LINK_KEY_BYTES)
		return ERR_INTERNAL;
	memcpy(key_r, bytes, len);
	return ERR_OK;
}
