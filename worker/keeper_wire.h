/*
 * What worker and keeper say to each other, both in this binary: fixed-size messages through two pipes, each
 * written at once (they are far below PIPE_BUF, so that a write is whole or not at all).
 */
#ifndef MCV_WORKER_KEEPER_WIRE_H
#define MCV_WORKER_KEEPER_WIRE_H

#include <stdint.h>

/* The keeper's descriptors: 0 is /dev/null, 1 the run's output, 2 the worker's log, 3 and 4 the passfiles. */
enum { KEEPER_FD_OUTPUT = 1, KEEPER_FD_CONTROL = 5, KEEPER_FD_STATUS = 6 };

/* mailconvoy-worker --keeper GRACE_S FENCE_MS MEMORY_BYTES ADDRESS_SPACE_BYTES FILE_BYTES DENY HOST1 HOST2
 * PROGRAM ARGUMENT…
 */
enum {
	KEEPER_ARG_FLAG = 1,
	KEEPER_ARG_GRACE,
	KEEPER_ARG_FENCE,
	KEEPER_ARG_MEMORY,
	KEEPER_ARG_SPACE,
	KEEPER_ARG_FILE,
	KEEPER_ARG_DENY, /* networks, with commas between them */
	KEEPER_ARG_VET,  /* two hosts, by side; "": not vetted.  The program gets their addresses instead */
	KEEPER_ARG_PROGRAM = KEEPER_ARG_VET + 2
};
#define KEEPER_FLAG "--keeper"

enum keeper_order { ORDER_STOP = 1, ORDER_FENCE }; /* ORDER_FENCE: value is a mono_time's ms */

struct keeper_message {
	int32_t kind; /* enum keeper_order or enum keeper_event */
	int32_t unused;
	int64_t value;
};

#endif
