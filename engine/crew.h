/*
 * Pairs of connections, one to each side, that work at the same time; each is a thread's alone while it
 * works. The main thread only waits, writes out what was said, and sees to it that a signal ends the run.
 *
 * The first pair is there from the beginning.  Others are opened while it begins: a server that refuses
 * them, or drops them for good, gets fewer, and what such a pair had in hand is given back.
 */
#ifndef MCV_ENGINE_CREW_H
#define MCV_ENGINE_CREW_H

#include <pthread.h>
#include <stdbool.h>

#include "lib/err.h"
#include "engine/link.h"
#include "engine/stop.h"

#define CREW_PAIRS_MAX (STOP_SOCKETS_MAX / 2)

enum pair_state { PAIR_UNOPENED, PAIR_OPENING, PAIR_READY, PAIR_LOST };

struct pair {
	struct link links[2]; /* source, destination */
	struct crew *crew;
	enum pair_state state;

	/* crew.c's own: the threads that opened it, and that work with it, where there are some to be joined
	 */
	pthread_t opener;
	pthread_t worker;
	bool has_opener;
	bool has_worker;
};

/* What a pair does in one round, until nothing is left for it.  ERR_OK, or what ends the whole round. */
typedef enum err (*crew_fn)(void *ctx, struct pair *p);

struct crew {
	struct report *report;
	struct pair pairs[CREW_PAIRS_MAX];
	unsigned count;      /* at most so many are opened */
	struct state *state; /* what earlier runs left (engine/state.h), or NULL */

	/* crew.c's own */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	crew_fn fn;
	void *ctx;
	unsigned working;
	unsigned through; /* pairs that found nothing left to do in this round */
	enum err result;
};

/* pairs[0].links are to be filled and open; count: how many pairs there may be, from 1. */
void crew_init(struct crew *c, struct report *r, unsigned count);

/* Begins to open the other pairs; nobody waits for it. */
void crew_open_ahead(struct crew *c);

/*
 * open() of both links at the same time; their failures in results_r.  Used before there is a crew, too.
 */
void crew_open_both(struct link links[2], enum err (*open)(struct link *l), enum err results_r[2]);

/*
 * fn with as many pairs as there are, at most useful ones, each in a thread; those being opened take part
 * once they are, where that is worth waiting for (patient).  Their first failure, or ERR_OK; ERR_CLOSED when
 * a signal came: then threads that would not end may still be running, and the process must end.
 */
enum err crew_run(struct crew *c, unsigned useful, bool patient, crew_fn fn, void *ctx) MUST_CHECK;

/* For fn: what all pairs share is changed between these two. */
void crew_lock(struct crew *c);
void crew_unlock(struct crew *c);

/*
 * For fn: a connection of the pair is lost for good.  True when others go on, p then being done; false when
 * it was the last one, which is then reported.
 */
bool crew_give_up(struct pair *p);

/* Logs out and frees all but the first pair's.  False: one is still being opened, and the process must end.
 */
bool crew_close(struct crew *c) MUST_CHECK;

#endif
