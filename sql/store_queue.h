/*
 * The queue as workers see it: claim, own, finish, rescue.
 *
 * A claim is a random token in the job's row and in one row of run_slot, and a lease: lease_until by the
 * database's clock.  There are as many slot rows as jobs may run at once in the whole installation.  Every
 * write of a worker is conditional on its token; when the row no longer carries it the answer is ERR_LOST:
 * end the child, write nothing more.  No row lock outlives a call, every call is one short transaction, and
 * rows are written, not only locked, so it holds on a Galera cluster too.  Errors of sql/db.h are not
 * repeated.
 */
#ifndef MCV_SQL_STORE_QUEUE_H
#define MCV_SQL_STORE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/job.h"
#include "sql/store_outbox.h"

/* What names a claim.  Make it with queue_token_new() before each claim; keep it until the job is finished.
 */
struct queue_token {
	uint8_t bytes[JOB_TOKEN_BYTES];
	uint64_t job_id; /* set while claiming; 0 before */
};
void queue_token_new(struct queue_token *t);

/* A claimed job: all the runner needs. */
struct queue_job {
	struct job job;
	const void *src_sealed; /* lib/vault.h blobs, arena-owned */
	size_t src_sealed_len;
	const void *dst_sealed;
	size_t dst_sealed_len;
	/* Its owner is no administrator (or gone) and the server is not a shared one: an administrator has
	 * not approved of where it is. */
	bool is_src_vetted, is_dst_vetted;
	bool is_dst_refused;     /* the account may not, or no longer, copy to the destination */
	bool is_delete2_refused; /* it asks for delete2, and the account may not, or no longer */
	bool is_delete2_changed; /* it is to delete, and a server is not the one that was confirmed */
	/* A rerun that is to copy what its parent's verification found missing: whatever copied then would
	 * leave it behind again. */
	bool is_mending;
};

/*
 * Claim the job whose turn it is (sql/turns.h: of each account the oldest, the accounts in turn), if a slot
 * is free; jobs of suspended accounts wait, and so do those whose mailboxes a running job has: a unique key
 * sees to it that of two between the same mailboxes one begins.  lease_s: seconds from now, > 0.  Resolves an
 * unanswered commit by itself, reconnecting once.  ERR_NOT_FOUND: nothing waits.  ERR_BUSY: jobs wait but no
 * slot or mailbox is free, or others were faster: poll again.  ERR_UNCERTAIN: the answer was lost and could
 * not be asked for again: call store_queue_claim_resolve() when the database is back, before any other claim.
 * ERR_INTERNAL: the database lets no job be claimed or read (db_error()), and none was.
 */
enum err store_queue_claim(struct db *db, struct arena *a, uint64_t worker_id, unsigned lease_s,
    struct queue_token *t, struct queue_job *job_r) MUST_CHECK;

/* What became of a claim whose commit was not answered: ERR_OK: it is ours.  ERR_NOT_FOUND: it did not
 * happen. */
enum err store_queue_claim_resolve(
    struct db *db, struct arena *a, const struct queue_token *t, struct queue_job *job_r) MUST_CHECK;

enum { QUEUE_RENEW_MAX = 64 };

/* One running job of this worker, in and out of a renewal. */
struct queue_lease {
	const struct queue_token *token;
	bool is_lost;          /* set: the job is not ours any more */
	bool is_cancel_wanted; /* set: a person asked to cancel it */
};

/* Extend all own leases to lease_s seconds from now, in one statement, and read the wishes.  count 0 to
 * QUEUE_RENEW_MAX.  After any error all flags are unchanged, and ERR_UNCERTAIN may be treated as
 * ERR_UNAVAILABLE. */
enum err store_queue_renew(
    struct db *db, unsigned lease_s, struct queue_lease *leases, size_t count) MUST_CHECK;

/* Only read the wishes (for polling faster than renewing); flags as above. */
enum err store_queue_wishes(struct db *db, struct queue_lease *leases, size_t count) MUST_CHECK;

/* Note the program that runs it.  ERR_LOST. */
enum err store_queue_program(
    struct db *db, const struct queue_token *t, const char *program, const char *version) MUST_CHECK;

/* Counters so far; at most once a second is enough.  ERR_LOST. */
enum err store_queue_progress(struct db *db, const struct queue_token *t, const struct job_counters *c,
    int64_t log_errors, int64_t log_warnings) MUST_CHECK;

/* How its verification stands.  ERR_LOST. */
enum err store_queue_verify(
    struct db *db, const struct queue_token *t, const struct job_verify *v) MUST_CHECK;

/* How it ended.  Strings: reason is required; the others may be NULL; too long ones are cut (text and detail
 * at 1000 characters). */
struct queue_ending {
	enum job_state state; /* an ended one */
	int exit_code;        /* -1: it did not exit by itself */
	int exit_signal;      /* 0: none */
	const char *reason;
	const char *reason_text;
	const char *reason_detail;
	const char *reason_action;           /* NULL = "none" */
	const struct job_counters *counters; /* NULL: as last reported */
	const char *delete2_digest;      /* of a dry run with delete2: of what it counted; NULL: it did not */
	const struct job_verify *verify; /* NULL: a verification under way was not brought to its end */
	int64_t log_errors, log_warnings; /* -1: as last reported */
	struct outbox_policy mail;        /* who is told; all zero: nobody */
};

/*
 * End the job, free its slot and write the mail about it, in one transaction.  May be repeated with the same
 * token after ERR_UNCERTAIN, ERR_BUSY or ERR_UNAVAILABLE (after db_reconnect()) until it answers: the first
 * one counts, later ones are ERR_OK and change nothing.  ERR_LOST: somebody else ended it first. ERR_INVALID:
 * state is not an ended one.
 */
enum err store_queue_finish(
    struct db *db, const struct queue_token *t, const struct queue_ending *ending) MUST_CHECK;

/* End everything this (dead) worker left running, as ending says, and free its slots.  *count_r: how many. */
enum err store_queue_rescue_worker(
    struct db *db, uint64_t worker_id, const struct queue_ending *ending, unsigned *count_r) MUST_CHECK;

/* The same for every lease that has run out, whoever held it; any worker may call this at any time. */
enum err store_queue_rescue_expired(
    struct db *db, const struct queue_ending *ending, unsigned *count_r) MUST_CHECK;

/* Permits to run: how many, and how many are in use now. */
enum err store_queue_slots(struct db *db, unsigned *total_r, unsigned *used_r) MUST_CHECK;

enum { QUEUE_SLOTS_MAX = 1000 };

/* Make it wanted (0 to QUEUE_SLOTS_MAX).  Slots in use are never taken away: *total_r, how many there are
 * now, may be more than wanted; call again when jobs have ended.  ERR_INVALID. */
enum err store_queue_slots_set(struct db *db, unsigned wanted, unsigned *total_r) MUST_CHECK;

struct queue_depth {
	uint64_t queued; /* eligible */
	uint64_t held;   /* queued, but the account is suspended */
	uint64_t running;
	int64_t oldest_s; /* how long the oldest eligible one waits; 0 when none does */
};
enum err store_queue_depth(struct db *db, struct queue_depth *depth_r) MUST_CHECK;

#endif
