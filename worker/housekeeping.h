/*
 * What nobody needs any more is removed: passwords, logs and jobs so many days after the end
 * (credential_days, log_days, job_days), and chunks of logs whose job is gone.  One worker at a time does it
 * for the whole installation (sql/store_chore.h), a small part at each call, so that runs, leases and logs
 * never wait for it.
 */
#ifndef MCV_WORKER_HOUSEKEEPING_H
#define MCV_WORKER_HOUSEKEEPING_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/clock.h"
#include "lib/conf.h"
#include "worker/link.h"

struct housekeeping {
	mono_time due_at;
	unsigned chore;                 /* which one is being looked at */
	uint64_t log_of;                /* the search for logs without a job has come to this one */
	unsigned passwords, logs, jobs; /* removed so far in this turn of the chore */
};

/* Milliseconds until housekeeping_tick() has something to do. */
int housekeeping_due_ms(const struct housekeeping *h);

/* Does the next part, if it is time to.  What fails is noted and tried again later. */
void housekeeping_tick(
    struct housekeeping *h, struct link *db_link, const struct conf *conf, uint64_t worker_id);

#endif
