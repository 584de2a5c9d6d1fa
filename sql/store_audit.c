#include "sql/store_audit.h"

#include "sql/tx.h"

#define MICROSECONDS INT64_C(1000000)

enum { ADDRESS_MAX_CHARS = 64, OBJECT_MAX_CHARS = 100, DETAIL_MAX_CHARS = 1000 };

enum err store_audit_add(struct db *db, const struct audit *entry)
{
	AUTO_ARENA struct arena *a = arena_new();

	return db_exec(db,
	    "INSERT INTO audit (at, account_id, user_id, token_id, support, address, action, object, detail)"
	    " VALUES (UTC_TIMESTAMP(6), ?, ?, ?, ?, ?, ?, ?, ?)",
	    DB_ARGS(db_p_id(entry->account_id), db_p_id(entry->user_id), db_p_id(entry->token_id),
		db_p_str(entry->support), db_p_str(text_clean(a, entry->address, ADDRESS_MAX_CHARS)),
		db_p_str(entry->action), db_p_str(text_clean(a, entry->object, OBJECT_MAX_CHARS)),
		db_p_str(text_clean(a, entry->detail, DETAIL_MAX_CHARS))),
	    NULL);
}

/* Actions are ASCII words, and the column is not compared with anything else. */
static void add_action(struct query *q, const char *action)
{
	for (const char *p = action; *p != '\0'; p++)
		if ((unsigned char)*p > 0x7E) {
			query_add(q, " AND 0");
			return;
		}
	query_add_p(q, " AND t.action = ?", db_p_str(action));
}

static void add_filter(struct query *q, const struct viewer *v, const struct audit_filter *f)
{
	if (!viewer_is_admin(v))
		query_add_p(q, " AND t.account_id = ?", db_p_u64(v->account_id));
	if (f->account_id != 0)
		query_add_p(q, " AND t.account_id = ?", db_p_u64(f->account_id));
	if (f->user_id != 0)
		query_add_p(q, " AND t.user_id = ?", db_p_u64(f->user_id));
	if (f->action != NULL && f->action[0] != '\0')
		add_action(q, f->action);
	if (f->object != NULL && f->object[0] != '\0')
		query_add_p(q, " AND t.object = ?", db_p_str(f->object));
	if (f->email != NULL && f->email[0] != '\0')
		query_add_p(
		    q, " AND t.user_id IN (SELECT w.id FROM user w WHERE w.email = ?)", db_p_str(f->email));
	if (f->address != NULL && f->address[0] != '\0')
		query_add_p(q, " AND t.address = ?", db_p_str(f->address));
	if (f->from_s != 0)
		query_add_p(q, " AND t.at >= ?", db_p_time(f->from_s * MICROSECONDS));
	if (f->until_s != 0)
		query_add_p(q, " AND t.at < ?", db_p_time(f->until_s * MICROSECONDS));
	if (f->before != 0)
		query_add_p(q, " AND t.id < ?", db_p_u64(f->before));
}

enum err store_audit_list(struct db *db, struct arena *a, const struct viewer *v,
    const struct audit_filter *f, unsigned limit, struct audit **list_r, size_t *count_r)
{
	AUTO_QUERY struct query q = QUERY_INIT;
	struct db_rows rows;
	struct audit *list;
	enum err e;

	if (limit < 1 || limit > AUDIT_PAGE_MAX)
		return ERR_INVALID;
	query_add(&q,
	    "SELECT t.id, t.at, t.account_id, t.user_id, t.address, t.action, t.object, t.detail, t.token_id,"
	    " (SELECT a.name FROM account a WHERE a.id = t.account_id),"
	    " (SELECT u.email FROM user u WHERE u.id = t.user_id), t.support FROM audit t WHERE 1");
	add_filter(&q, v, f);
	query_add_p(&q, " ORDER BY t.id DESC LIMIT ?", db_p_u64(limit));
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
		    .token_id = db_u64(&rows, i, 8),
		    .account_name = db_str(&rows, i, 9),
		    .email = db_str(&rows, i, 10),
		    .support = db_str(&rows, i, 11),
		};
	*list_r = list;
	*count_r = rows.count;
	return ERR_OK;
}
