/*
 * What is done for the whole installation by one worker at a time: a row for each such chore says who is at
 * it, or when it is due.  The row is written under a condition, so it holds on a Galera cluster, too.  Every
 * chore must bear that two do it at once all the same (a worker may outlive what it was believed to take).
 * Errors of sql/db.h are not repeated.
 */
#ifndef MCV_SQL_STORE_CHORE_H
#define MCV_SQL_STORE_CHORE_H

#include <stdint.h>

#include "lib/err.h"
#include "sql/db.h"

#define CHORE_EXPIRY "expiry"       /* sql/store_expiry.h */
#define CHORE_LOST_LOGS "lost_logs" /* store_log_sweep() */

/* Take the chore for lease_s seconds from now, or keep it so long.  ERR_NOT_FOUND: it is not due, or another
 * worker is at it. */
enum err store_chore_take(struct db *db, const char *name, uint64_t worker_id, unsigned lease_s) MUST_CHECK;

/* It is done, and due again in pause_s seconds. */
enum err store_chore_done(struct db *db, const char *name, uint64_t worker_id, unsigned pause_s) MUST_CHECK;

#endif
