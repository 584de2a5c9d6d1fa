/* A struct job_filter as SQL: which jobs are listed, counted, or taken into a bulk action.  For the stores
 * alone. */
#ifndef MCV_SQL_JOB_FILTER_H
#define MCV_SQL_JOB_FILTER_H

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/store_job.h"
#include "sql/tx.h"

/*
 * Whether job j is the last run of its mailbox: no rerun of it exists, nor a later rerun of the job it was
 * made from.
 */
#define JOB_IS_LATEST \
	"NOT EXISTS (SELECT 1 FROM job c WHERE c.parent_id = j.id)" \
	" AND NOT EXISTS (SELECT 1 FROM job t WHERE t.parent_id = j.parent_id AND t.id > j.id)"

/*
 * Add "WHERE ..." for the viewer's rows that pass all of f but its states.  The table is called j.
 * ERR_INVALID: text too long or malformed, too many ids.
 */
enum err job_filter_add(
    struct query *q, struct arena *a, const struct viewer *v, const struct job_filter *f) MUST_CHECK;

/* "j.state IN (...)"; no state at all is "0". */
void job_filter_states(struct query *q, unsigned states);

#endif
