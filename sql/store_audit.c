#include "sql/store_audit.h"

#include "sql/tx.h"

enum { ADDRESS_MAX_CHARS = 64, OBJECT_MAX_CHARS = 100, DETAIL_MAX_CHARS = 1000, LIST_MAX = 500 };

enum err store_audit_add(struct db *db, const struct audit *entry)
{
	AUTO_ARENA struct arena *a = arena_new();

	return db_exec(db,
	    "INSERT INTO audit (at, account_id, user_id, address, action, object, detail)"
	    " VALUES (UTC_TIMESTAMP(6), ?, ?, ?, ?, ?, ?)",
	    DB_ARGS(db_p_id(entry->account_id), db_p_id(entry->user_id),
		db_p_str(text_clean(a, entry->address, ADDRESS_MAX_CHARS)), db_p_str(entry->action),
		db_p_str(text_clean(a, entry->object, OBJECT_MAX_CHARS)),
		db_p_str(text_clean(a, entry->detail, DETAIL_MAX_CHARS))),
	    NULL);
}

enum err store_audit_list(struct db *db, struct arena *a, const struct viewer *v, uint64_t before,
    unsigned limit, struct audit **list_r, size_t *count_r)
{
	AUTO_QUERY struct query q = QUERY_INIT;
	struct db_rows rows;
	struct audit *list;
	enum err e;

	if (limit < 1 || limit > LIST_MAX)
		return ERR_INVALID;
	query_add(
	    &q, "SELECT id, at, account_id, user_id, address, action, object, detail FROM audit WHERE 1");
	if (!viewer_is_admin(v))
		query_add_p(&q, " AND account_id = ?", db_p_u64(v->account_id));
	if (before != 0)
		query_add_p(&q, " AND id < ?", db_p_u64(before));
	query_add_p(&q, " ORDER BY id DESC LIMIT ?", db_p_u64(limit));
	e = db_query(db, a, q.sql.data, q.params, q.count, &rows);
	if (e != ERR_OK)
		return e;
	list = arena_array(a, rows.count, sizeof(*list));
	for (size_t i = 0; i < rows.count; i++)
		list[i] = (struct audit){
		    .id = db_u64(&rows, i, 0),
		    .at = db_time_s(&rows, i, 1),
		    .account_id = db_u64(&rows, i, 2),
		    .user_id = db_u64(&rows, i, 3),
		    .address = db_str(&rows, i, 4),
		    .action = db_str(&rows, i, 5),
		    .object = db_str(&rows, i, 6),
		    .detail = db_str(&rows, i, 7),
		};
	*list_r = list;
	*count_r = rows.count;
	return ERR_OK;
}
