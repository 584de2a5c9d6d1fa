/*
 * A job's log: the raw output of its run, in chunks of at most LOG_CHUNK_MAX bytes keyed by job and raw byte
 * offset, compressed here.  The job's row carries the end (log_bytes), so appending, tailing and downloading
 * cost the same at any size.  Offsets are raw bytes from 0 and never change.  When a log grows beyond its
 * allowance the middle is cut out: one gap of log_cut_bytes bytes from log_cut_start, the only one there ever
 * is.  Errors of sql/db.h are not repeated.
 */
#ifndef MCV_SQL_STORE_LOG_H
#define MCV_SQL_STORE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/job.h"
#include "sql/store_queue.h"
#include "sql/viewer.h"

enum { LOG_CHUNK_MAX = 65536, LOG_READ_MAX = 1 << 20 };

/*
 * Worker: append len (1 to LOG_CHUNK_MAX) raw bytes at offset start, which must be the log's end.  May be
 * repeated with the same arguments after ERR_UNCERTAIN: a chunk that is there already is ERR_OK.  ERR_LOST:
 * the job is not ours. ERR_CONFLICT: start is not the end.  ERR_FULL.  ERR_INVALID: len.
 */
enum err store_log_append(
    struct db *db, const struct queue_token *t, int64_t start, const void *bytes, size_t len) MUST_CHECK;

/*
 * Worker: cut out the middle, so that at least the first head_bytes and the last tail_bytes remain (whole
 * chunks only; a later call widens the gap; at most 500 chunks a call).  *cut_r (may be NULL): bytes cut by
 * this call. ERR_LOST.
 */
enum err store_log_trim(struct db *db, const struct queue_token *t, int64_t head_bytes, int64_t tail_bytes,
    int64_t *cut_r) MUST_CHECK;

struct log_slice {
	enum job_state state; /* read before the bytes: if it is an ended one, these and end are final */
	int64_t end;          /* the log's end: its length, the gap included */
	int64_t cut_start;    /* -1: nothing was cut out */
	int64_t cut_bytes;
	int64_t start;     /* where bytes begin: the offset asked for, or the end of the gap it lies in */
	const char *bytes; /* raw, NUL added; arena-owned */
	size_t len;        /* 0 at the end of the log */
	bool is_removed;   /* there was one: it is as if it were empty */
};

/*
 * Read at most max (1 to LOG_READ_MAX) raw bytes from offset on.  A slice never spans the gap; ask again at
 * start + len.  For a download, call in a loop, resetting the arena: memory stays constant.  ERR_NOT_FOUND;
 * ERR_INVALID: offset negative or beyond the end (end, state and the cut are set then too).  ERR_INTERNAL: a
 * chunk is damaged.
 */
enum err store_log_read(struct db *db, struct arena *a, const struct viewer *v, uint64_t job_id,
    int64_t offset, size_t max, struct log_slice *slice_r) MUST_CHECK;

/* Remove all chunks of a job that has no row any more, 500 a transaction. */
enum err store_log_delete(struct db *db, uint64_t job_id) MUST_CHECK;

/* Remove chunks without a job (a delete was cut short), looking at some logs from that of job *at on, which
 * is moved along; begin with 0.  *more_r: there may be more. */
enum err store_log_sweep(struct db *db, uint64_t *at, bool *more_r) MUST_CHECK;

#endif
