/*
 * Whether a run may connect to a host at all.  Members name their own servers: without this a job would reach
 * what the worker's machine reaches and its members must not (threats T2 and T3).
 */
#ifndef MCV_WORKER_VET_H
#define MCV_WORKER_VET_H

#include "lib/err.h"

enum { VET_ADDRESS_MAX = 64 }; /* with the NUL */

/*
 * Resolves host (an address or a name; waits for name servers for some seconds at most) and looks for its
 * addresses in deny, networks with commas between them.  One that is allowed is chosen to connect to: the
 * first in the resolver's order or, where there are several, the first that takes a connection on port (each
 * is given a few seconds; where none does, the first again: what is wrong with it is the program's to tell).
 * ERR_OK: it stands in address_r, numeric.  ERR_DENIED: one of the addresses is in a denied network, or deny
 * is malformed; ERR_NOT_FOUND: the name does not resolve.
 */
enum err vet_host(
    const char *host, const char *port, const char *deny, char address_r[VET_ADDRESS_MAX]) MUST_CHECK;

#endif
