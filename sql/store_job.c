#include "sql/store_job.h"

#include "sql/job_row.h"
#include "sql/limits.h"
#include "sql/store_log.h"
#include "sql/tx.h"
#include "sql/version.h"

enum { USER_MAX_CHARS = 255, CHILDREN_MAX = 50, EVENTS_MAX = 500 };

static struct db_param key_param(const uint8_t *request_key)
{
	return db_p_blob(request_key, JOB_REQUEST_KEY_BYTES);
}

static struct db_param sealed_param(const struct job_sealed *s)
{
	return db_p_blob(s->bytes, s->len);
}

bool job_sealed_fits(const struct job_sealed *s)
{
	return s->bytes != NULL && s->len >= 1 && s->len <= JOB_SEALED_MAX;
}

bool job_sealed_fits_or_none(const struct job_sealed *s)
{
	return s->bytes == NULL || job_sealed_fits(s);
}

/* The job a form has already made in this account.  ERR_NOT_FOUND. */
static enum err find_by_key(struct db *db, uint64_t account_id, const uint8_t *request_key, uint64_t *id_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e;

	if (request_key == NULL)
		return ERR_NOT_FOUND;
	e = db_query_one(db, a, "SELECT id FROM job WHERE account_id = ? AND request_key = ?",
	    DB_ARGS(db_p_u64(account_id), key_param(request_key)), &rows);
	if (e == ERR_OK)
		*id_r = db_u64(&rows, 0, 0);
	return e;
}

/* Making a job: from a form, or from an older job. */
struct creation {
	const struct viewer *v;
	const struct job_new *n; /* NULL: rerun */
	const struct job_rerun *r;
	uint64_t parent_id;
	uint64_t account_id;
	const uint8_t *request_key;
	uint64_t id; /* result */
};

static enum err insert_new(struct db *db, const struct creation *c, uint64_t *changed_r)
{
	const struct job_new *n = c->n;
	const char *name = n->name != NULL && *n->name != '\0' ? n->name : NULL;

	return db_exec(db,
	    "INSERT INTO job (account_id, owner_user_id, batch_id, name, dry_run, request_key,"
	    " src_server_id, src_server_name, src_host, src_port, src_security, src_verify, src_user, "
	    "src_sealed,"
	    " dst_server_id, dst_server_name, dst_host, dst_port, dst_security, dst_verify, dst_user, "
	    "dst_sealed,"
	    " state, queued_at, updated_at, options, delete2)"
	    " SELECT ?, ?, ?, ?, ?, ?,"
	    " s.id, s.name, s.host, s.port, s.security, s.verify, ?, ?,"
	    " d.id, d.name, d.host, d.port, d.security, d.verify, ?, ?,"
	    " 'queued', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), ?, ?"
	    " FROM server s, server d"
	    " WHERE s.id = ? AND (s.account_id IS NULL OR s.account_id = ?)"
	    " AND d.id = ? AND (d.account_id IS NULL OR d.account_id = ?)"
	    " AND (? = 0 OR EXISTS (SELECT 1 FROM batch b WHERE b.id = ? AND b.account_id = ?))",
	    DB_ARGS(db_p_u64(c->account_id), db_p_id(c->v->user_id), db_p_id(n->batch_id), db_p_str(name),
		db_p_u64(n->dry_run), key_param(n->request_key), db_p_str(n->src_user),
		sealed_param(&n->src_sealed), db_p_str(n->dst_user), sealed_param(&n->dst_sealed),
		db_p_str(n->options), db_p_u64(n->delete2), db_p_u64(n->src_server_id),
		db_p_u64(c->account_id), db_p_u64(n->dst_server_id), db_p_u64(c->account_id),
		db_p_u64(n->batch_id), db_p_u64(n->batch_id), db_p_u64(c->account_id)),
	    changed_r);
}

static enum err insert_rerun(struct db *db, const struct creation *c, uint64_t *changed_r)
{
	struct db_param src = sealed_param(&c->r->src_sealed), dst = sealed_param(&c->r->dst_sealed);

	return db_exec(db,
	    "INSERT INTO job (" JOB_RERUN_COLUMNS
	    ", delete2) SELECT ?, ?, COALESCE(?, j.src_sealed), COALESCE(?, j.dst_sealed),"
	    " NULLIF(COALESCE(?, j.options), '')," JOB_RERUN_OWNER "," JOB_RERUN_VALUES ", ? "
	    "FROM job j" JOB_RERUN_SERVERS
	    "WHERE j.id = ? AND j.account_id = ? AND j.state NOT IN ('queued', 'running')"
	    " AND COALESCE(?, j.src_sealed) IS NOT NULL AND COALESCE(?, j.dst_sealed) IS NOT NULL",
	    DB_ARGS(db_p_u64(c->r->dry_run), key_param(c->request_key), src, dst, db_p_str(c->r->options),
		JOB_RERUN_OWNER_ARG(c->v), db_p_u64(c->r->delete2), db_p_u64(c->parent_id),
		db_p_u64(c->account_id), src, dst),
	    changed_r);
}

/* ERR_INVALID: only a dry run counts.  ERR_DENIED. */
static enum err demand_delete2(struct db *db, const struct creation *c)
{
	bool wanted = c->n != NULL ? c->n->delete2 : c->r->delete2;
	bool dry_run = c->n != NULL ? c->n->dry_run : c->r->dry_run;

	if (!wanted)
		return ERR_OK;
	return dry_run ? limits_may_delete2(db, c->account_id) : ERR_INVALID;
}

static enum err create(struct db *db, void *ctx)
{
	struct creation *c = ctx;
	uint64_t other;
	struct event ev = {.kind = "created", .from = -1, .to = JOB_QUEUED, .user_id = c->v->user_id};
	uint64_t changed;
	enum err e = limits_take(db, c->account_id, 1);

	if (e == ERR_OK)
		e = demand_delete2(db, c);
	if (e == ERR_OK)
		e = c->n != NULL ? insert_new(db, c, &changed) : insert_rerun(db, c, &changed);
	if (e != ERR_OK)
		return e;
	if (changed != 1)
		return c->n != NULL ? ERR_NOT_FOUND : ERR_CONFLICT;
	ev.job_id = c->id = db_insert_id(db);
	e = limits_job_host(db, c->id);
	if (e == ERR_OK && c->n == NULL)
		e = job_demand_idle(db, c->id, &other);
	return e == ERR_OK ? event_add(db, &ev) : e;
}

/* Sent twice, even at the same moment, makes one job: the unique key decides. */
static enum err create_once(struct db *db, struct creation *c, uint64_t *id_r, bool *existed_r)
{
	bool existed = false;
	enum err e = find_by_key(db, c->account_id, c->request_key, id_r);

	if (e == ERR_NOT_FOUND) {
		e = tx_run(db, create, c);
		if (e == ERR_CONFLICT) {
			/* Either the key, or a server deleted this moment, or a parent that has not ended. */
			existed = find_by_key(db, c->account_id, c->request_key, id_r) == ERR_OK;
			if (existed)
				e = ERR_OK;
			else
				e = c->n != NULL ? ERR_NOT_FOUND : ERR_CONFLICT;
		} else if (e == ERR_OK) {
			*id_r = c->id;
		}
	} else if (e == ERR_OK) {
		existed = true;
	}
	if (e == ERR_OK && existed_r != NULL)
		*existed_r = existed;
	return e;
}

enum err store_job_create(
    struct db *db, const struct viewer *v, const struct job_new *n, uint64_t *id_r, bool *existed_r)
{
	struct creation c = {.v = v, .n = n, .account_id = v->account_id, .request_key = n->request_key};

	if (!text_fits(n->name, 0, JOB_NAME_MAX_CHARS) || !text_fits(n->src_user, 1, USER_MAX_CHARS) ||
	    !text_fits(n->dst_user, 1, USER_MAX_CHARS) || !job_sealed_fits(&n->src_sealed) ||
	    !job_sealed_fits(&n->dst_sealed))
		return ERR_INVALID;
	return create_once(db, &c, id_r, existed_r);
}

/* Account and state of a job the viewer sees. */
static enum err look(
    struct db *db, const struct viewer *v, uint64_t id, uint64_t *account_id_r, enum job_state *state_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query_one(db, a, "SELECT account_id, state FROM job WHERE id = ? AND " SCOPE,
	    DB_ARGS(db_p_u64(id), SCOPE_ARGS(v)), &rows);

	if (e != ERR_OK)
		return e;
	if (account_id_r != NULL)
		*account_id_r = db_u64(&rows, 0, 0);
	return job_state_parse(db_str(&rows, 0, 1), state_r) == ERR_OK ? ERR_OK : ERR_INTERNAL;
}

enum err store_job_rerun(struct db *db, const struct viewer *v, uint64_t id, const struct job_rerun *r,
    uint64_t *id_r, bool *existed_r)
{
	struct creation c = {.v = v, .parent_id = id, .r = r, .request_key = r->request_key};
	enum job_state state;
	enum err e;

	if (!job_sealed_fits_or_none(&r->src_sealed) || !job_sealed_fits_or_none(&r->dst_sealed))
		return ERR_INVALID;
	e = look(db, v, id, &c.account_id, &state);
	return e == ERR_OK ? create_once(db, &c, id_r, existed_r) : e;
}

enum err store_job_busy(struct db *db, const struct viewer *v, uint64_t id, uint64_t *other_id_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT " JOB_BUSY_ID " FROM job j WHERE j.id = ? AND (? = 1 OR j.account_id = ?)",
	    DB_ARGS(db_p_u64(id), SCOPE_ARGS(v)), &rows);

	if (e == ERR_OK)
		*other_id_r = db_u64(&rows, 0, 0);
	return e == ERR_OK && *other_id_r == 0 ? ERR_NOT_FOUND : e;
}

enum err store_job_get(struct db *db, struct arena *a, const struct viewer *v, uint64_t id, struct job *job_r)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT" JOB_COLUMNS "FROM job j WHERE j.id = ? AND (? = 1 OR j.account_id = ?)",
	    DB_ARGS(db_p_u64(id), SCOPE_ARGS(v)), &rows);

	return e == ERR_OK ? job_row_read(&rows, 0, job_r) : e;
}

enum err store_job_children(
    struct db *db, struct arena *a, const struct viewer *v, uint64_t id, struct job **list_r, size_t *count_r)
{
	enum job_state state;
	struct db_rows rows;
	struct job *list;
	enum err e = look(db, v, id, NULL, &state);

	if (e != ERR_OK)
		return e;
	e = db_query(db, a,
	    "SELECT" JOB_COLUMNS "FROM job j WHERE j.parent_id = ? AND (? = 1 OR j.account_id = ?) ORDER BY "
	    "j.queued_at, j.id LIMIT ?",
	    DB_ARGS(db_p_u64(id), SCOPE_ARGS(v), db_p_u64(CHILDREN_MAX)), &rows);
	if (e != ERR_OK)
		return e;
	list = arena_array(a, rows.count, sizeof(*list));
	for (size_t i = 0; e == ERR_OK && i < rows.count; i++)
		e = job_row_read(&rows, i, &list[i]);
	*list_r = list;
	*count_r = rows.count;
	return e;
}

/* One change of one job by one viewer. */
struct change {
	const struct viewer *v;
	uint64_t id;
	const struct job_credentials *credentials;
	const char *if_version;
	enum job_state state; /* result of a cancel */
	uint64_t other_id;    /* result of an edit that is refused */
};

/*
 * Before a change made on condition: the row is locked, so that it stays what it is found to be.  What is
 * running is left to the change itself, which says so.  ERR_STALE; ERR_NOT_FOUND.
 */
static enum err demand_version(struct db *db, const struct change *c)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e;

	if (c->if_version == NULL)
		return ERR_OK;
	e = db_query_one(db, a,
	    "SELECT updated_at, state = 'running' FROM job WHERE id = ? AND " SCOPE " FOR UPDATE",
	    DB_ARGS(db_p_u64(c->id), SCOPE_ARGS(c->v)), &rows);
	if (e != ERR_OK || db_u64(&rows, 0, 1) != 0)
		return e;
	return version_fits(c->if_version, version_of_moment(a, db_time_us(&rows, 0, 0))) ? ERR_OK
											  : ERR_STALE;
}

static enum err edit(struct db *db, void *ctx)
{
	struct change *c = ctx;
	const struct job_credentials *k = c->credentials;
	const struct event ev = {
	    .job_id = c->id, .kind = "edited", .from = -1, .to = -1, .user_id = c->v->user_id};
	enum job_state state;
	uint64_t changed;
	struct db_param src = sealed_param(&k->src_sealed), dst = sealed_param(&k->dst_sealed);
	bool is_sealed = k->src_sealed.bytes != NULL || k->dst_sealed.bytes != NULL;
	enum err e = demand_version(db, c);

	c->other_id = 0;
	if (e != ERR_OK)
		return e;
	/* Assignments see those before them.  New passwords lie there from now on. */
	e = db_exec(db,
	    "UPDATE job SET src_user = COALESCE(?, src_user), src_sealed = COALESCE(?, src_sealed),"
	    " dst_user = COALESCE(?, dst_user), dst_sealed = COALESCE(?, dst_sealed),"
	    " options = NULLIF(COALESCE(?, options), ''), messages_to_delete = NULL,"
	    " delete2_digest = NULL,"
	    " sealed_at = IF(?, UTC_TIMESTAMP(6), sealed_at),"
	    " passwords_removed_at = IF(src_sealed IS NULL, passwords_removed_at, NULL),"
	    " updated_at = " VERSION_NEXT " WHERE id = ? AND " SCOPE " AND state <> 'running'"
	    " AND (max_delete IS NULL OR state <> 'queued')"
	    " AND (passwords_removed_at IS NULL OR (? IS NULL) = (? IS NULL))",
	    DB_ARGS(db_p_str(k->src_user), src, db_p_str(k->dst_user), dst, db_p_str(k->options),
		db_p_u64(is_sealed), db_p_u64(c->id), SCOPE_ARGS(c->v), src, dst),
	    &changed);
	if (e != ERR_OK)
		return e;
	if (changed == 1) {
		e = job_demand_idle(db, c->id, &c->other_id);
		return e == ERR_OK ? event_add(db, &ev) : e;
	}
	e = look(db, c->v, c->id, NULL, &state);
	if (e != ERR_OK)
		return e;
	return job_state_is_ended(state) ? ERR_INVALID : ERR_CONFLICT;
}

enum err store_job_edit(
    struct db *db, const struct viewer *v, uint64_t id, const struct job_credentials *c, uint64_t *other_id_r)
{
	struct change change = {.v = v, .id = id, .credentials = c, .if_version = c->if_version};
	enum err e;

	if ((c->src_user != NULL && !text_fits(c->src_user, 1, USER_MAX_CHARS)) ||
	    (c->dst_user != NULL && !text_fits(c->dst_user, 1, USER_MAX_CHARS)) ||
	    !job_sealed_fits_or_none(&c->src_sealed) || !job_sealed_fits_or_none(&c->dst_sealed))
		return ERR_INVALID;
	e = tx_run(db, edit, &change);
	if (other_id_r != NULL)
		*other_id_r = change.other_id;
	return e;
}

static enum err cancel(struct db *db, void *ctx)
{
	struct change *c = ctx;
	struct event ev = {.job_id = c->id,
	    .kind = "cancelled",
	    .from = JOB_QUEUED,
	    .to = JOB_CANCELLED,
	    .user_id = c->v->user_id};
	uint64_t changed;
	enum err e =
	    db_exec(db, "UPDATE job j SET" JOB_CANCEL_SET "WHERE id = ? AND " SCOPE " AND state = 'queued'",
		DB_ARGS(db_p_id(c->v->user_id), db_p_u64(c->id), SCOPE_ARGS(c->v)), &changed);

	c->state = JOB_CANCELLED;
	if (e != ERR_OK)
		return e;
	if (changed == 1)
		return event_add(db, &ev);
	e = db_exec(db,
	    "UPDATE job j SET" JOB_CANCEL_WISH_SET "WHERE id = ? AND " SCOPE
	    " AND state = 'running' AND cancel_requested_at IS NULL",
	    DB_ARGS(db_p_id(c->v->user_id), db_p_u64(c->id), SCOPE_ARGS(c->v)), &changed);
	c->state = JOB_RUNNING;
	ev.kind = "cancel_asked";
	ev.from = ev.to = JOB_RUNNING;
	if (e != ERR_OK)
		return e;
	if (changed == 1)
		return event_add(db, &ev);
	e = look(db, c->v, c->id, NULL, &c->state);
	if (e != ERR_OK || c->state == JOB_RUNNING)
		return e;
	return ERR_CONFLICT;
}

enum err store_job_cancel(struct db *db, const struct viewer *v, uint64_t id, enum job_state *state_r)
{
	struct change c = {.v = v, .id = id};
	enum err e = tx_run(db, cancel, &c);

	*state_r = c.state;
	return e;
}

static enum err delete_row(struct db *db, void *ctx)
{
	const struct change *c = ctx;
	enum job_state state;
	uint64_t changed;
	enum err e = look(db, c->v, c->id, NULL, &state);
	struct event ev = {.job_id = c->id, .kind = "deleted", .to = -1, .user_id = c->v->user_id};

	if (e == ERR_OK)
		e = demand_version(db, c);
	if (e != ERR_OK)
		return e;
	ev.from = (int)state;
	e = event_add(db, &ev);
	if (e != ERR_OK)
		return e;
	e = db_exec(db, "DELETE FROM job WHERE id = ? AND " SCOPE " AND state <> 'running'",
	    DB_ARGS(db_p_u64(c->id), SCOPE_ARGS(c->v)), &changed);
	return e == ERR_OK && changed != 1 ? ERR_CONFLICT : e;
}

enum err store_job_delete(struct db *db, const struct viewer *v, uint64_t id, const char *if_version)
{
	enum err e = tx_run(db, delete_row, &(struct change){.v = v, .id = id, .if_version = if_version});

	return e == ERR_OK ? store_log_delete(db, id) : e;
}

static enum err read_state(const struct db_rows *rows, size_t row, unsigned column, int *state_r)
{
	enum job_state s;

	*state_r = -1;
	if (db_is_null(rows, row, column))
		return ERR_OK;
	if (job_state_parse(db_str(rows, row, column), &s) != ERR_OK)
		return ERR_INTERNAL;
	*state_r = (int)s;
	return ERR_OK;
}

enum err store_job_events(struct db *db, struct arena *a, const struct viewer *v, uint64_t id,
    struct job_event **list_r, size_t *count_r)
{
	struct db_rows rows;
	struct job_event *list;
	enum err e = db_query_one(db, a,
	    "SELECT id, at, kind, from_state, to_state, user_id, worker_id, detail FROM job_event"
	    " WHERE job_id = ? AND " SCOPE " ORDER BY at, id LIMIT ?",
	    DB_ARGS(db_p_u64(id), SCOPE_ARGS(v), db_p_u64(EVENTS_MAX)), &rows);

	if (e != ERR_OK)
		return e;
	list = arena_array(a, rows.count, sizeof(*list));
	for (size_t i = 0; e == ERR_OK && i < rows.count; i++) {
		list[i] = (struct job_event){
		    .id = db_u64(&rows, i, 0),
		    .at = db_time_s(&rows, i, 1),
		    .kind = db_str(&rows, i, 2),
		    .user_id = db_u64(&rows, i, 5),
		    .worker_id = db_u64(&rows, i, 6),
		    .detail = db_str(&rows, i, 7),
		};
		e = read_state(&rows, i, 3, &list[i].from);
		if (e == ERR_OK)
			e = read_state(&rows, i, 4, &list[i].to);
	}
	*list_r = list;
	*count_r = rows.count;
	return e;
}
