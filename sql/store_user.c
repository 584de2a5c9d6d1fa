#include "sql/store_user.h"

#include <string.h>

#include "sql/sign_ins.h"
#include "sql/tx.h"
#include "sql/user_links.h"

#define COLUMNS \
	"u.id, u.account_id, a.name, u.email, u.password_hash, u.role, u.mail_on_done, u.mail_on_failed," \
	" u.disabled_at, a.suspended_at, u.last_login_at, u.jobs_seen_at, u.created_at," \
	" u.password_hash <> '!', f.created_at, a.closed_at"
#define TABLES "user u JOIN account a ON a.id = u.account_id LEFT JOIN second_factor f ON f.user_id = u.id"

enum { EMAIL_MIN_CHARS = 3, EMAIL_MAX_CHARS = 254 };

static void read_row(const struct db_rows *rows, size_t row, struct user *user_r)
{
	*user_r = (struct user){
	    .id = db_u64(rows, row, 0),
	    .account_id = db_u64(rows, row, 1),
	    .account_name = db_str(rows, row, 2),
	    .email = db_str(rows, row, 3),
	    .password_hash = db_str(rows, row, 4),
	    .role = strcmp(db_str(rows, row, 5), "admin") == 0 ? ROLE_ADMIN : ROLE_MEMBER,
	    .mail_on_done = db_u64(rows, row, 6) != 0,
	    .mail_on_failed = db_u64(rows, row, 7) != 0,
	    .disabled_at = db_time_s(rows, row, 8),
	    .account_suspended_at = db_time_s(rows, row, 9),
	    .last_login_at = db_time_s(rows, row, 10),
	    .jobs_seen_at = db_time_s(rows, row, 11),
	    .created_at = db_time_s(rows, row, 12),
	    .has_password = db_u64(rows, row, 13) != 0,
	    .second_factor_at = db_time_s(rows, row, 14),
	    .account_closed_at = db_time_s(rows, row, 15),
	};
}

enum err store_user_by_email(struct db *db, struct arena *a, const char *email, struct user *user_r)
{
	struct db_rows rows;
	enum err e;

	if (!text_fits(email, 1, EMAIL_MAX_CHARS))
		return ERR_NOT_FOUND;
	e = db_query_one(db, a, "SELECT " COLUMNS " FROM " TABLES " WHERE u.email = LOWER(?)",
	    DB_ARGS(db_p_str(email)), &rows);
	if (e == ERR_OK)
		read_row(&rows, 0, user_r);
	return e;
}

enum err store_user_get(struct db *db, struct arena *a, uint64_t id, struct user *user_r)
{
	struct db_rows rows;
	enum err e = db_query_one(
	    db, a, "SELECT " COLUMNS " FROM " TABLES " WHERE u.id = ?", DB_ARGS(db_p_u64(id)), &rows);

	if (e == ERR_OK)
		read_row(&rows, 0, user_r);
	return e;
}

enum err store_user_create(struct db *db, uint64_t account_id, const char *email, const char *password_hash,
    enum role role, uint64_t *id_r)
{
	uint64_t made = 0;
	enum err e;

	if (!text_fits(email, EMAIL_MIN_CHARS, EMAIL_MAX_CHARS) || strchr(email, '@') == NULL ||
	    strchr(email, ' ') != NULL || !text_fits(password_hash, 1, 255))
		return ERR_INVALID;
	/* the account is locked, so that it is not closed while a user is made for it */
	e = db_exec(db,
	    "INSERT INTO user (account_id, email, password_hash, role, created_at)"
	    " SELECT id, LOWER(?), ?, ?, UTC_TIMESTAMP(6) FROM account WHERE id = ? AND closed_at IS NULL"
	    " LOCK IN SHARE MODE",
	    DB_ARGS(
		db_p_str(email), db_p_str(password_hash), db_p_str(role_name(role)), db_p_u64(account_id)),
	    &made);
	if (e == ERR_OK && made == 0)
		return ERR_NOT_FOUND;
	if (e == ERR_OK)
		*id_r = db_insert_id(db);
	return e;
}

struct password_change {
	uint64_t id;
	const char *hash;
};

static enum err set_password(struct db *db, void *ctx)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct password_change *c = ctx;
	struct user user;
	enum err e = store_user_get(db, a, c->id, &user);

	if (e == ERR_OK)
		e = db_exec(db, "UPDATE user SET password_hash = ? WHERE id = ?",
		    DB_ARGS(db_p_str(c->hash), db_p_u64(c->id)), NULL);
	if (e == ERR_OK)
		e = user_links_end(db, c->id, "a password was set since");
	return e == ERR_OK ? sign_ins_end(db, c->id) : e;
}

enum err store_user_set_password(struct db *db, uint64_t id, const char *password_hash)
{
	if (!text_fits(password_hash, 1, 255))
		return ERR_INVALID;
	return tx_run(db, set_password, &(struct password_change){id, password_hash});
}

enum err store_user_list(
    struct db *db, struct arena *a, uint64_t account_id, struct user **list_r, size_t *count_r)
{
	struct db_rows rows;
	struct user *list;
	enum err e = db_query(db, a,
	    "SELECT " COLUMNS " FROM " TABLES " WHERE ? = 0 OR u.account_id = ? ORDER BY u.email",
	    DB_ARGS(db_p_u64(account_id), db_p_u64(account_id)), &rows);

	if (e != ERR_OK)
		return e;
	list = arena_array(a, rows.count, sizeof(*list));
	for (size_t i = 0; i < rows.count; i++) {
		read_row(&rows, i, &list[i]);
		list[i].password_hash = NULL;
	}
	*list_r = list;
	*count_r = rows.count;
	return ERR_OK;
}

enum err store_user_jobs_seen(struct db *db, const struct viewer *v)
{
	return db_exec(db,
	    "UPDATE user SET jobs_seen_at = UTC_TIMESTAMP(6) WHERE id = ?"
	    " AND (jobs_seen_at IS NULL OR jobs_seen_at < UTC_TIMESTAMP(6) - INTERVAL 1 SECOND)",
	    DB_ARGS(db_p_u64(v->user_id)), NULL);
}

enum err store_user_set_mail(struct db *db, const struct viewer *v, bool on_done, bool on_failed)
{
	return db_exec(db, "UPDATE user SET mail_on_done = ?, mail_on_failed = ? WHERE id = ?",
	    DB_ARGS(db_p_u64(on_done), db_p_u64(on_failed), db_p_u64(v->user_id)), NULL);
}
