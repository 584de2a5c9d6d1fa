#include "sql/provision.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/buf.h"

struct grant {
	const char *table;
	const char *web; /* NULL: nothing */
	const char *worker;
};

/* A table that is missing here is out of reach for both; tests/stack/test_separation.py runs the product so.
 */
static const struct grant grants[] = {
    {"account", "SELECT", "SELECT"},
    /* The web notes visits; it makes nobody, and nobody an administrator. */
    {"user", "SELECT, UPDATE (last_login_at, jobs_seen_at)",
	"SELECT (id, email, role)"}, /* whose job it is, not their password's hash */
    {"session", "SELECT, INSERT, UPDATE, DELETE", NULL},
    {"login_throttle", "SELECT, INSERT, UPDATE, DELETE", NULL},
    {"server", "SELECT, INSERT, UPDATE, DELETE", "SELECT"},
    {"batch", "SELECT, INSERT", "SELECT (id, tag)"},
    {"job", "SELECT, INSERT, UPDATE, DELETE", "SELECT, UPDATE"},
    {"bulk", "SELECT, INSERT, UPDATE, DELETE", NULL},
    {"bulk_job", "SELECT, INSERT, UPDATE, DELETE", NULL},
    {"job_event", "SELECT, INSERT", "INSERT"},
    /* the web writes and confirms imports, and both remove what expired */
    {"import", "SELECT, INSERT, UPDATE, DELETE", "SELECT (id, expires_at), DELETE"},
    {"import_row", "SELECT, INSERT, DELETE", "SELECT (import_id), DELETE"},
    {"import_bad", "SELECT, INSERT, DELETE", "SELECT (import_id), DELETE"},
    {"job_log", "SELECT, DELETE", "SELECT, INSERT, DELETE"},
    {"run_slot", NULL, "SELECT, UPDATE"},
    {"worker", NULL, "SELECT, INSERT, UPDATE"},
    {"audit", "INSERT", NULL},
    {"schema_migration", "SELECT", "SELECT"},
};

enum { GRANTS = sizeof(grants) / sizeof(grants[0]) };

/* Names cannot be bound, so they are let through only if they need no quoting beyond backticks. */
static bool name_ok(const char *s, const char *more)
{
	size_t len = strlen(s);

	if (len == 0 || len > 64)
		return false;
	for (size_t i = 0; i < len; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", s[i]) == NULL &&
		    strchr(more, s[i]) == NULL)
			return false;
	return true;
}

enum err provision_database(struct db *db, const char *name)
{
	AUTO_BUF struct buf sql = BUF_INIT;

	if (!name_ok(name, ""))
		return ERR_INVALID;
	buf_addf(&sql, "CREATE DATABASE IF NOT EXISTS `%s` CHARACTER SET utf8mb4", name);
	return db_exec_text(db, sql.data);
}

static enum err make_user(struct db *db, const char *name, const char *user, bool is_web)
{
	AUTO_BUF struct buf sql = BUF_INIT;
	enum err e;

	buf_addf(&sql, "CREATE USER IF NOT EXISTS `%s`@localhost IDENTIFIED VIA unix_socket", user);
	e = db_exec_text(db, sql.data);
	for (size_t i = 0; i < GRANTS && e == ERR_OK; i++) {
		const char *what = is_web ? grants[i].web : grants[i].worker;

		if (what == NULL)
			continue;
		buf_clear(&sql);
		buf_addf(&sql, "GRANT %s ON `%s`.`%s` TO `%s`@localhost", what, name, grants[i].table, user);
		e = db_exec_text(db, sql.data);
	}
	return e;
}

enum err provision_users(struct db *db, const char *name, const char *web_user, const char *worker_user)
{
	enum err e;

	if (!name_ok(name, "") || !name_ok(web_user, "-") || !name_ok(worker_user, "-"))
		return ERR_INVALID;
	e = make_user(db, name, web_user, true);
	if (e == ERR_OK)
		e = make_user(db, name, worker_user, false);
	return e;
}

enum err provision_check(struct db *db, const char *name, const char *user, bool is_web)
{
	AUTO_ARENA struct arena *a = arena_new();
	AUTO_BUF struct buf grantee = BUF_INIT;
	struct db_rows rows;
	size_t wanted = 0;
	enum err e;

	for (size_t i = 0; i < GRANTS; i++)
		wanted += (is_web ? grants[i].web : grants[i].worker) != NULL;
	buf_addf(&grantee, "'%s'@'localhost'", user);
	e = db_query_one(db, a,
	    "SELECT COUNT(DISTINCT t.table_name) FROM"
	    " (SELECT table_name FROM information_schema.table_privileges WHERE grantee = ? AND table_schema "
	    "= ?"
	    " UNION SELECT table_name FROM information_schema.column_privileges WHERE grantee = ? AND"
	    " table_schema = ?) t",
	    DB_ARGS(db_p_str(grantee.data), db_p_str(name), db_p_str(grantee.data), db_p_str(name)), &rows);
	if (e == ERR_OK && db_u64(&rows, 0, 0) < wanted)
		e = ERR_NOT_FOUND;
	return e;
}
