/*
 * Deleting on the destination what the source has not (delete2): in two steps, and never by another way.
 *
 * 1. A dry run with delete2 (store_job_create(), store_job_rerun()) counts what would be deleted.
 * 2. A person, shown that number and the mailbox, confirms it here: a real run is made of the dry run, of the
 *    same mailboxes and options.  It may delete the messages that were counted and no others: where it would
 * be others by then, none is deleted (--deletedigest, engine/surplus.h).
 *
 * A count is good for one real run, for DELETE2_FRESH_S after the dry run's end, while the account may
 * (account.may_delete2) and the servers are what they were; an edit of the dry run makes it void.  Whether
 * the account may, and whether the servers are the same, is asked again when a worker claims the real run
 * (sql/store_queue.h).  Rerunning either, one by one or many at once, carries no deletion over: a run that
 * was cut short may have deleted some already, and its limit again would be as many more.  For the same
 * reason such a job is never put back into the queue (job_delete2_once).
 */
#ifndef MCV_SQL_STORE_DELETE2_H
#define MCV_SQL_STORE_DELETE2_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "sql/db.h"
#include "sql/store_job.h"
#include "sql/viewer.h"

enum { DELETE2_FRESH_S = 24 * 60 * 60, DELETE2_COUNT_MAX = INT32_MAX };

enum delete2_state {
	DELETE2_READY,     /* it may be confirmed */
	DELETE2_UNCOUNTED, /* it is no dry run that counted, or was edited since */
	DELETE2_DENIED,    /* the account may not */
	DELETE2_USED,      /* a real run was made of it */
	DELETE2_NOTHING,   /* it would delete nothing */
	DELETE2_OLD,       /* it ended longer ago than DELETE2_FRESH_S */
	DELETE2_CHANGED,   /* a server is not what it was */
	DELETE2_SUSPENDED, /* the account is */
	DELETE2_OTHER,     /* of a confirmation: it is another number of messages */
	DELETE2_STATE__MAX
};

/* How job id stands.  ERR_NOT_FOUND. */
enum err store_delete2_look(
    struct db *db, const struct viewer *v, uint64_t id, enum delete2_state *state_r) MUST_CHECK;

/* Whether that account may. */
enum err store_delete2_may(struct db *db, uint64_t account_id, bool *may_r) MUST_CHECK;

struct delete2_confirmation {
	uint64_t count;             /* as the person gave it; is to be what the dry run counted */
	const uint8_t *request_key; /* as in struct job_new */
	struct job_sealed src_sealed,
	    dst_sealed; /* sealed for job.account_id; NULL bytes: the dry run's own */
};

/* The real run that this request has made of dry run id.  ERR_NOT_FOUND: none, or no such dry run. */
enum err store_delete2_made(struct db *db, const struct viewer *v, uint64_t id, const uint8_t *request_key,
    uint64_t *id_r) MUST_CHECK;

/*
 * Make the real run of dry run id; *existed_r: it was made before with this request_key.  ERR_CONFLICT:
 * *state_r says why not, and where that is DELETE2_READY another job of the mailboxes is queued or running,
 * or the passwords were removed and are not given.  ERR_NOT_FOUND; ERR_LIMIT; ERR_INVALID: a sealed password
 * does not fit.  After ERR_UNCERTAIN call again with the same request_key.
 */
enum err store_delete2_confirm(struct db *db, const struct viewer *v, uint64_t id,
    const struct delete2_confirmation *c, uint64_t *id_r, bool *existed_r,
    enum delete2_state *state_r) MUST_CHECK;

#endif
