/*
 * What a worker that died on this host left behind: its processes end by their keepers, its rows and
 * directories by its successor, here, before it claims anything.
 */
#ifndef MCV_WORKER_RECOVER_H
#define MCV_WORKER_RECOVER_H

#include <stdint.h>

#include "lib/conf.h"
#include "lib/err.h"
#include "worker/link.h"

/* The name of this host, and the id of this boot and of our name space of process ids; static storage. */
const char *recover_host(void);
const char *recover_boot_id(void);

/*
 * Marks the jobs of dead workers of this host interrupted, once their keepers have ended everything (waits
 * for them for some seconds at most; what does not end by then is left to its lease).  A worker of this
 * host's name in another boot or name space counts as dead when its silence is longer than its runs can
 * last; until then its leases tell.  ERR_OK, or an error of the database: call again when it is back.
 */
enum err recover_predecessors(struct link *db_link, const struct conf *conf, uint64_t self) MUST_CHECK;

#endif
