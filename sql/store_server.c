#include "sql/store_server.h"

#include "sql/tx.h"
#include "sql/version.h"

/* Seen by the viewer: their own account's and the shared ones; all of them by an admin. */
#define SEEN "(? = 1 OR s.account_id IS NULL OR s.account_id = ?)"
#define SELECT_SERVER \
	"SELECT s.id, s.account_id, s.name, s.host, s.port, s.security, s.verify, s.created_at, " \
	"s.updated_at," \
	" (SELECT COUNT(*) FROM job j WHERE j.src_server_id = s.id AND j.state IN ('queued', 'running')" \
	" AND (? = 1 OR j.account_id = ?))" \
	" + (SELECT COUNT(*) FROM job j WHERE j.dst_server_id = s.id AND j.state IN ('queued', 'running')" \
	" AND (? = 1 OR j.account_id = ?) AND NOT (j.src_server_id <=> s.id))" \
	" FROM server s WHERE " SEEN

enum { NAME_MAX_CHARS = 100, HOST_MAX_CHARS = 253, PORT_MAX = 65535 };

static bool may_edit(const struct viewer *v, uint64_t account_id)
{
	return viewer_is_admin(v) || (account_id != 0 && account_id == v->account_id);
}

static enum err read_row(
    const struct db_rows *rows, size_t row, struct arena *a, const struct viewer *v, struct server *server_r)
{
	*server_r = (struct server){
	    .id = db_u64(rows, row, 0),
	    .account_id = db_u64(rows, row, 1),
	    .name = db_str(rows, row, 2),
	    .host = db_str(rows, row, 3),
	    .port = (unsigned)db_u64(rows, row, 4),
	    .verify = db_u64(rows, row, 6) != 0,
	    .created_at = db_time_s(rows, row, 7),
	    .updated_at = db_time_s(rows, row, 8),
	    .jobs_active = db_u64(rows, row, 9),
	    .version = version_of_moment(a, db_time_us(rows, row, 8)),
	};
	server_r->can_edit = may_edit(v, server_r->account_id);
	return security_parse(db_str(rows, row, 5), &server_r->security) == ERR_OK ? ERR_OK : ERR_INTERNAL;
}

enum err store_server_list(
    struct db *db, struct arena *a, const struct viewer *v, struct server **list_r, size_t *count_r)
{
	struct db_rows rows;
	struct server *list;
	enum err e = db_query(db, a, SELECT_SERVER " ORDER BY s.name, s.id",
	    DB_ARGS(SCOPE_ARGS(v), SCOPE_ARGS(v), SCOPE_ARGS(v)), &rows);

	if (e != ERR_OK)
		return e;
	list = arena_array(a, rows.count, sizeof(*list));
	for (size_t i = 0; i < rows.count && e == ERR_OK; i++)
		e = read_row(&rows, i, a, v, &list[i]);
	*list_r = list;
	*count_r = rows.count;
	return e;
}

enum err store_server_get(
    struct db *db, struct arena *a, const struct viewer *v, uint64_t id, struct server *server_r)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a, SELECT_SERVER " AND s.id = ?",
	    DB_ARGS(SCOPE_ARGS(v), SCOPE_ARGS(v), SCOPE_ARGS(v), db_p_u64(id)), &rows);

	return e == ERR_OK ? read_row(&rows, 0, a, v, server_r) : e;
}

static bool fields_fit(const struct server_fields *f)
{
	return text_fits(f->name, 1, NAME_MAX_CHARS) && text_fits(f->host, 1, HOST_MAX_CHARS) &&
	       f->port >= 1 && f->port <= PORT_MAX && f->security >= SECURITY_TLS &&
	       f->security <= SECURITY_NONE;
}

enum err store_server_create(
    struct db *db, const struct viewer *v, const struct server_fields *f, uint64_t *id_r)
{
	enum err e;

	if (f->shared && !viewer_is_admin(v))
		return ERR_DENIED;
	if (!fields_fit(f))
		return ERR_INVALID;
	e = db_exec(db,
	    "INSERT INTO server (account_id, name, host, port, security, verify, created_at, updated_at)"
	    " VALUES (?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))",
	    DB_ARGS(db_p_id(f->shared ? 0 : v->account_id), db_p_str(f->name), db_p_str(f->host),
		db_p_u64(f->port), db_p_str(security_name(f->security)), db_p_u64(f->verify)),
	    NULL);
	if (e == ERR_OK)
		*id_r = db_insert_id(db);
	return e;
}

struct change {
	const struct viewer *v;
	uint64_t id;
	const struct server_fields *f; /* NULL: delete */
	const char *if_version;
	uint64_t queued, running;
};

/*
 * Lock the row, if the viewer may change it.  Who makes a job takes a share lock on its servers (foreign
 * key), so that from here on no new job can begin to use this one.  On a cluster the certification of the
 * parent key does it.
 */
static enum err lock_server(struct db *db, struct arena *a, const struct change *c, uint64_t *account_id_r)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT s.account_id, s.updated_at FROM server s WHERE s.id = ? AND " SEEN " FOR UPDATE",
	    DB_ARGS(db_p_u64(c->id), SCOPE_ARGS(c->v)), &rows);

	if (e != ERR_OK)
		return e;
	*account_id_r = db_u64(&rows, 0, 0);
	if (!may_edit(c->v, *account_id_r))
		return ERR_DENIED;
	return version_fits(c->if_version, version_of_moment(a, db_time_us(&rows, 0, 1))) ? ERR_OK
											  : ERR_STALE;
}

static enum err update_server(struct db *db, void *ctx)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct change *c = ctx;
	uint64_t account_id;
	enum err e = lock_server(db, a, c, &account_id);

	if (e != ERR_OK)
		return e;
	if (c->f->shared && !viewer_is_admin(c->v))
		return ERR_DENIED;
	/* What was shared and no longer is becomes the viewer's account's. */
	if (c->f->shared)
		account_id = 0;
	else if (account_id == 0)
		account_id = c->v->account_id;
	return db_exec(db,
	    "UPDATE server SET account_id = ?, name = ?, host = ?, port = ?, security = ?, verify = ?,"
	    " updated_at = " VERSION_NEXT " WHERE id = ?",
	    DB_ARGS(db_p_id(account_id), db_p_str(c->f->name), db_p_str(c->f->host), db_p_u64(c->f->port),
		db_p_str(security_name(c->f->security)), db_p_u64(c->f->verify), db_p_u64(c->id)),
	    NULL);
}

enum err store_server_update(
    struct db *db, const struct viewer *v, uint64_t id, const struct server_fields *f)
{
	if (!fields_fit(f))
		return ERR_INVALID;
	return tx_run(
	    db, update_server, &(struct change){.v = v, .id = id, .f = f, .if_version = f->if_version});
}

static enum err delete_server(struct db *db, void *ctx)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct change *c = ctx;
	struct db_rows rows;
	uint64_t account_id;
	enum err e = lock_server(db, a, c, &account_id);

	if (e != ERR_OK)
		return e;
	e = db_query(db, a,
	    "SELECT state, COUNT(DISTINCT id) FROM ("
	    "SELECT id, state FROM job WHERE src_server_id = ? AND state IN ('queued', 'running') UNION "
	    "SELECT id, state FROM job WHERE dst_server_id = ? AND state IN ('queued', 'running')) used "
	    "GROUP BY state",
	    DB_ARGS(db_p_u64(c->id), db_p_u64(c->id)), &rows);
	if (e != ERR_OK)
		return e;
	c->queued = c->running = 0;
	for (size_t i = 0; i < rows.count; i++) {
		enum job_state s;

		if (job_state_parse(db_str(&rows, i, 0), &s) == ERR_OK)
			*(s == JOB_QUEUED ? &c->queued : &c->running) = db_u64(&rows, i, 1);
	}
	if (c->queued + c->running > 0)
		return ERR_CONFLICT;
	return db_exec(db, "DELETE FROM server WHERE id = ?", DB_ARGS(db_p_u64(c->id)), NULL);
}

enum err store_server_delete(struct db *db, const struct viewer *v, uint64_t id, const char *if_version,
    uint64_t *queued_r, uint64_t *running_r)
{
	struct change c = {.v = v, .id = id, .if_version = if_version};
	enum err e = tx_run(db, delete_server, &c);

	*queued_r = c.queued;
	*running_r = c.running;
	return e;
}
