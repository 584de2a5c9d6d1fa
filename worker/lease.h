/*
 * Owning jobs for a while at a time: all leases are renewed together every renew_s, and the wishes of people
 * read with them, and more often in between.  A renewal that succeeds moves every run's fence to fence_s
 * after the moment it was asked for; one that does not, moves nothing, and the keepers end the runs at their
 * fences (worker/keeper.h) before the database lets anybody else have them.
 */
#ifndef MCV_WORKER_LEASE_H
#define MCV_WORKER_LEASE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/clock.h"
#include "lib/conf.h"
#include "worker/link.h"
#include "worker/runner.h"

struct lease {
	mono_time renew_at;
	mono_time wishes_at;
};

/* When a lease that is asked for at t stops being safe. */
mono_time lease_fence(const struct conf *conf, mono_time t);

/* Milliseconds until lease_tick() has something to do. */
int lease_due_ms(const struct lease *l);

/*
 * What is due: the heartbeat of *worker_id, the renewal and the wishes.  Runners that lost their job or shall
 * be cancelled are told so.  ERR_LOST: this worker was declared dead: register anew.  Other errors are noted
 * with db_link and tried again.
 */
enum err lease_tick(struct lease *l, const struct conf *conf, struct link *db_link, uint64_t worker_id,
    struct runner **runners, size_t count) MUST_CHECK;

#endif
