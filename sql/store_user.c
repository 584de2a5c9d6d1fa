#include "sql/store_user.h"

#include <string.h>

#include "sql/tx.h"
#include "sql/user_links.h"

#define COLUMNS \
	"u.id, u.account_id, a.name, u.email, u.password_hash, u.role, u.mail_on_done, u.mail_on_failed," \
	" u.disabled_at, a.suspended_at, u.last_login_at, u.jobs_seen_at, u.created_at," \
	" u.password_hash <> '!', f.created_at"
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
	enum err e;

	if (!text_fits(email, EMAIL_MIN_CHARS, EMAIL_MAX_CHARS) || strchr(email, '@') == NULL ||
	    strchr(email, ' ') != NULL || !text_fits(password_hash, 1, 255))
		return ERR_INVALID;
	e = db_exec(db,
	    "INSERT INTO user (account_id, email, password_hash, role, created_at)"
	    " VALUES (?, LOWER(?), ?, ?, UTC_TIMESTAMP(6))",
	    DB_ARGS(
		db_p_u64(account_id), db_p_str(email), db_p_str(password_hash), db_p_str(role_name(role))),
	    NULL);
	if (e == ERR_OK)
		*id_r = db_insert_id(db);
	return e;
}

/* One change that also ends the user's sessions and one-time links. */
struct change {
	uint64_t id;
	const char *password_hash; /* NULL: disable or enable instead */
	bool disabled;
};

static enum err change_user(struct db *db, void *ctx)
{
	const struct change *c = ctx;
	enum err e;

	if (c->password_hash != NULL)
		e = db_exec(db, "UPDATE user SET password_hash = ? WHERE id = ?",
		    DB_ARGS(db_p_str(c->password_hash), db_p_u64(c->id)), NULL);
	else
		e = db_exec(db,
		    "UPDATE user SET disabled_at = IF(?, COALESCE(disabled_at, UTC_TIMESTAMP(6)), NULL) "
		    "WHERE id = ?",
		    DB_ARGS(db_p_u64(c->disabled), db_p_u64(c->id)), NULL);
	if (e == ERR_OK)
		e = user_links_end(db, c->id,
		    c->password_hash != NULL ? "a password was set since"
					     : "the user was disabled or enabled since");
	if (e != ERR_OK)
		return e;
	return db_exec(db, "DELETE FROM session WHERE user_id = ?", DB_ARGS(db_p_u64(c->id)), NULL);
}

static enum err change_existing(struct db *db, struct change *c)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct user user;
	enum err e = store_user_get(db, a, c->id, &user);

	return e == ERR_OK ? tx_run(db, change_user, c) : e;
}

enum err store_user_set_password(struct db *db, uint64_t id, const char *password_hash)
{
	if (!text_fits(password_hash, 1, 255))
		return ERR_INVALID;
	return change_existing(db, &(struct change){.id = id, .password_hash = password_hash});
}

enum err store_user_disable(struct db *db, uint64_t id, bool disabled)
{
	return change_existing(db, &(struct change){.id = id, .disabled = disabled});
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
