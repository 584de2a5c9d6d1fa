/*
 * Starting a run's programs: first the one that copies, then, perhaps, the one that verifies.  Sealed
 * passwords stay sealed between the two: each start opens them anew, hands them to its keeper and wipes them.
 */
#ifndef MCV_WORKER_LAUNCH_H
#define MCV_WORKER_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/joboptions.h"
#include "lib/redact.h"
#include "lib/vault.h"
#include "sql/store_queue.h"
#include "worker/argv.h"
#include "worker/keeper.h"
#include "worker/outcome.h"

/* What every start of a job needs; strings and boxes live in the arena given to launch_init(). */
struct launch {
	struct arena *arena;
	const struct conf *conf;
	const struct vault_private_key *key;
	const char *label; /* for the worker's log */
	uint64_t account_id;
	struct argv_side sides[2];
	const void *sealed[2];
	size_t sealed_len[2];
	bool vetted[2];  /* hosts that must not be in a denied network, nor on another port than members may
			    use */
	bool is_refused; /* the account may not copy to this destination */
	bool dry_run;
	struct argv_delete2 delete2;
	enum start_failure delete2_why; /* START_OK: what is asked for may be done */
	struct joboptions options;
	const char *options_why; /* what is stored is none of the options there are: why; NULL: it is */
	int64_t began_s;         /* when the run began, seconds since 1970 UTC */
};

/* Copies what it needs of the job, passwords still sealed.  label stays the caller's. */
void launch_init(struct launch *l, struct arena *a, const struct conf *conf,
    const struct vault_private_key *key, const char *label, const struct queue_job *j);

struct launch_program {
	const char *path;       /* absolute */
	const char *job_dir;    /* exists */
	const char *verify;     /* NULL: it copies; "size", "content" */
	const char *folder_map; /* of a verification: where the copier's lines are; NULL: nowhere */
	mono_time fence;        /* when the lease stops being safe */
	struct redact *redact;  /* learns the passwords; NULL: it knows them */
};

/* Whether the program reads what it signs in with again and again: access tokens. */
bool launch_keeps_secrets(const struct launch *l);

/* START_OK with *k_r, or why not. */
enum start_failure launch(const struct launch *l, const struct launch_program *p, struct keeper *k_r);

#endif
