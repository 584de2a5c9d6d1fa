/* The stored passwords of an ended job, removed at somebody's wish. */
#include "sql/job_row.h"
#include "sql/store_job.h"
#include "sql/tx.h"

struct removal {
	const struct viewer *v;
	uint64_t id;
	bool had;
};

/* Why nothing was removed. */
static enum err look(struct db *db, const struct removal *r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct job j;
	enum err e = store_job_get(db, a, r->v, r->id, &j);

	if (e != ERR_OK)
		return e;
	return job_state_is_ended(j.state) ? ERR_OK : ERR_CONFLICT;
}

static enum err remove_passwords(struct db *db, void *ctx)
{
	struct removal *r = ctx;
	const struct event ev = {
	    .job_id = r->id, .kind = "passwords_removed", .from = -1, .to = -1, .user_id = r->v->user_id};
	uint64_t changed;
	enum err e = db_exec(db,
	    "UPDATE job j SET" JOB_PASSWORDS_REMOVED_SET "WHERE j.id = ? AND " SCOPE
	    " AND" JOB_HAS_IDLE_PASSWORDS,
	    DB_ARGS(db_p_u64(r->id), SCOPE_ARGS(r->v)), &changed);

	r->had = changed == 1;
	if (e != ERR_OK || !r->had)
		return e == ERR_OK ? look(db, r) : e;
	e = db_exec(
	    db, "DELETE i FROM job j" JOB_IMPORT_ROWS "WHERE j.id = ?", DB_ARGS(db_p_u64(r->id)), NULL);
	return e == ERR_OK ? event_add(db, &ev) : e;
}

enum err store_job_remove_passwords(struct db *db, const struct viewer *v, uint64_t id, bool *had_r)
{
	struct removal r = {.v = v, .id = id};
	enum err e = tx_run(db, remove_passwords, &r);

	if (e == ERR_OK && had_r != NULL)
		*had_r = r.had;
	return e;
}
