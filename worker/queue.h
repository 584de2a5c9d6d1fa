/*
 * When to claim: every poll_ms while jobs may wait, at once again after a claim that succeeded, a little
 * later when others were faster, and never while the worker stops, the database is away or its storage or
 * that of state_dir is full.
 */
#ifndef MCV_WORKER_QUEUE_H
#define MCV_WORKER_QUEUE_H

#include <stdbool.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "sql/store_queue.h"
#include "worker/link.h"

struct queue {
	mono_time claim_at;
	mono_time sweep_at;
	mono_time room_told_at;   /* that state_dir is full is told again then, if it still is */
	bool is_unresolved;       /* a claim's commit was not answered: token tells */
	struct queue_token token; /* of the claim under way */
	mono_time asked;          /* when it was begun: its lease may have started then */
};

/* Milliseconds until queue_claim() or queue_sweep() has something to do. */
int queue_due_ms(const struct queue *q);

/*
 * Claims one job, if it is time to.  ERR_OK: *job_r (in a), *token_r and *asked_r, the moment from which the
 * lease must be counted; call again at once.  ERR_NOT_FOUND: nothing to do now.  Other errors were noted.
 */
enum err queue_claim(struct queue *q, struct link *db_link, const struct conf *conf, struct arena *a,
    uint64_t worker_id, struct queue_job *job_r, struct queue_token *token_r, mono_time *asked_r) MUST_CHECK;

/* Ends the jobs whose lease has run out, whoever had them, and removes expired imports; every renew_s. */
void queue_sweep(struct queue *q, struct link *db_link, const struct conf *conf);

#endif
