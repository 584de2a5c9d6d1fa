/*
 * What is stored of jobs that have ended does not stay for ever: passwords, logs, then the jobs themselves,
 * each so many days after the end.  Found by indexes that hold ended jobs alone, so that a queued or running
 * job is never touched; taken in small transactions; every removal is an event of its job.  A call does a
 * part: call again while it did something.  Errors of sql/db.h are not repeated.
 */
#ifndef MCV_SQL_STORE_EXPIRY_H
#define MCV_SQL_STORE_EXPIRY_H

#include <stdint.h>

#include "lib/err.h"
#include "sql/db.h"

/* At most so many jobs a call; fewer where logs, which may be long, go with it. */
enum { EXPIRY_JOBS = 50, EXPIRY_LOGS = 5, EXPIRY_DAYS_MAX = 36500 };

/*
 * Who removes it, and of jobs that ended how many days ago (0 to EXPIRY_DAYS_MAX; 0: as soon as they have
 * ended).  Passwords that were given anew since count from then.
 */
struct expiry {
	unsigned days;
	uint64_t worker_id; /* 0: an administrator at the command line */
};

/* The sealed passwords; a rerun must be given them then.  *count_r: of how many jobs. */
enum err store_expiry_passwords(struct db *db, const struct expiry *x, unsigned *count_r) MUST_CHECK;

/* The logs.  One that a call could not finish is gone for readers already, and the next call goes on. */
enum err store_expiry_logs(struct db *db, const struct expiry *x, unsigned *count_r) MUST_CHECK;

/* The jobs, with their logs.  Their events stay. */
enum err store_expiry_jobs(struct db *db, const struct expiry *x, unsigned *count_r) MUST_CHECK;

#endif
