#include "sql/store_expiry.h"

#include "sql/job_row.h"
#include "sql/store_log.h"
#include "sql/tx.h"

#define LONG_AGO " < UTC_TIMESTAMP(6) - INTERVAL ? DAY "

/* One transaction of it: these jobs, each looked at again under the lock. */
struct part {
	const struct expiry *x;
	const char *event;
	const char *deed; /* one job's UPDATE or DELETE; its parameters are id and days */
	const struct db_rows *jobs;
	unsigned count; /* result */
};

static enum err add_event(struct db *db, const struct part *p, uint64_t job_id)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct event ev = {.job_id = job_id,
	    .kind = p->event,
	    .from = -1,
	    .to = -1,
	    .worker_id = p->x->worker_id,
	    .detail = p->x->worker_id == 0 ? "at the command line"
					   : arena_printf(a, "%u days after its end", p->x->days)};

	return event_add(db, &ev);
}

/* The event first: of a deleted job none could be written. */
static enum err do_part(struct db *db, void *ctx)
{
	struct part *p = ctx;
	enum err e = ERR_OK;

	p->count = 0;
	for (size_t i = 0; e == ERR_OK && i < p->jobs->count; i++) {
		uint64_t id = db_u64(p->jobs, i, 0), changed;

		e = add_event(db, p, id);
		if (e == ERR_OK)
			e = db_exec(db, p->deed, DB_ARGS(db_p_u64(id), db_p_u64(p->x->days)), &changed);
		/* it was edited or deleted meanwhile: judge all of them anew, by the next call */
		if (e == ERR_OK && changed != 1)
			return ERR_LOST;
		p->count += e == ERR_OK;
	}
	return e;
}

/* find: selects at most max ids, by days and that. */
static enum err run(
    struct db *db, struct arena *a, struct part *p, const char *find, unsigned max, struct db_rows *jobs_r)
{
	enum err e;

	if (p->x->days > EXPIRY_DAYS_MAX)
		return ERR_INVALID;
	e = db_query(db, a, find, DB_ARGS(db_p_u64(p->x->days), db_p_u64(max)), jobs_r);
	p->jobs = jobs_r;
	if (e == ERR_OK && jobs_r->count > 0)
		e = tx_run(db, do_part, p);
	if (e == ERR_LOST)
		jobs_r->count = p->count = 0;
	return e == ERR_LOST ? ERR_OK : e;
}

enum err store_expiry_passwords(struct db *db, const struct expiry *x, unsigned *count_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct part p = {.x = x,
	    .event = "passwords_removed",
	    .deed = "UPDATE job j SET" JOB_PASSWORDS_REMOVED_SET
		    "WHERE j.id = ? AND j.idle_passwords" LONG_AGO "AND" JOB_HAS_IDLE_PASSWORDS};
	struct db_rows jobs;
	enum err e = run(db, a, &p,
	    "SELECT id FROM job FORCE INDEX (job_idle_passwords) WHERE idle_passwords" LONG_AGO
	    "ORDER BY idle_passwords, id LIMIT ?",
	    EXPIRY_JOBS, &jobs);

	*count_r = p.count;
	return e;
}

/* Marked first: from then on nobody reads it.  Then its chunks go, and last the length that made us find it.
 */
static enum err remove_log(struct db *db, uint64_t job_id)
{
	enum err e = store_log_delete(db, job_id);

	if (e != ERR_OK)
		return e;
	return db_exec(db,
	    "UPDATE job SET log_bytes = 0, log_cut_start = NULL, log_cut_bytes = 0"
	    " WHERE id = ? AND log_removed_at IS NOT NULL",
	    DB_ARGS(db_p_u64(job_id)), NULL);
}

static enum err finish_logs(struct db *db, struct arena *a, const struct expiry *x)
{
	struct db_rows jobs;
	enum err e = db_query(db, a,
	    "SELECT id FROM job FORCE INDEX (job_idle_log) WHERE idle_log" LONG_AGO
	    "AND log_removed_at IS NOT NULL ORDER BY idle_log, id LIMIT ?",
	    DB_ARGS(db_p_u64(x->days), db_p_u64(EXPIRY_LOGS)), &jobs);

	for (size_t i = 0; e == ERR_OK && i < jobs.count; i++)
		e = remove_log(db, db_u64(&jobs, i, 0));
	return e;
}

enum err store_expiry_logs(struct db *db, const struct expiry *x, unsigned *count_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct part p = {.x = x,
	    .event = "log_removed",
	    .deed = "UPDATE job j SET j.log_removed_at = UTC_TIMESTAMP(6), j.updated_at = UTC_TIMESTAMP(6)"
		    " WHERE j.id = ? AND j.idle_log" LONG_AGO "AND j.log_removed_at IS NULL"};
	struct db_rows jobs;
	enum err e = run(db, a, &p,
	    "SELECT id FROM job FORCE INDEX (job_idle_log) WHERE idle_log" LONG_AGO
	    "AND log_removed_at IS NULL ORDER BY idle_log, id LIMIT ?",
	    EXPIRY_LOGS, &jobs);

	*count_r = p.count;
	return e == ERR_OK ? finish_logs(db, a, x) : e;
}

enum err store_expiry_jobs(struct db *db, const struct expiry *x, unsigned *count_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct part p = {.x = x,
	    .event = "deleted",
	    .deed = "DELETE FROM job WHERE id = ? AND finished_at" LONG_AGO
		    "AND state NOT IN ('queued', 'running')"};
	struct db_rows jobs;
	enum err e = run(db, a, &p,
	    "SELECT id FROM job FORCE INDEX (job_finished) WHERE finished_at" LONG_AGO
	    "ORDER BY finished_at, id LIMIT ?",
	    EXPIRY_LOGS, &jobs);

	*count_r = p.count;
	/* what is cut short here, store_log_sweep() finds */
	for (size_t i = 0; e == ERR_OK && i < jobs.count; i++)
		e = store_log_delete(db, db_u64(&jobs, i, 0));
	return e;
}
