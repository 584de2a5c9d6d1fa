/*
 * Jobs as the web sees them: wishes.  What is true of a job (its state, its progress) is written by the
 * worker through sql/store_queue.h; the one exception is a queued job, which is cancelled here.  Every change
 * of state also writes its job_event row in the same transaction.  Errors of sql/db.h are not repeated.
 */
#ifndef MCV_SQL_STORE_JOB_H
#define MCV_SQL_STORE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/job.h"
#include "sql/viewer.h"

/* A sealed password (lib/vault.h); 1 to JOB_SEALED_MAX bytes. */
struct job_sealed {
	const void *bytes; /* NULL, where allowed: none */
	size_t len;
};
bool job_sealed_fits(const struct job_sealed *s);
bool job_sealed_fits_or_none(const struct job_sealed *s);

struct job_new {
	const char *name; /* NULL or "": none */
	bool dry_run;
	const uint8_t *request_key;            /* JOB_REQUEST_KEY_BYTES, or NULL: one per form shown */
	uint64_t src_server_id, dst_server_id; /* seen by the viewer, and shared or of the viewer's account */
	const char *src_user, *dst_user;       /* 1 to 255 characters */
	struct job_sealed src_sealed, dst_sealed; /* bound to the viewer's account */
	uint64_t batch_id;                        /* 0: none */
	const char *options;                      /* lib/joboptions.h; NULL: none */
	bool delete2; /* of a dry run alone: count what could be deleted (sql/store_delete2.h) */
};

/*
 * Queue a job in the viewer's account.  It may be between mailboxes that are on their way already, as a real
 * run queued behind a dry one: they never run at once (sql/store_queue.h).  ERR_DENIED: delete2, and the
 * account may not.  *existed_r (may be NULL): a job with this request_key was there already (the form was
 * sent twice), nothing was made and *id_r is that job's.  ERR_NOT_FOUND: a server the viewer may not use.
 * ERR_INVALID: a field out of range.  ERR_LIMIT: the account may queue no more, or not copy to this host.
 * After ERR_UNCERTAIN call again with the same request_key.
 */
enum err store_job_create(struct db *db, const struct viewer *v, const struct job_new *n, uint64_t *id_r,
    bool *existed_r) MUST_CHECK;

/* ERR_NOT_FOUND. */
enum err store_job_get(
    struct db *db, struct arena *a, const struct viewer *v, uint64_t id, struct job *job_r) MUST_CHECK;

/* The jobs made by rerunning this one, oldest first, at most 50.  ERR_NOT_FOUND: no such job.  (Its parent:
 * get job.parent_id.) */
enum err store_job_children(struct db *db, struct arena *a, const struct viewer *v, uint64_t id,
    struct job **list_r, size_t *count_r) MUST_CHECK;

enum job_kind { JOB_KIND_ANY, JOB_KIND_DRY, JOB_KIND_REAL };

/* What to list.  All zero: everything. */
struct job_filter {
	unsigned states;  /* set of 1u << enum job_state; 0 = all */
	const char *text; /* anywhere in name, users, hosts or batch tag, case aside; NULL or "": no filter */
	uint64_t batch_id; /* 0 = any */
	enum job_kind kind;
	const char *reason;  /* code of how it ended; NULL or "": any */
	bool latest_only;    /* of each mailbox the last run: not what was run again since */
	uint64_t above_id;   /* only jobs with a greater id */
	const uint64_t *ids; /* only these (rows of a page being refreshed); at most JOB_IDS_MAX */
	size_t ids_count;
};
enum { JOB_IDS_MAX = 200, JOB_PAGE_MAX = 200, JOB_TEXT_MAX_BYTES = 200, JOB_REASON_MAX_BYTES = 40 };

enum job_sort {
	JOB_SORT_QUEUED,
	JOB_SORT_STATE,
	JOB_SORT_NAME,
	JOB_SORT_STARTED,
	JOB_SORT_DURATION,
	JOB_SORT__MAX
};

/* Which page of it.  Cursors are opaque ASCII words without characters that a URL must quote; at most one is
 * set. */
struct job_page {
	enum job_sort sort;
	bool descending;
	const char *after;  /* the page behind this cursor; NULL = none */
	const char *before; /* the page before it; NULL = none */
	unsigned limit;     /* 1 to JOB_PAGE_MAX */
};

struct job_list {
	struct job *jobs;
	size_t count;
	const char *next; /* give as .after; NULL: this is the last page */
	const char *prev; /* give as .before; NULL: this is the first page */
};

/* One page, keyset-paged: rows neither jump nor repeat while others come and go.  ERR_INVALID: a malformed
 * cursor or text that is too long. */
enum err store_job_list(struct db *db, struct arena *a, const struct viewer *v, const struct job_filter *f,
    const struct job_page *p, struct job_list *list_r) MUST_CHECK;

/* How many jobs there are in each state, under the same filter except its states. */
enum err store_job_counts(struct db *db, const struct viewer *v, const struct job_filter *f,
    uint64_t counts_r[JOB_STATE__MAX]) MUST_CHECK;

/*
 * New credentials and options; NULL user, bytes or options: unchanged; options "": none any more.  Sealed for
 * job.account_id.  What a dry run counted for a deletion is void then: its mailboxes may be others.
 * ERR_NOT_FOUND; ERR_INVALID: also one password alone where both were removed; ERR_CONFLICT:
 * it is running, or it is queued and deletes, or another job of the new mailboxes is queued or running.
 * *other_id_r (may be NULL) is that one then, else 0.  ERR_STALE: it is not c->if_version any more.
 */
struct job_credentials {
	const char *src_user, *dst_user;
	const char *options;
	struct job_sealed src_sealed, dst_sealed;
	const char *if_version; /* NULL, or version_fits()'s wanted */
};
enum err store_job_edit(struct db *db, const struct viewer *v, uint64_t id, const struct job_credentials *c,
    uint64_t *other_id_r) MUST_CHECK;

/*
 * Cancel: a queued job is cancelled at once (*state_r = JOB_CANCELLED), a running one gets the wish noted for
 * its worker (*state_r = JOB_RUNNING); asking again changes nothing.  ERR_NOT_FOUND; ERR_CONFLICT: it has
 * ended
 * (*state_r says how).
 */
enum err store_job_cancel(
    struct db *db, const struct viewer *v, uint64_t id, enum job_state *state_r) MUST_CHECK;

/*
 * A new queued job from an ended one: same account, owner, name, credentials, options; parent_id points back;
 * server details are read anew where the servers still exist.  ERR_NOT_FOUND; ERR_CONFLICT: it has not ended,
 * or another job of the same mailboxes is queued or running (store_job_busy()): two copies into one mailbox
 * would double its mail; or its passwords were removed and are not given.  ERR_LIMIT; ERR_INVALID.  Deleting
 * is never carried over: delete2 is asked for again, and of a dry run alone; ERR_DENIED: the account may not.
 * After ERR_UNCERTAIN call again with the same request_key.
 */
struct job_rerun {
	bool dry_run;
	const uint8_t *request_key;               /* as in struct job_new */
	struct job_sealed src_sealed, dst_sealed; /* sealed for job.account_id; NULL bytes: the job's own */
	const char *options;                      /* instead of the job's; NULL: the job's; "": none */
	bool delete2;                             /* as in struct job_new, whatever the job was */
};
enum err store_job_rerun(struct db *db, const struct viewer *v, uint64_t id, const struct job_rerun *r,
    uint64_t *id_r, bool *existed_r) MUST_CHECK;

/* Another job between the same mailboxes as this one that is queued or running.  ERR_NOT_FOUND: none. */
enum err store_job_busy(struct db *db, const struct viewer *v, uint64_t id, uint64_t *other_id_r) MUST_CHECK;

/*
 * Remove the stored passwords of an ended job, at once.  Other runs of its mailboxes keep theirs.  *had_r
 * (may be NULL): false: it had none any more.  ERR_NOT_FOUND; ERR_CONFLICT: it has not ended and needs them.
 */
enum err store_job_remove_passwords(
    struct db *db, const struct viewer *v, uint64_t id, bool *had_r) MUST_CHECK;

/* Row and log are gone for good; its events stay.  ERR_NOT_FOUND; ERR_CONFLICT: it is running; ERR_STALE: it
 * is not if_version (may be NULL) any more.  Any error after the row went leaves log chunks without a job,
 * which store_log_sweep() removes. */
enum err store_job_delete(
    struct db *db, const struct viewer *v, uint64_t id, const char *if_version) MUST_CHECK;

struct job_event {
	uint64_t id;
	int64_t at;         /* seconds since 1970 UTC */
	const char *kind;   /* created edited cancel_asked cancelled claimed finished rescued deleted …
			   passwords_removed log_removed */
	int from, to;       /* enum job_state, or -1 */
	uint64_t user_id;   /* 0: not a person */
	uint64_t worker_id; /* 0: not a worker */
	const char *detail; /* may be NULL */
};

/* A job's events, oldest first, at most 500; also of a deleted job.  ERR_NOT_FOUND: none the viewer may see.
 */
enum err store_job_events(struct db *db, struct arena *a, const struct viewer *v, uint64_t id,
    struct job_event **list_r, size_t *count_r) MUST_CHECK;

#endif
