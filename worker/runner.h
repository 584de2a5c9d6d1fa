/*
 * One run, from the claim to the finished row: a small state machine in the worker's one loop.
 *
 *   STARTING  the keeper is there, the program is not known to run yet
 *   RUNNING   it runs
 *   STOPPING  somebody wished its end (a person, a limit, the fence, the worker's own end)
 *   DRAINING  the program has ended; the keeper ends what it left behind
 *             (a copy that came to its end: the verification is STARTING, a second program in the same run)
 *   DEAD      nothing of it is left; log and outcome go to the database, as soon as that takes them
 *
 * Nothing here blocks but the database, for LINK_TIMEOUT_S at most.
 */
#ifndef MCV_WORKER_RUNNER_H
#define MCV_WORKER_RUNNER_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/vault.h"
#include "sql/store_queue.h"
#include "worker/link.h"
#include "worker/outcome.h"
#include "worker/program.h"

struct runner;

/* What all runs of a worker share; belongs to main(). */
struct runner_context {
	const struct conf *conf;
	const struct vault_private_key *key;
	struct link *db_link;
	struct program *program;
	struct program *engine; /* verifies, and copies what a verification found missing */
	uint64_t worker_id;
};

/*
 * Takes over a claimed job, whose strings are no longer needed when this returns, and starts it.  fence: when
 * the lease stops being safe.  Always gives a runner: a run that could not be started is DEAD, with its
 * reason.
 */
struct runner *runner_new(const struct runner_context *context, const struct queue_token *t,
    const struct queue_job *job, mono_time fence);

/* Kills what still runs, without waiting, and frees; sets *r to NULL. */
void runner_free(struct runner **r);

const struct queue_token *runner_token(const struct runner *r);

/* The run has ended and its row says so (or is no longer ours): only runner_free() is left. */
bool runner_is_finished(const struct runner *r);

/* End the run for this reason; the first reason counts, but WISH_LOST always does. */
void runner_wish(struct runner *r, enum wish wish);

/* The lease was renewed. */
void runner_fence(struct runner *r, mono_time fence);

/* Whether pid is the keeper of this run. */
bool runner_owns(const struct runner *r, pid_t pid);

/* What to wait for: fills two entries. */
void runner_poll_fds(const struct runner *r, struct pollfd fds[2]);

/* Milliseconds until runner_tick() has something to do. */
int runner_due_ms(const struct runner *r);

/* One of the descriptors is ready. */
void runner_ready(struct runner *r, const struct pollfd fds[2]);

/* Limits, log, counters, end: what is due by now. */
void runner_tick(struct runner *r);

#endif
