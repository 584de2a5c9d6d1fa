/*
 * The worker's one connection to the database, and when to try it again.  While it is down, callers are
 * handed no connection and go on with what needs none; children run on until their fence.
 */
#ifndef MCV_WORKER_LINK_H
#define MCV_WORKER_LINK_H

#include <stdbool.h>

#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/err.h"
#include "sql/db.h"

struct link {
	struct db *db;
	mono_time retry_at; /* when down */
	int64_t backoff_ms;
	bool is_down;
	bool is_leaving;        /* a connection that is lost now is not made again */
	mono_time full_until;   /* a write was refused for want of storage: nothing new is begun before */
	mono_time full_told_at; /* that this was so is told again then, if it still is */
};

/* How long the worker lets one read from the database take: all its jobs wait as long. */
enum { LINK_TIMEOUT_S = 6 };

/*
 * Connects with the settings of conf.  A database that cannot be reached now is only noted (*l is usable);
 * ERR_OK; ERR_DENIED: it refused us; ERR_INVALID: the password file is not usable (logged).
 */
enum err link_open(struct link *l, const struct conf *conf) MUST_CHECK;
void link_close(struct link *l);

/* The connection, reconnecting when it is time to; NULL while the database is out of reach. */
struct db *link_db(struct link *l);

/*
 * Takes note of the result e of any call that was made with the connection, and hands it back.  ERR_FULL is
 * told once a minute, however many calls meet it.
 */
enum err link_note(struct link *l, enum err e);

#endif
