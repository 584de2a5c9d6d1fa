/*
 * Workers: one row for each time a worker process started.  Errors of sql/db.h are not repeated.
 */
#ifndef MCV_SQL_STORE_WORKER_H
#define MCV_SQL_STORE_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"

struct worker {
	uint64_t id;
	const char *host; /* host name */
	int64_t pid;
	const char *boot_id; /* where pid means something: boot and name space */
	const char *version;
	const char *state; /* "running", "stopping", "stopped", "dead" (found so by another) */
	int64_t started_at, heartbeat_at, stopped_at; /* seconds since 1970 UTC */
	int64_t silent_ms;                            /* since the last heartbeat, by the database's clock */
	unsigned jobs;                                /* running now */
};

enum err store_worker_register(struct db *db, const char *host, int64_t pid, const char *boot_id,
    const char *version, uint64_t *id_r) MUST_CHECK;

/* ERR_LOST: the row is gone or was marked dead: register anew. */
enum err store_worker_heartbeat(struct db *db, uint64_t id) MUST_CHECK;

/* It claims no more. */
enum err store_worker_stopping(struct db *db, uint64_t id) MUST_CHECK;
/* It has ended by itself. */
enum err store_worker_stopped(struct db *db, uint64_t id) MUST_CHECK;
/* Somebody else found that it is no more (after store_queue_rescue_worker()). */
enum err store_worker_dead(struct db *db, uint64_t id) MUST_CHECK;

/* Rows of this host, but for id self, that have not ended: the caller finds out by pid and boot_id whether
 * they live. */
enum err store_worker_predecessors(struct db *db, struct arena *a, const char *host, uint64_t self,
    struct worker **list_r, size_t *count_r) MUST_CHECK;

/* The newest 100, newest first. */
enum err store_worker_list(
    struct db *db, struct arena *a, struct worker **list_r, size_t *count_r) MUST_CHECK;

#endif
