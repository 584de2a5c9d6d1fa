/* The words the two halves of store_bulk share.  For them alone. */
#ifndef MCV_SQL_BULK_SQL_H
#define MCV_SQL_BULK_SQL_H

#include "sql/store_bulk.h"

/*
 * Another job of the same mailboxes as job j that is queued or running: its id or NULL.  Left to itself
 * MariaDB takes "queued or running" for the better key as long as its statistics remember a short queue.
 */
#define BULK_BUSY_JOB \
	"(SELECT MIN(o.id) FROM job o FORCE INDEX (job_mailboxes) WHERE o.account_id = j.account_id AND " \
	"o.src_user = j.src_user" \
	" AND o.dst_user = j.dst_user AND o.src_host = j.src_host AND o.dst_host = j.dst_host" \
	" AND o.state IN ('queued', 'running') AND o.id <> j.id)"

/*
 * The outcome for job j (NULL where it is gone) of row r of bulk_job, as enum bulk_outcome has it, by the
 * state it is in when this is evaluated.  Never NULL.
 */
const char *bulk_verdict(enum bulk_action action);

#endif
