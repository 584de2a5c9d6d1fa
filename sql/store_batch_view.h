/*
 * How a batch stands.  A mailbox may have been run more than once; what counts is its last run: failures that
 * were mended since are not failures any more.  Every function takes the viewer; a batch of another account
 * looks empty (store_batch_get() tells it apart).  Errors of sql/db.h are not repeated.
 */
#ifndef MCV_SQL_STORE_BATCH_VIEW_H
#define MCV_SQL_STORE_BATCH_VIEW_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/job.h"
#include "sql/viewer.h"

struct batch_summary {
	uint64_t mailboxes, runs;
	uint64_t states[JOB_STATE__MAX]; /* of the mailboxes' last runs */
	uint64_t dry_done;               /* last runs that were dry and ended well: ready for the real one */
	uint64_t real_done;              /* last runs that were real and ended well */
	/* Sums over what is known. */
	int64_t messages_total, bytes_total;        /* on the source, of the last runs */
	int64_t messages_to_copy;                   /* of last runs that were dry */
	int64_t messages_skipped, messages_failed;  /* of last runs that were real */
	int64_t verify_messages, verified_messages; /* of last runs that were compared to the end */
	int64_t verify_missing, verify_altered, verify_doubled; /* of these */
	uint64_t verified, unverified;         /* last runs that were, and that ought to have been */
	int64_t messages_copied, bytes_copied; /* of all real runs: a retry copies only the rest */
	int64_t started_at, finished_at; /* of all runs, first and last; seconds since 1970 UTC, 0: none */
};

enum err store_batch_summary(
    struct db *db, const struct viewer *v, uint64_t batch_id, struct batch_summary *summary_r) MUST_CHECK;

enum { BATCH_STATES_MAX = 100 };

/* Only summary.mailboxes and summary.states, of several batches at once (at most BATCH_STATES_MAX). */
enum err store_batch_states(struct db *db, const struct viewer *v, const uint64_t *batch_ids, size_t count,
    struct batch_summary *summaries_r) MUST_CHECK;

/* Why last runs failed or were interrupted: one entry a reason. */
struct batch_cause {
	const char *reason, *text, *action; /* as in struct job; may be NULL */
	uint64_t count;
	uint64_t job_id;                       /* one of them */
	uint64_t src_server_id, dst_server_id; /* the server they share; 0: not all have the same */
};

/* The commonest first, at most BATCH_CAUSES_MAX. */
enum { BATCH_CAUSES_MAX = 100 };
enum err store_batch_causes(struct db *db, struct arena *a, const struct viewer *v, uint64_t batch_id,
    struct batch_cause **list_r, size_t *count_r) MUST_CHECK;

/*
 * The last run of each mailbox, in the order they were made: at most limit with ids above after (0: from the
 * first on).  For a long report call in a loop, resetting the arena.
 */
enum err store_batch_report(struct db *db, struct arena *a, const struct viewer *v, uint64_t batch_id,
    uint64_t after, unsigned limit, struct job **list_r, size_t *count_r) MUST_CHECK;

#endif
