#include "sql/store_log_link.h"

#include <string.h>

#include "lib/token.h"
#include "sql/tx.h"

enum { LIST_MAX = 100, KEY_BYTES = 32 };

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

enum err store_log_link_for_mail(struct db *db, struct arena *a, uint64_t job_id, struct log_link *link_r)
{
	const struct viewer all = {.role = ROLE_ADMIN};
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    SELECT_LINK "l.job_id = ? AND l.created_by IS NULL AND l.revoked_at IS NULL"
			" AND l.expires_at > UTC_TIMESTAMP(6) + INTERVAL ? DAY ORDER BY l.id DESC LIMIT 1",
	    DB_ARGS(db_p_u64(job_id), db_p_u64(LOG_LINK_DAYS - 1)), &rows);

	if (e == ERR_OK)
		read_row(&rows, 0, link_r);
	return e == ERR_NOT_FOUND ? store_log_link_create(db, a, &all, job_id, LOG_LINK_DAYS, link_r) : e;
}

static enum err read_key(struct db *db, unsigned char key_r[KEY_BYTES])
{
	AUTO_ARENA struct arena *a = arena_new_clean();
	struct db_rows rows;
	const void *bytes;
	size_t len;
	enum err e = db_query_one(db, a, "SELECT bytes FROM log_link_key WHERE id = 1", DB_NONE, &rows);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_INTERNAL : e;
	bytes = db_blob(&rows, 0, 0, &len);
	if (len != KEY_BYTES)
		return ERR_INTERNAL;
	memcpy(key_r, bytes, len);
	return ERR_OK;
}

enum err store_log_link_token(struct db *db, struct arena *a, const struct log_link *l, const char **token_r)
{
	unsigned char key[KEY_BYTES], mac[TOKEN_HASH_BYTES];
	char *hex = arena_alloc(a, TOKEN_HEX_LEN + 1);
	const char *text = arena_printf(a, "log-link|%llu|%llu|%lld", (unsigned long long)l->id,
	    (unsigned long long)l->job_id, (long long)l->expires_at);
	enum err e = read_key(db, key);

	if (e != ERR_OK)
		return e;
	token_sign(key, sizeof(key), text, mac);
	explicit_bzero(key, sizeof(key));
	token_hex(mac, sizeof(mac), hex);
	*token_r = arena_printf(a, "%llu-%s", (unsigned long long)l->id, hex);
	return ERR_OK;
}
