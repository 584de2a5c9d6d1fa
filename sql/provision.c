#include "sql/provision.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

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
    /* the admin pages; made_ is what limits count */
    {"account",
	"SELECT, INSERT (name, max_running, max_queued, max_daily, panel_origins, notify_email, may_delete2, "
	"created_at),"
	" UPDATE (name, suspended_at, closed_at, max_running, max_queued, max_daily, panel_origins, "
	"notify_email, "
	"may_delete2, made_on, made_count)",
	"SELECT"},
    {"account_host", "SELECT, INSERT, DELETE", "SELECT"},
    /* The web notes visits, and does what administrators do; nobody is ever removed or moved; who belonged to
     * a closed account gives the address back. */
    {"user",
	"SELECT, INSERT (account_id, email, password_hash, role, created_at),"
	" UPDATE (email, password_hash, role, disabled_at, last_login_at, jobs_seen_at, mail_on_done, "
	"mail_on_failed)",
	/* whose job it is and whether they want to hear of it, not their password's hash */
	"SELECT (id, account_id, email, role, disabled_at, mail_on_done, mail_on_failed, jobs_seen_at)"},
    {"account_external", "SELECT, INSERT, UPDATE (uid), DELETE", NULL},
    {"user_external", "SELECT, INSERT, DELETE", NULL},
    {"session", "SELECT, INSERT, UPDATE, DELETE", NULL},
    /* a mail may bring a link: its notifier ends those before it, and reads none */
    {"user_link", "SELECT, INSERT, DELETE", "SELECT (user_id), INSERT, DELETE"},
    {"sso_link", "SELECT, INSERT, DELETE", NULL},
    /* of a second factor nothing changes but what was used */
    {"second_factor", "SELECT, INSERT, UPDATE (last_step), DELETE", NULL},
    {"recovery_code", "SELECT, INSERT, DELETE", NULL},
    {"login_ticket", "SELECT, INSERT, UPDATE (tries_left), DELETE", NULL},
    {"api_token", "SELECT, INSERT, UPDATE (last_used_at, last_address, revoked_at)", NULL},
    /* mails may carry links to logs */
    {"log_link", "SELECT, INSERT, UPDATE (revoked_at)", "SELECT, INSERT"},
    {"log_link_key", "SELECT", "SELECT"},
    {"site_secret", "SELECT", NULL},
    {"login_throttle", "SELECT, INSERT, UPDATE, DELETE", NULL},
    {"server", "SELECT, INSERT, UPDATE, DELETE", "SELECT"},
    {"batch", "SELECT, INSERT", "SELECT, UPDATE (ends, unreported)"},
    /* the web asks for mails with a link, and takes that back */
    {"notification",
	"SELECT, INSERT (account_id, user_id, kind, dedupe_key, next_at, created_at, created_by),"
	" UPDATE (state, lease_token, last_error)",
	"SELECT, INSERT, UPDATE"},
    /* the worker makes none; it deletes those that have had their time (job_days) */
    {"job", "SELECT, INSERT, UPDATE, DELETE", "SELECT, UPDATE, DELETE"},
    /* the worker sees whether one is still going on */
    {"bulk", "SELECT, INSERT, UPDATE, DELETE", "SELECT (id, action, done, touched_at, finished_at)"},
    {"bulk_job", "SELECT, INSERT, UPDATE, DELETE", "SELECT (bulk_id, n, job_id)"},
    {"job_event", "SELECT, INSERT", "INSERT"},
    /* the web writes and confirms imports, and both remove what expired */
    {"import", "SELECT, INSERT, UPDATE, DELETE", "SELECT (id, expires_at), DELETE"},
    {"import_row", "SELECT, INSERT, DELETE", "SELECT (import_id), DELETE"},
    {"import_bad", "SELECT, INSERT, DELETE", "SELECT (import_id), DELETE"},
    {"job_log", "SELECT, DELETE", "SELECT, INSERT, DELETE"},
    {"run_slot", "SELECT", "SELECT, UPDATE"},
    {"account_turn", NULL, "SELECT, INSERT, UPDATE"},
    {"chore", NULL, "SELECT, UPDATE"},
    {"worker", "SELECT", "SELECT, INSERT, UPDATE"},
    /* the worker notes what expired */
    {"audit", "SELECT, INSERT", "INSERT"},
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

static const char *wanted_on(const struct grant *g, bool is_web)
{
	return is_web ? g->web : g->worker;
}

/* Whether word is among the words of list, which are parted by ", " and end at end. */
static bool has_word(const char *list, const char *end, const char *word)
{
	size_t len = strlen(word);

	while (list < end) {
		size_t n = strcspn(list, ",)");

		if (n == len && strncasecmp(list, word, len) == 0)
			return true;
		list += n;
		list += strspn(list, ", )");
	}
	return false;
}

/* Whether what, as "SELECT, UPDATE (a, b)", holds privilege on all columns (column NULL) or on column. */
static bool holds(const char *what, const char *privilege, const char *column)
{
	while (*what != '\0') {
		size_t name = strcspn(what, ",(");
		const char *open = what[name] == '(' ? what + name + 1 : NULL;
		const char *end = open != NULL ? strchr(open, ')') : what + name;
		size_t len = name - (open != NULL); /* the blank before the parenthesis */

		if (len == strlen(privilege) && strncasecmp(what, privilege, len) == 0 &&
		    (open == NULL ? column == NULL : column != NULL && has_word(open, end, column)))
			return true;
		what = end + (open != NULL);
		what += strspn(what, ", ");
	}
	return false;
}

static bool is_wanted(bool is_web, const char *table, const char *privilege, const char *column)
{
	for (size_t i = 0; i < GRANTS; i++)
		if (strcmp(grants[i].table, table) == 0)
			return wanted_on(&grants[i], is_web) != NULL &&
			       holds(wanted_on(&grants[i], is_web), privilege, column);
	return false;
}

/* Columns of what is held. */
enum { HELD_ON, HELD_TABLE, HELD_PRIVILEGE, HELD_COLUMN };

#define HELD(on, table, column) \
	"SELECT " on ", " table ", privilege_type, " column " FROM information_schema."
#define PASSED_ON(on, table) \
	" UNION ALL SELECT DISTINCT " on ", " table ", 'GRANT OPTION', NULL FROM information_schema."

/*
 * What who ("'user'@'host'") holds that reaches into database name: everywhere (on "*") or in databases named
 * like it, table (NULL: every one), privilege, column (NULL: every one).  "GRANT OPTION" is the right to pass
 * on.
 */
static enum err read_held(
    struct db *db, struct arena *a, const char *name, const char *who, struct db_rows *rows_r)
{
	struct db_param grantee = db_p_str(who), in = db_p_str(name);

	return db_query(db, a,
	    HELD("'*'", "NULL",
		"NULL") "user_privileges WHERE grantee = ? AND privilege_type <> 'USAGE'" PASSED_ON("'*'",
		"NULL") "user_privileges WHERE grantee = ? AND is_grantable = 'YES'"
			" UNION ALL " HELD("table_schema", "NULL",
			    "NULL") "schema_privileges"
				    " WHERE grantee = ? AND ? LIKE table_schema AND privilege_type <> "
				    "'USAGE'" PASSED_ON("table_schema",
					"NULL") "schema_privileges"
						" WHERE grantee = ? AND ? LIKE table_schema AND is_grantable "
						"= 'YES'"
						" UNION ALL " HELD("table_schema", "table_name",
						    "NULL") "table_privileges"
							    " WHERE grantee = ? AND table_schema = ? AND "
							    "privilege_type <> 'USAGE'" PASSED_ON(
								"table_schema",
								"table_name") "table_privileges"
									      " WHERE grantee = ? AND "
									      "table_schema = ? AND "
									      "is_grantable = 'YES'"
									      " UNION ALL " HELD(
										  "table_schema",
										  "table_name",
										  "column_name") "column_"
												 "privileges"
												 " WHERE "
												 "grantee = "
												 "? AND "
												 "table_"
												 "schema = ?",
	    DB_ARGS(grantee, grantee, grantee, in, grantee, in, grantee, in, grantee, in, grantee, in),
	    rows_r);
}

static const char *grantee_of(struct arena *a, const char *user)
{
	return arena_printf(a, "'%s'@'localhost'", user);
}

static bool is_wanted_row(bool is_web, const struct db_rows *rows, size_t row)
{
	return !db_is_null(rows, row, HELD_TABLE) &&
	       is_wanted(is_web, db_str(rows, row, HELD_TABLE), db_str(rows, row, HELD_PRIVILEGE),
		   db_str(rows, row, HELD_COLUMN));
}

static enum err revoke(struct db *db, const char *user, const struct db_rows *rows, size_t row)
{
	const char *on = db_str(rows, row, HELD_ON), *table = db_str(rows, row, HELD_TABLE);
	const char *column = db_str(rows, row, HELD_COLUMN);
	AUTO_BUF struct buf sql = BUF_INIT;

	if (strchr(on, '`') != NULL)
		return ERR_INVALID;
	buf_addf(&sql, "REVOKE %s", db_str(rows, row, HELD_PRIVILEGE));
	if (column != NULL)
		buf_addf(&sql, " (`%s`)", column);
	if (strcmp(on, "*") == 0)
		buf_adds(&sql, " ON *.*");
	else if (table == NULL)
		buf_addf(&sql, " ON `%s`.*", on);
	else
		buf_addf(&sql, " ON `%s`.`%s`", on, table);
	buf_addf(&sql, " FROM `%s`@localhost", user);
	return db_exec_text(db, sql.data);
}

/* Roles bring rights that stand under the role's name alone; setup grants none, so each is more than needed.
 */
static enum err read_roles(struct db *db, struct arena *a, const char *user, struct db_rows *rows_r)
{
	return db_query(db, a, "SELECT Role FROM mysql.roles_mapping WHERE User = ? AND Host = 'localhost'",
	    DB_ARGS(db_p_str(user)), rows_r);
}

/* The default first: it would stay behind, to come to life with the next role of that name. */
static enum err revoke_roles(struct db *db, struct arena *a, const char *user)
{
	struct db_rows rows;
	enum err e = read_roles(db, a, user, &rows);

	if (e == ERR_OK && rows.count > 0)
		e = db_exec_text(db, arena_printf(a, "SET DEFAULT ROLE NONE FOR `%s`@localhost", user));
	for (size_t i = 0; e == ERR_OK && i < rows.count; i++) {
		const char *role = db_str(&rows, i, 0);

		if (strchr(role, '`') != NULL)
			return ERR_INVALID;
		e = db_exec_text(db, arena_printf(a, "REVOKE `%s` FROM `%s`@localhost", role, user));
	}
	return e;
}

/* Earlier versions granted more, and administrators do by hand.  After granting, so that nothing that runs
 * is without what it needs for a moment. */
static enum err revoke_more(struct db *db, const char *name, const char *user, bool is_web)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = read_held(db, a, name, grantee_of(a, user), &rows);

	for (size_t i = 0; e == ERR_OK && i < rows.count; i++)
		if (!is_wanted_row(is_web, &rows, i))
			e = revoke(db, user, &rows, i);
	return e == ERR_OK ? revoke_roles(db, a, user) : e;
}

static enum err make_user(struct db *db, const char *name, const char *user, bool is_web)
{
	AUTO_BUF struct buf sql = BUF_INIT;
	enum err e;

	buf_addf(&sql, "CREATE USER IF NOT EXISTS `%s`@localhost IDENTIFIED VIA unix_socket", user);
	e = db_exec_text(db, sql.data);
	for (size_t i = 0; i < GRANTS && e == ERR_OK; i++) {
		const char *what = wanted_on(&grants[i], is_web);

		if (what == NULL)
			continue;
		buf_clear(&sql);
		buf_addf(&sql, "GRANT %s ON `%s`.`%s` TO `%s`@localhost", what, name, grants[i].table, user);
		e = db_exec_text(db, sql.data);
	}
	return e == ERR_OK ? revoke_more(db, name, user, is_web) : e;
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

/* How many single grants what stands for. */
static size_t count_wanted(const char *what)
{
	size_t count = 1;

	for (; *what != '\0'; what++)
		count += *what == ',';
	return count;
}

enum err provision_check(struct db *db, const char *name, const char *user, bool is_web)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows, roles;
	size_t wanted = 0, held = 0;
	enum err e = read_held(db, a, name, grantee_of(a, user), &rows);

	if (e == ERR_OK)
		e = read_roles(db, a, user, &roles);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < GRANTS; i++)
		if (wanted_on(&grants[i], is_web) != NULL)
			wanted += count_wanted(wanted_on(&grants[i], is_web));
	for (size_t i = 0; i < rows.count; i++)
		held += is_wanted_row(is_web, &rows, i);
	if (held < wanted)
		return ERR_NOT_FOUND;
	return rows.count > held || roles.count > 0 ? ERR_CONFLICT : ERR_OK;
}

enum err provision_check_public(struct db *db, const char *name)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = read_held(db, a, name, "'PUBLIC'@''", &rows);

	return e == ERR_OK && rows.count > 0 ? ERR_CONFLICT : e;
}
