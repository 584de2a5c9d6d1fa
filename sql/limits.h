/*
 * What an administrator allows an account.  For the stores that make jobs, inside their transaction: limits
 * hold whatever makes the jobs, and however many do at once.
 */
#ifndef MCV_SQL_LIMITS_H
#define MCV_SQL_LIMITS_H

#include <stdint.h>

#include "lib/err.h"
#include "sql/db.h"

/*
 * Whether the account (an SQL expression) may copy to the host (another); as a condition.  Its list may hold
 * names and "*.domain".
 */
#define LIMITS_HOST_OK(account, host) \
	"(NOT EXISTS (SELECT 1 FROM account_host h WHERE h.account_id = " account ")" \
	" OR EXISTS (SELECT 1 FROM account_host h WHERE h.account_id = " account \
	" AND (h.host = LOWER(" host ")" \
	" OR (LEFT(h.host, 2) = '*.' AND RIGHT(LOWER(" host \
	"), CHAR_LENGTH(h.host) - 1) = SUBSTRING(h.host, 2)))))"

/*
 * Before count jobs are queued in the account: count them in for today, and see that neither the day's limit
 * nor that of queued jobs is passed.  The account's row is written, so that nobody else's jobs come in
 * between (also on a cluster).  ERR_LIMIT; roll back then.
 */
enum err limits_take(struct db *db, uint64_t account_id, uint64_t count) MUST_CHECK;

/*
 * After a job of the account was claimed, and its turn noted, which makes others who claim one of the
 * account's wait: see that no more run than may.  ERR_LIMIT; roll back then.
 */
enum err limits_running(struct db *db, uint64_t account_id) MUST_CHECK;

/* After they were queued: job id, or every job of a batch, goes where it may.  ERR_LIMIT; roll back then. */
enum err limits_job_host(struct db *db, uint64_t job_id) MUST_CHECK;
enum err limits_batch_hosts(struct db *db, uint64_t batch_id) MUST_CHECK;

/* Whether the account may have messages deleted on a destination (sql/store_delete2.h).  ERR_DENIED. */
enum err limits_may_delete2(struct db *db, uint64_t account_id) MUST_CHECK;

#endif
