/* What administrators do with accounts: make, change, suspend. */
#include "sql/store_account.h"

#include <string.h>

#include "lib/origin.h"
#include "lib/parse.h"
#include "sql/admin.h"
#include "sql/job_row.h"
#include "sql/tx.h"
#include "sql/version.h"

enum { NAME_MAX_CHARS = 100, HOST_MAX_BYTES = 253 };

static bool limit_fits(int64_t n)
{
	return n >= -1 && n <= ACCOUNT_LIMIT_MAX;
}

static bool host_fits(const char *s)
{
	return strlen(s) <= HOST_MAX_BYTES &&
	       (parse_is_address(s) || parse_is_hostname(strncmp(s, "*.", 2) == 0 ? s + 2 : s));
}

/* NULL for "". */
static const char *given(const char *s)
{
	return s != NULL && s[0] != '\0' ? s : NULL;
}

static bool fields_fit(const struct account_fields *f)
{
	AUTO_BUF struct buf origins = BUF_INIT;

	for (size_t i = 0; i < f->host_count; i++)
		if (!host_fits(f->hosts[i]))
			return false;
	return text_fits(f->name, 1, NAME_MAX_CHARS) && f->max_running >= 0 && limit_fits(f->max_running) &&
	       limit_fits(f->max_queued) && limit_fits(f->max_daily) && f->host_count <= ACCOUNT_HOSTS_MAX &&
	       (given(f->notify_email) == NULL || parse_is_email(f->notify_email)) &&
	       origin_list_add(&origins, f->panel_origins) == ERR_OK;
}

struct saving {
	const struct viewer *v;
	const struct account_fields *f;
	uint64_t id; /* 0: a new one; result */
};

static enum err write_hosts(struct db *db, const struct saving *s)
{
	enum err e =
	    db_exec(db, "DELETE FROM account_host WHERE account_id = ?", DB_ARGS(db_p_u64(s->id)), NULL);

	/* the same host twice is one */
	for (size_t i = 0; e == ERR_OK && i < s->f->host_count; i++)
		e = db_exec(db, "INSERT IGNORE INTO account_host (account_id, host) VALUES (?, LOWER(?))",
		    DB_ARGS(db_p_u64(s->id), db_p_str(s->f->hosts[i])), NULL);
	return e;
}

enum err store_account_version(
    struct db *db, struct arena *a, const struct account *account, const char **version_r)
{
	AUTO_BUF struct buf b = BUF_INIT;
	const char *const *hosts;
	size_t count;
	enum err e = store_account_hosts(db, a, account->id, &hosts, &count);

	if (e != ERR_OK)
		return e;
	/* no name has a line break; external ids are a line each */
	buf_addf(&b, "%s\n%s\n%s\n%lld\n%lld\n%lld\n%d", account->name,
	    account->panel_origins ? account->panel_origins : "",
	    account->notify_email ? account->notify_email : "", (long long)account->max_running,
	    (long long)account->max_queued, (long long)account->max_daily, account->may_delete2);
	for (size_t i = 0; i < count; i++)
		buf_addf(&b, "\n%s", hosts[i]);
	buf_addf(&b, "\n\n%s", account->external_ids ? account->external_ids : "");
	*version_r = version_of_text(a, b.data);
	return ERR_OK;
}

/* The row is locked, so that of two who change it one comes after the other. */
static enum err demand_version(struct db *db, struct arena *a, const struct saving *s)
{
	struct account old;
	struct db_rows rows;
	const char *version;
	enum err e = db_query_one(
	    db, a, "SELECT id FROM account WHERE id = ? FOR UPDATE", DB_ARGS(db_p_u64(s->id)), &rows);

	if (e == ERR_OK)
		e = store_account_get(db, a, s->id, &old);
	if (e == ERR_OK && old.closed_at != 0)
		return ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = store_account_version(db, a, &old, &version);
	if (e != ERR_OK)
		return e;
	return version_fits(s->f->if_version, version) ? ERR_OK : ERR_STALE;
}

static enum err write_externals(struct db *db, const struct saving *s)
{
	const struct account_fields *f = s->f;

	if (f->issuer != NULL)
		return store_external_set(db, EXTERNAL_ACCOUNT, s->id, f->issuer, f->external_id);
	if (f->externals != NULL)
		return store_external_set_all(db, EXTERNAL_ACCOUNT, s->id, f->externals, f->external_count);
	return ERR_OK;
}

static struct db_param may_delete2_param(const struct account_fields *f)
{
	return f->may_delete2 != NULL ? db_p_u64(*f->may_delete2) : db_p_null();
}

static enum err save(struct db *db, void *ctx)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct account_fields *f;
	struct saving *s = ctx;
	enum err e = admin_check(db, s->v);

	f = s->f;
	if (e == ERR_OK && s->id == 0) {
		e = db_exec(db,
		    "INSERT INTO account (name, max_running, max_queued, max_daily, panel_origins, "
		    "notify_email, "
		    "may_delete2, created_at)"
		    " VALUES (?, ?, ?, ?, ?, ?, COALESCE(?, 0), UTC_TIMESTAMP(6))",
		    DB_ARGS(db_p_str(f->name), db_p_id((uint64_t)f->max_running), db_p_count(f->max_queued),
			db_p_count(f->max_daily), db_p_str(given(f->panel_origins)),
			db_p_str(given(f->notify_email)), may_delete2_param(f)),
		    NULL);
		if (e == ERR_OK)
			s->id = db_insert_id(db);
	} else if (e == ERR_OK) {
		e = demand_version(db, a, s);
		if (e == ERR_OK)
			e = db_exec(db,
			    "UPDATE account SET name = ?, max_running = ?, max_queued = ?, max_daily = ?, "
			    "panel_origins = ?, notify_email = ?, may_delete2 = COALESCE(?, may_delete2) "
			    "WHERE id = ?",
			    DB_ARGS(db_p_str(f->name), db_p_id((uint64_t)f->max_running),
				db_p_count(f->max_queued), db_p_count(f->max_daily),
				db_p_str(given(f->panel_origins)), db_p_str(given(f->notify_email)),
				may_delete2_param(f), db_p_u64(s->id)),
			    NULL);
	}
	if (e == ERR_OK)
		e = write_externals(db, s);
	return e == ERR_OK ? write_hosts(db, s) : e;
}

enum err store_account_save(
    struct db *db, const struct viewer *v, uint64_t *id, const struct account_fields *f)
{
	struct saving s = {.v = v, .f = f, .id = *id};
	enum err e = fields_fit(f) ? ERR_OK : ERR_INVALID;

	if (e == ERR_OK)
		e = tx_run(db, save, &s);
	if (e == ERR_OK)
		*id = s.id;
	return e;
}

enum err store_account_hosts(
    struct db *db, struct arena *a, uint64_t id, const char *const **list_r, size_t *count_r)
{
	struct db_rows rows;
	const char **list;
	enum err e = db_query(db, a, "SELECT host FROM account_host WHERE account_id = ? ORDER BY host",
	    DB_ARGS(db_p_u64(id)), &rows);

	if (e != ERR_OK)
		return e;
	list = arena_array(a, rows.count + 1, sizeof(*list));
	for (size_t i = 0; i < rows.count; i++)
		list[i] = db_str(&rows, i, 0);
	*list_r = list;
	*count_r = rows.count;
	return ERR_OK;
}

struct suspension {
	const struct viewer *v;
	uint64_t id;
	bool suspended;
};

/* Those that run are told to stop; the worker does it.  The event goes first: it shows whom the wish will
 * reach. */
static enum err stop_running(struct db *db, const struct suspension *s)
{
	enum err e = db_exec(db,
	    "INSERT INTO job_event (job_id, account_id, at, kind, from_state, to_state, user_id, detail)"
	    " SELECT id, account_id, UTC_TIMESTAMP(6), 'cancel_asked', 'running', 'running', ?, 'account "
	    "suspended'"
	    " FROM job WHERE account_id = ? AND state = 'running' AND cancel_requested_at IS NULL",
	    DB_ARGS(db_p_id(s->v->user_id), db_p_u64(s->id)), NULL);

	if (e != ERR_OK)
		return e;
	return db_exec(db,
	    "UPDATE job j SET" JOB_CANCEL_WISH_SET
	    "WHERE j.account_id = ? AND j.state = 'running' AND j.cancel_requested_at IS NULL",
	    DB_ARGS(db_p_id(s->v->user_id), db_p_u64(s->id)), NULL);
}

static enum err suspend(struct db *db, void *ctx)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct suspension *s = ctx;
	struct account account;
	enum err e = admin_check(db, s->v);

	if (e == ERR_OK)
		e = store_account_get(db, a, s->id, &account);
	if (e == ERR_OK && !s->suspended && account.closed_at != 0)
		return ERR_NOT_FOUND;
	/* whoever suspends their own account has nobody left to resume it, or will soon */
	if (e == ERR_OK && s->suspended && s->v->user_id != 0 && s->id == s->v->account_id)
		return ERR_CONFLICT;
	if (e == ERR_OK)
		e = db_exec(db,
		    "UPDATE account SET suspended_at = IF(?, COALESCE(suspended_at, UTC_TIMESTAMP(6)), NULL) "
		    "WHERE id = ?",
		    DB_ARGS(db_p_u64(s->suspended), db_p_u64(s->id)), NULL);
	return e == ERR_OK && s->suspended ? stop_running(db, s) : e;
}

enum err store_account_suspend(struct db *db, const struct viewer *v, uint64_t id, bool suspended)
{
	return tx_run(db, suspend, &(struct suspension){v, id, suspended});
}
