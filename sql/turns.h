/*
 * Which job comes next, for the claim (sql/store_queue.c) alone.  What is read here is read without a lock:
 * hints of what to try, which the claim's conditional writes decide.
 *
 * Within an account jobs start in the order they were queued: who queues a batch may rely on it, and nobody
 * else is touched by it.  Between accounts it goes round, one job each, from the account that was served last
 * on; those that have jobs running come after all that have none.  One queue for all would let a customer's
 * ten thousand mailboxes keep every other customer waiting for days (threat T21).  So an account holds more
 * than one slot only while nobody else waits, and who comes new waits for one run to end, not for a queue.
 * Where an administrator has said how many of an account's may run (max_running), no more do, though slots
 * are free (limits_running()). Workers that ask at the very same moment may both choose one account: the next
 * claim makes good for it.
 *
 * The way round is walked lazily, jumping from account to account in an index that holds queued jobs alone: a
 * claim costs the same whatever the number of jobs and of accounts.
 */
#ifndef MCV_SQL_TURNS_H
#define MCV_SQL_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"

/* Jobs tried of one account: the first ones may be another worker's by then. */
enum { TURNS_JOBS = 8 };

/* A way round.  All in the arena. */
struct turns {
	struct arena *arena;
	uint64_t last;    /* the account that was served last; 0: none ever */
	uint64_t at;      /* how far the way has come */
	bool is_past_end; /* gone on from the lowest id */
	struct db_rows
	    running; /* accounts with jobs running, those with the fewest first; whether no more may */
	bool *waits; /* of each of these: it has jobs queued, too */
	size_t next_running; /* of these: the next to be told */
	bool is_round;       /* all others have been told */
};

enum err turns_begin(struct db *db, struct arena *a, struct turns *t_r) MUST_CHECK;

/* The next account that has jobs queued and is not suspended.  ERR_NOT_FOUND: there is none more. */
enum err turns_next(struct db *db, struct turns *t, uint64_t *account_id_r) MUST_CHECK;

/* The account's first queued jobs whose mailboxes no running job has, at most TURNS_JOBS; one column, the id.
 */
enum err turns_jobs(struct db *db, struct arena *a, uint64_t account_id, struct db_rows *rows_r) MUST_CHECK;

/* Inside the transaction that claims one of its jobs: the account has had its turn. */
enum err turns_note(struct db *db, uint64_t account_id) MUST_CHECK;

#endif
