#include "sql/store_delete2.h"

#include "sql/job_row.h"
#include "sql/limits.h"
#include "sql/tx.h"
#include "sql/version.h"

/* As enum delete2_state; its one parameter is DELETE2_FRESH_S. */
#define STATE \
	"CASE WHEN NOT j.delete2 OR NOT j.dry_run OR j.state <> 'done' OR j.messages_to_delete IS NULL " \
	"OR j.delete2_digest IS NULL THEN 1" \
	" WHEN NOT EXISTS (SELECT 1 FROM account a WHERE a.id = j.account_id AND a.may_delete2) THEN 2" \
	" WHEN j.delete2_confirmed_at IS NOT NULL THEN 3" \
	" WHEN j.messages_to_delete = 0 THEN 4" \
	" WHEN j.finished_at < UTC_TIMESTAMP(6) - INTERVAL ? SECOND THEN 5" \
	" WHEN " JOB_SERVER_CHANGED("src") "OR" JOB_SERVER_CHANGED( \
	    "dst") "THEN 6" \
		   " WHEN EXISTS (SELECT 1 FROM account a WHERE a.id = j.account_id AND a.suspended_at IS " \
		   "NOT NULL) THEN 7" \
		   " ELSE 0 END"

_Static_assert(DELETE2_READY == 0 && DELETE2_UNCOUNTED == 1 && DELETE2_DENIED == 2 && DELETE2_USED == 3 &&
		   DELETE2_NOTHING == 4 && DELETE2_OLD == 5 && DELETE2_CHANGED == 6 && DELETE2_SUSPENDED == 7,
    "STATE says them by number");

struct confirming {
	const struct viewer *v;
	const struct delete2_confirmation *c;
	uint64_t dry_id;
	uint64_t account_id;
	enum delete2_state state; /* result */
	uint64_t id;              /* result */
};

static enum err look(struct db *db, struct confirming *s, bool locked)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    locked ? "SELECT " STATE ", j.account_id, j.messages_to_delete FROM job j"
		     " WHERE j.id = ? AND (? = 1 OR j.account_id = ?) FOR UPDATE"
		   : "SELECT " STATE ", j.account_id, j.messages_to_delete FROM job j"
		     " WHERE j.id = ? AND (? = 1 OR j.account_id = ?)",
	    DB_ARGS(db_p_u64(DELETE2_FRESH_S), db_p_u64(s->dry_id), SCOPE_ARGS(s->v)), &rows);

	if (e != ERR_OK)
		return e;
	s->state = (enum delete2_state)db_u64(&rows, 0, 0);
	s->account_id = db_u64(&rows, 0, 1);
	if (s->state == DELETE2_READY && s->c != NULL && db_count(&rows, 0, 2) != (int64_t)s->c->count)
		s->state = DELETE2_OTHER;
	return ERR_OK;
}

enum err store_delete2_look(struct db *db, const struct viewer *v, uint64_t id, enum delete2_state *state_r)
{
	struct confirming s = {.v = v, .dry_id = id};
	enum err e = look(db, &s, false);

	*state_r = s.state;
	return e;
}

enum err store_delete2_may(struct db *db, uint64_t account_id, bool *may_r)
{
	enum err e = limits_may_delete2(db, account_id);

	*may_r = e == ERR_OK;
	return e == ERR_DENIED ? ERR_OK : e;
}

/* Its real run that this request has made already.  ERR_NOT_FOUND. */
static enum err find_by_key(struct db *db, const struct confirming *s, uint64_t *id_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT id FROM job WHERE account_id = ? AND request_key = ? AND parent_id = ?",
	    DB_ARGS(db_p_u64(s->account_id), db_p_blob(s->c->request_key, JOB_REQUEST_KEY_BYTES),
		db_p_u64(s->dry_id)),
	    &rows);

	if (e == ERR_OK)
		*id_r = db_u64(&rows, 0, 0);
	return e;
}

enum err store_delete2_made(
    struct db *db, const struct viewer *v, uint64_t id, const uint8_t *request_key, uint64_t *id_r)
{
	const struct delete2_confirmation c = {.request_key = request_key};
	struct confirming s = {.v = v, .c = &c, .dry_id = id};
	enum err e = look(db, &s, false);

	return e == ERR_OK ? find_by_key(db, &s, id_r) : e;
}

/* Written under the condition, so that of two who confirm at once one does, on a cluster too. */
static enum err use(struct db *db, const struct confirming *s)
{
	uint64_t changed;
	enum err e = db_exec(db,
	    "UPDATE job SET delete2_confirmed_at = UTC_TIMESTAMP(6), updated_at = " VERSION_NEXT
	    " WHERE id = ? AND delete2_confirmed_at IS NULL",
	    DB_ARGS(db_p_u64(s->dry_id)), &changed);

	return e == ERR_OK && changed != 1 ? ERR_CONFLICT : e;
}

/* Everything is the dry run's, and so is the limit: of the person's number nothing is stored. */
static enum err insert(struct db *db, struct confirming *s)
{
	struct db_param src = db_p_blob(s->c->src_sealed.bytes, s->c->src_sealed.len);
	struct db_param dst = db_p_blob(s->c->dst_sealed.bytes, s->c->dst_sealed.len);
	uint64_t changed;
	enum err e = db_exec(db,
	    "INSERT INTO job (" JOB_RERUN_COLUMNS ", delete2, max_delete, delete2_digest) SELECT 0, ?, "
	    "COALESCE(?, j.src_sealed), COALESCE(?, j.dst_sealed), "
	    "j.options," JOB_RERUN_OWNER "," JOB_RERUN_VALUES
	    ", 1, j.messages_to_delete, j.delete2_digest FROM job j" JOB_RERUN_SERVERS
	    "WHERE j.id = ? AND COALESCE(?, j.src_sealed) IS NOT NULL AND COALESCE(?, j.dst_sealed) IS NOT "
	    "NULL",
	    DB_ARGS(db_p_blob(s->c->request_key, JOB_REQUEST_KEY_BYTES), src, dst, JOB_RERUN_OWNER_ARG(s->v),
		db_p_u64(s->dry_id), src, dst),
	    &changed);

	if (e == ERR_OK && changed != 1)
		return ERR_CONFLICT;
	s->id = e == ERR_OK ? db_insert_id(db) : 0;
	return e;
}

static enum err tell(struct db *db, const struct confirming *s)
{
	AUTO_ARENA struct arena *a = arena_new();

	return event_add(
	    db, &(struct event){.job_id = s->id,
		    .kind = "created",
		    .from = -1,
		    .to = JOB_QUEUED,
		    .user_id = s->v->user_id,
		    .detail = arena_printf(a, "deletes at most %llu messages, counted by job %llu",
			(unsigned long long)s->c->count, (unsigned long long)s->dry_id)});
}

static enum err confirm(struct db *db, void *ctx)
{
	struct confirming *s = ctx;
	uint64_t other;
	enum err e = limits_take(db, s->account_id, 1);

	if (e == ERR_OK)
		e = look(db, s, true);
	if (e == ERR_OK && s->state != DELETE2_READY)
		e = ERR_CONFLICT;
	if (e == ERR_OK)
		e = use(db, s);
	if (e == ERR_OK)
		e = insert(db, s);
	if (e == ERR_OK)
		e = limits_job_host(db, s->id);
	if (e == ERR_OK)
		e = job_demand_idle(db, s->id, &other);
	return e == ERR_OK ? tell(db, s) : e;
}

enum err store_delete2_confirm(struct db *db, const struct viewer *v, uint64_t id,
    const struct delete2_confirmation *c, uint64_t *id_r, bool *existed_r, enum delete2_state *state_r)
{
	struct confirming s = {.v = v, .c = c, .dry_id = id};
	enum err e = job_sealed_fits_or_none(&c->src_sealed) && job_sealed_fits_or_none(&c->dst_sealed)
			 ? look(db, &s, false)
			 : ERR_INVALID;

	*existed_r = false;
	*state_r = s.state;
	if (e != ERR_OK)
		return e;
	e = find_by_key(db, &s, id_r);
	*existed_r = e == ERR_OK;
	if (e != ERR_NOT_FOUND)
		return e;
	e = tx_run(db, confirm, &s);
	*state_r = s.state;
	if (e == ERR_OK)
		*id_r = s.id;
	/* sent twice at the same moment */
	if (e == ERR_CONFLICT && find_by_key(db, &s, id_r) == ERR_OK) {
		*existed_r = true;
		e = ERR_OK;
	}
	return e;
}
