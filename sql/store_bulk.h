/*
 * Bulk actions: one action on many jobs, in three steps.  Asking counts the jobs once and keeps the list;
 * judging tells, as often as wanted, what the action would do to each now; running does it, a transaction per
 * hundred, to the jobs that were counted and to no others.  What became of each is kept with it.
 *
 * A bulk belongs to the user who asked for it, while they act for the account they asked for, or are an
 * administrator; to everybody else it is ERR_NOT_FOUND.  Errors of sql/db.h are not repeated.
 */
#ifndef MCV_SQL_STORE_BULK_H
#define MCV_SQL_STORE_BULK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/store_job.h"
#include "sql/viewer.h"

enum bulk_action {
	BULK_DRY_RUN,  /* a new dry run of each */
	BULK_RUN_REAL, /* a new real run of each */
	BULK_RETRY,    /* a new run of the same kind */
	BULK_CANCEL,
	BULK_DELETE,
	BULK_REMOVE_PASSWORDS,
	BULK_ACTION__MAX
};

/* "dry_run" … "remove_passwords"; never NULL. */
const char *bulk_action_name(enum bulk_action action);
/* ERR_OK or ERR_INVALID. */
enum err bulk_action_parse(const char *name, enum bulk_action *action_r) MUST_CHECK;

/* What the action does to a job.  The first five touch it, the others leave it alone and say why. */
enum bulk_outcome {
	BULK_REQUEUED,  /* a new job was made from it */
	BULK_CANCELLED, /* it was queued and will not start */
	BULK_STOPPING,  /* it is running; its worker was asked to stop it */
	BULK_DELETED,
	BULK_PASSWORDS_REMOVED,
	BULK_NOT_ENDED,        /* no rerun, no removal: it is queued or running itself */
	BULK_MAILBOXES_BUSY,   /* no rerun: another job of the same mailboxes is queued or running */
	BULK_OLDER_RUN,        /* no rerun: a later run of the same mailboxes is among the selected */
	BULK_NEEDS_PASSWORDS,  /* no rerun: its passwords were removed */
	BULK_NO_PASSWORDS,     /* no removal: they were removed before */
	BULK_ENDED,            /* no cancel: it has ended */
	BULK_STOPPING_ALREADY, /* no cancel: somebody asked before */
	BULK_RUNNING,          /* no delete: it is running */
	BULK_DELETES,          /* no rerun: it has to do with deleting, which is confirmed one by one */
	BULK_GONE,             /* it was deleted since it was counted */
	BULK_OUTCOME__MAX
};

/* "requeued" … "gone"; never NULL. */
const char *bulk_outcome_name(enum bulk_outcome o);
enum err bulk_outcome_parse(const char *name, enum bulk_outcome *o_r) MUST_CHECK;
/* Whether it did something. */
bool bulk_outcome_touches(enum bulk_outcome o);

enum {
	BULK_JOBS_MAX = 50000,
	BULK_CHUNK = 100,            /* jobs a transaction */
	BULK_CONFIRM_S = 3600,       /* how long a question waits for its answer */
	BULK_KEEP_S = 30 * 86400,    /* how long results are kept */
	BULK_FILTER_MAX_CHARS = 2000 /* of the list's query */
};

struct bulk {
	uint64_t id;
	enum bulk_action action;
	const char *filter;     /* the query of the list it was taken from; NULL: the whole list */
	bool picked;            /* rows of that list chosen one by one, not all of it */
	uint64_t newest_job_id; /* no job had a greater id when they were counted */
	uint64_t total, done;   /* jobs counted, jobs dealt with */
	int64_t created_at;     /* when they were counted; seconds since 1970 UTC, as the next two */
	int64_t confirmed_at;   /* 0: not yet */
	int64_t finished_at;    /* 0: not yet */
	bool is_expired;        /* not confirmed in time: ask anew */
};

struct bulk_question {
	enum bulk_action action;
	struct job_filter jobs;
	const char *filter;         /* as in struct bulk; at most BULK_FILTER_MAX_CHARS */
	bool picked;                /* as in struct bulk */
	const uint8_t *request_key; /* JOB_REQUEST_KEY_BYTES: one per form shown or request made */
};

/*
 * Count the jobs that pass q->jobs and keep the list.  The same request_key again, for the same account,
 * gives the same bulk.  Old questions and results are swept on the way.  ERR_NOT_FOUND: no job passes.
 * ERR_TOO_BIG: more than BULK_JOBS_MAX do.  ERR_INVALID: a malformed filter.
 */
enum err store_bulk_ask(
    struct db *db, const struct viewer *v, const struct bulk_question *q, uint64_t *id_r) MUST_CHECK;

/* Remove what nobody confirmed and what nobody will read again, whoever asked; a few at a time, since each
 * may hold many rows. */
enum err store_bulk_sweep(struct db *db) MUST_CHECK;

/* ERR_NOT_FOUND. */
enum err store_bulk_get(
    struct db *db, struct arena *a, const struct viewer *v, uint64_t id, struct bulk *bulk_r) MUST_CHECK;

/* What it would do to how many if it ran now.  ERR_NOT_FOUND. */
enum err store_bulk_judge(
    struct db *db, const struct viewer *v, uint64_t id, uint64_t counts_r[BULK_OUTCOME__MAX]) MUST_CHECK;

/*
 * Run it, or go on with it, for about budget_ms at most; bulk.done tells how far it came.  Calling again,
 * also at the same moment, also after an error, never does anything twice.  ERR_NOT_FOUND.  ERR_CONFLICT: it
 * was not confirmed in time.  ERR_LIMIT: the account of the next jobs may queue no more, or not copy to their
 * host; what was done before stays done.
 */
enum err store_bulk_run(struct db *db, const struct viewer *v, uint64_t id, int64_t budget_ms) MUST_CHECK;

/* What it did to how many so far.  ERR_NOT_FOUND. */
enum err store_bulk_counts(
    struct db *db, const struct viewer *v, uint64_t id, uint64_t counts_r[BULK_OUTCOME__MAX]) MUST_CHECK;

struct bulk_job {
	uint64_t n; /* 1 … total, in the order they were queued */
	uint64_t job_id;
	const char *label; /* as it was when counted */
	bool is_done;      /* outcome is known */
	enum bulk_outcome outcome;
	uint64_t other_job_id; /* the new job, or the one that is in the way; 0: none */
};

/* Rows dealt with (outcome -1: all, else those of one outcome) with n > after, at most limit.  ERR_NOT_FOUND.
 */
enum err store_bulk_jobs(struct db *db, struct arena *a, const struct viewer *v, uint64_t id, int outcome,
    uint64_t after, unsigned limit, struct bulk_job **list_r, size_t *count_r) MUST_CHECK;

#endif
