/*
 * The outbox: mails about jobs and batches that have ended, and such with a link to choose a password
 * (sql/store_invite.h).  A row about a job is written by the transaction that ends the job
 * (sql/store_queue.h), so that there is one exactly when the job has ended; whether its owner wants it, and
 * whether they are looking at the jobs list anyway, is decided there and then.  Notifiers, any number on any
 * number of hosts, lease a row, send it, and say what became of it.  What is about a job or a batch goes to
 * the notification address the account has when it is leased, else to the owner's; it is held while the
 * owner's account is suspended or they have no address any more.  A link goes to the user's own address, or
 * is not sent.  Errors of sql/db.h are not repeated.
 */
#ifndef MCV_SQL_STORE_OUTBOX_H
#define MCV_SQL_STORE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/job.h"
#include "sql/viewer.h"

/* What a batch tells its owner (notify_batch). */
enum outbox_batch { OUTBOX_SUMMARY, OUTBOX_EACH, OUTBOX_OFF };

/* Who is told what.  All zero: nobody, nothing. */
struct outbox_policy {
	bool is_on;
	enum outbox_batch batch;
	unsigned suppress_s; /* no mail to who polled the jobs list within so many seconds; 0: always mail */
};

/*
 * Inside the transaction that ended the job, for sql/store_queue_end.c alone: write the owner's row, unless
 * they do not want one, are disabled, nobody reads mail for them, or the job was cancelled; and its batch's,
 * if nothing else of it is queued or running, and no bulk action is about to queue more of it
 * (store_outbox_sweep() sees to it then).
 */
enum err store_outbox_job_ended(
    struct db *db, struct arena *a, uint64_t job_id, const struct outbox_policy *policy) MUST_CHECK;

/*
 * Summaries of batches that were over without a run's end: their last jobs were cancelled in the queue, or
 * deleted, or a bulk action that was going on has queued no more of them.  At most 20 at a time.
 */
enum err store_outbox_sweep(struct db *db, const struct outbox_policy *policy) MUST_CHECK;

enum { OUTBOX_TOKEN_BYTES = 16, OUTBOX_ERROR_MAX_CHARS = 255 };

/* One to be sent: about a job, about a batch (the other ids are 0), or with a link for the user. */
struct outbox_mail {
	uint64_t id;
	uint8_t token[OUTBOX_TOKEN_BYTES];
	uint64_t job_id, batch_id;
	bool is_invite;
	uint64_t user_id; /* whom it is for */
	const char *to;   /* the account's notification address, or the user's; an invitation's: the user's */
	unsigned attempts;  /* this one included */
	int64_t created_us; /* microseconds since 1970 UTC */
	int64_t age_s;      /* since then, by the database's clock */
};

/*
 * Lease the one that is due longest for lease_s seconds.  One whose lease ran out (its notifier died) is due
 * again.  hourly_max: an account that was sent so many mails within an hour waits until the first of them is
 * as old (0: no limit); of two notifiers asking at the same moment each may exceed it by one.  ERR_NOT_FOUND:
 * none is due.  ERR_BUSY: others were faster, or those due are more than their accounts may get: ask again.
 */
enum err store_outbox_claim(struct db *db, struct arena *a, unsigned lease_s, unsigned hourly_max,
    struct outbox_mail *mail_r) MUST_CHECK;

/* What became of it; text (may be NULL) is cleaned and cut.  ERR_LOST: the lease ran out and another has it.
 */
enum err store_outbox_sent(struct db *db, const struct outbox_mail *m) MUST_CHECK;
/* Try again after delay_s seconds. */
enum err store_outbox_later(
    struct db *db, const struct outbox_mail *m, unsigned delay_s, const char *text) MUST_CHECK;
/* It was not sent, and will not be, since it should not. */
enum err store_outbox_suppressed(struct db *db, const struct outbox_mail *m, const char *text) MUST_CHECK;
/* Never again; also an event of the job, and the end of the link that was in it. */
enum err store_outbox_failed(struct db *db, const struct outbox_mail *m, const char *text) MUST_CHECK;

enum outbox_state { OUTBOX_WAITING, OUTBOX_SENDING, OUTBOX_SENT, OUTBOX_SUPPRESSED, OUTBOX_FAILED };

/* How the mail about a job stands, for its page. */
struct outbox_status {
	enum outbox_state state;
	const char *to; /* whom it went or will go to; suppressed: who looked */
	unsigned attempts;
	bool is_held;             /* whom it is for may not sign in just now, or has no address */
	int64_t next_at, sent_at; /* seconds since 1970 UTC; 0: not */
	const char *last_error;   /* NULL: none */
};

/* ERR_NOT_FOUND: there is none, or the job is not the viewer's to see. */
enum err store_outbox_of_job(struct db *db, struct arena *a, const struct viewer *v, uint64_t job_id,
    struct outbox_status *status_r) MUST_CHECK;

/* The same of the last mail with a link for the user, which the viewer's account must be allowed to see. */
enum err store_outbox_of_user(struct db *db, struct arena *a, const struct viewer *v, uint64_t user_id,
    struct outbox_status *status_r) MUST_CHECK;

/* The same of the batch's last summary. */
enum err store_outbox_of_batch(struct db *db, struct arena *a, const struct viewer *v, uint64_t batch_id,
    struct outbox_status *status_r) MUST_CHECK;

#endif
