/* The words the two halves of store_bulk share.  For them alone. */
#ifndef MCV_SQL_BULK_SQL_H
#define MCV_SQL_BULK_SQL_H

#include "sql/store_bulk.h"

/*
 * The outcome for job j (NULL where it is gone) of row r of bulk_job, as enum bulk_outcome has it, by the
 * state it is in when this is evaluated.  Never NULL.
 */
const char *bulk_verdict(enum bulk_action action);

#endif
