#include "worker/housekeeping.h"

#include "lib/arena.h"
#include "lib/log.h"
#include "sql/store_audit.h"
#include "sql/store_chore.h"
#include "sql/store_expiry.h"
#include "sql/store_log.h"

enum {
	LOOK_MS = 60000, /* how often it is asked whether something is due */
	BREATH_MS = 20,  /* between two parts: others come first */
	LEASE_S = 300,   /* a part takes less than a second */
	EXPIRY_S = 600,  /* between two turns of each chore */
	LOST_LOGS_S = 86400,
};

/* One kind of what expires.  days 0: it is kept. */
static enum err expire(struct db *db, enum err (*remove)(struct db *, const struct expiry *, unsigned *),
    long days, uint64_t worker_id, unsigned *count, bool *more_r)
{
	const struct expiry x = {.days = (unsigned)days, .worker_id = worker_id};
	unsigned removed = 0;
	enum err e = ERR_OK;

	if (days > 0)
		e = remove(db, &x, &removed);
	*count += removed;
	*more_r = *more_r || removed > 0;
	return e;
}

static enum err expire_part(
    struct housekeeping *h, struct db *db, const struct conf *conf, uint64_t worker_id, bool *more_r)
{
	enum err e =
	    expire(db, store_expiry_passwords, conf->credential_days, worker_id, &h->passwords, more_r);

	if (e == ERR_OK)
		e = expire(db, store_expiry_logs, conf->log_days, worker_id, &h->logs, more_r);
	if (e == ERR_OK)
		e = expire(db, store_expiry_jobs, conf->job_days, worker_id, &h->jobs, more_r);
	return e;
}

static enum err lost_logs_part(
    struct housekeeping *h, struct db *db, const struct conf *conf, uint64_t worker_id, bool *more_r)
{
	(void)conf;
	(void)worker_id;
	return store_log_sweep(db, &h->log_of, more_r);
}

static const struct chore {
	const char *name;
	unsigned pause_s;
	enum err (*part)(
	    struct housekeeping *h, struct db *db, const struct conf *conf, uint64_t worker_id, bool *more_r);
} chores[] = {
    {CHORE_EXPIRY, EXPIRY_S, expire_part},
    {CHORE_LOST_LOGS, LOST_LOGS_S, lost_logs_part},
};

enum { CHORES = sizeof(chores) / sizeof(chores[0]) };

/* In the trail as in the journal, so that nobody has to wonder where things went. */
static enum err tell(const struct housekeeping *h, struct db *db)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct audit entry = {.address = "mailconvoy-worker",
	    .action = "expiry",
	    .detail = arena_printf(
		a, "removed: passwords of %u jobs, %u logs, %u jobs", h->passwords, h->logs, h->jobs)};

	if (h->passwords + h->logs + h->jobs == 0)
		return ERR_OK;
	log_info("%s", entry.detail);
	return store_audit_add(db, &entry);
}

int housekeeping_due_ms(const struct housekeeping *h)
{
	return mono_left_ms(h->due_at);
}

/* The next chore; after the last one a while of nothing. */
static void go_on(struct housekeeping *h)
{
	*h = (struct housekeeping){.chore = (h->chore + 1) % CHORES};
	h->due_at = mono_after(mono_now(), h->chore == 0 ? LOOK_MS : BREATH_MS);
}

void housekeeping_tick(
    struct housekeeping *h, struct link *db_link, const struct conf *conf, uint64_t worker_id)
{
	const struct chore *c = &chores[h->chore];
	bool more = false;
	struct db *db;
	enum err e;

	if (mono_left_ms(h->due_at) > 0)
		return;
	h->due_at = mono_after(mono_now(), LOOK_MS);
	db = link_db(db_link);
	if (db == NULL)
		return;
	e = link_note(db_link, store_chore_take(db, c->name, worker_id, LEASE_S));
	if (e == ERR_OK)
		e = link_note(db_link, c->part(h, db, conf, worker_id, &more));
	if (e == ERR_OK && more) {
		h->due_at = mono_after(mono_now(), BREATH_MS);
		return;
	}
	if (e == ERR_OK)
		e = link_note(db_link, tell(h, db));
	if (e == ERR_OK)
		e = link_note(db_link, store_chore_done(db, c->name, worker_id, c->pause_s));
	if (e == ERR_OK || e == ERR_NOT_FOUND)
		go_on(h);
}
