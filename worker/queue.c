#include "worker/queue.h"

#include <stdlib.h>

#include "lib/log.h"
#include "sql/store_import.h"
#include "sql/store_outbox.h"
#include "worker/crash.h"
#include "worker/jobdir.h"
#include "worker/notify.h"
#include "worker/report.h"

enum {
	ROOM_MS = 5000, /* after there was no room for a run's directory */
	ROOM_TELL_MS = 60000,
	REFUSED_MS = 5000, /* after an answer that asking again will hardly mend */
	JITTER_MS = 50,    /* so that workers that met once do not meet again */
	IMPORT_ROWS_AT_ONCE = 500,
};

int queue_due_ms(const struct queue *q)
{
	int claim = mono_left_ms(q->claim_at);
	int sweep = mono_left_ms(q->sweep_at);

	return claim < sweep ? claim : sweep;
}

static enum err ask(struct queue *q, struct db *db, const struct conf *conf, struct arena *a,
    uint64_t worker_id, struct queue_job *job_r)
{
	if (q->is_unresolved)
		return store_queue_claim_resolve(db, a, &q->token, job_r);
	queue_token_new(&q->token);
	q->asked = mono_now();
	return store_queue_claim(db, a, worker_id, (unsigned)conf->lease_s, &q->token, job_r);
}

/* What is claimed now could only fail, and the next one with it. */
static bool has_room(struct queue *q, const struct link *db_link, const struct conf *conf)
{
	if (mono_left_ms(db_link->full_until) > 0) {
		q->claim_at = db_link->full_until;
		return false;
	}
	if (jobdir_has_room(conf->state_dir))
		return true;
	q->claim_at = mono_after(mono_now(), ROOM_MS);
	if (mono_left_ms(q->room_told_at) == 0) {
		log_warnx("the disk of %s is full; no job is started until there is room", conf->state_dir);
		q->room_told_at = mono_after(mono_now(), ROOM_TELL_MS);
	}
	return false;
}

enum err queue_claim(struct queue *q, struct link *db_link, const struct conf *conf, struct arena *a,
    uint64_t worker_id, struct queue_job *job_r, struct queue_token *token_r, mono_time *asked_r)
{
	struct db *db;
	enum err e;

	if (mono_left_ms(q->claim_at) > 0 || (!q->is_unresolved && !has_room(q, db_link, conf)))
		return ERR_NOT_FOUND;
	q->claim_at = mono_after(mono_now(), conf->poll_ms);
	db = link_db(db_link);
	if (db == NULL)
		return ERR_UNAVAILABLE;
	e = link_note(db_link, ask(q, db, conf, a, worker_id, job_r));
	switch (e) {
	case ERR_OK:
		q->is_unresolved = false;
		*token_r = q->token;
		*asked_r = q->asked;
		q->claim_at = mono_now();
		log_info("job %llu: claimed", (unsigned long long)job_r->job.id);
		crash_point("after_claim");
		return ERR_OK;
	case ERR_UNCERTAIN: q->is_unresolved = true; return e;
	case ERR_NOT_FOUND:
		if (q->is_unresolved)
			q->claim_at = mono_now();
		q->is_unresolved = false;
		return e;
	case ERR_BUSY: q->claim_at = mono_after(q->claim_at, random() % JITTER_MS); return e;
	case ERR_INTERNAL:
		log_warnx("the database lets no job be claimed: no job is started");
		q->claim_at = mono_after(mono_now(), REFUSED_MS);
		return e;
	default: return e;
	}
}

void queue_sweep(struct queue *q, struct link *db_link, const struct conf *conf)
{
	const struct outcome o = outcome_orphan();
	struct queue_ending ending;
	unsigned count = 0;
	struct db *db;
	bool more;

	if (mono_left_ms(q->sweep_at) > 0)
		return;
	q->sweep_at = mono_after(mono_now(), conf->renew_s * 1000);
	db = link_db(db_link);
	if (db == NULL)
		return;
	report_ending(&o, NULL, NULL, &ending);
	ending.mail = notify_policy(conf);
	if (link_note(db_link, store_queue_rescue_expired(db, &ending, &count)) == ERR_OK && count > 0)
		log_info("%u jobs of lost workers were marked interrupted", count);
	if (link_note(db_link, store_outbox_sweep(db, &ending.mail)) != ERR_OK)
		return;
	/* what the web keeps of an import for an hour; it may not be asked for anything for longer */
	if (link_note(db_link, store_import_sweep(db, IMPORT_ROWS_AT_ONCE, &more)) == ERR_OK && more)
		q->sweep_at = mono_now();
}
