/*
 * Whether a run may connect to a host at all.  Members name their own servers: without this a job would reach
 * what the worker's machine reaches and its members must not (threat T2).
 */
#ifndef MCV_WORKER_VET_H
#define MCV_WORKER_VET_H

#include "lib/err.h"

/*
 * Resolves host (an address or a name; waits for name servers for some seconds at most) and looks for its
 * addresses in deny, networks with commas between them.  ERR_OK; ERR_DENIED: one of the addresses is in a
 * denied network, or deny is malformed; ERR_NOT_FOUND: the name does not resolve.
 */
enum err vet_host(const char *host, const char *deny) MUST_CHECK;

#endif
