/*
 * Whether the tables keep their promises; for mailconvoyctl check.  Reads only.  Errors of sql/db.h are not
 * repeated.
 */
#ifndef MCV_SQL_STORE_CHECK_H
#define MCV_SQL_STORE_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"

struct violation {
	const char *rule; /* a stable code: "running_without_slot" */
	const char *text; /* "job 17 is running but holds no slot" */
};

/*
 * Looks for: a running job without slot, token or lease; a slot whose job is not running or has another
 * token; an ended job with a lease or token, or without its end's moment; an expired lease nobody has rescued
 * for 5 minutes; a log with a gap (other than its one cut), an overlap, or another end than its job says; log
 * chunks without a job. At most 1000 are listed (*count_r).
 */
enum err store_check(struct db *db, struct arena *a, struct violation **list_r, size_t *count_r) MUST_CHECK;

#endif
