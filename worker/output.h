/*
 * What a run prints, on its way from the pipe to job_log: read without blocking, passwords masked, counted by
 * worker/progress.c, kept in bounded memory, stored in chunks of at most 64 KiB as soon as there are 64 KiB
 * or the oldest byte has waited a second.  When the database does not take it, nothing more is read: the pipe
 * fills and the program waits.  Every byte is stored in order and once; when the log outgrows its allowance
 * its middle is cut out by the store, visibly.
 */
#ifndef MCV_WORKER_OUTPUT_H
#define MCV_WORKER_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/redact.h"
#include "sql/db.h"
#include "sql/store_queue.h"
#include "worker/progress.h"

struct output {
	struct redact *redact; /* owned */
	struct buf pending;    /* masked, not stored yet; pending_from is its place in the log */
	int64_t pending_from;
	size_t offered;       /* of pending, as a chunk whose storing is not known to have failed; 0: none */
	mono_time oldest;     /* when pending became non-empty */
	mono_time last_byte;  /* when the program last printed, or could not because we did not read */
	int64_t head_bytes;   /* what the cut leaves of the beginning */
	int64_t tail_bytes;   /* and of the end */
	int64_t trimmed_to;   /* the log's length at the last cut */
	bool ended;           /* the pipe is closed */
	mono_time full_since; /* the storage has had no room since then; while is_full */
	bool is_full;
	bool discarding; /* the storage does not take it: read on, keep nothing */
	struct progress progress;
};

/* redact (owned from now on, may be NULL) knows the passwords. */
void output_init(struct output *o, struct redact *redact, int64_t head_bytes, int64_t tail_bytes);
void output_free(struct output *o);

/* Our own word on the run, a line, before a program says anything. */
void output_say(struct output *o, const char *line);

/* Whether there is room to read more. */
bool output_wants(const struct output *o);

/* Reads at most one chunk from fd (non-blocking); true when there may be more. */
bool output_read(struct output *o, int fd);

/* The run has ended: reads what the pipe still holds, however full memory is (a pipe is bounded), lets go of
 * what the mask held back, and counts a last line without newline. */
void output_end(struct output *o, int fd);

/* After output_end(): another program begins to print into the same log, with a progress of its own. */
void output_again(struct output *o);

/* Milliseconds until output_store() has something to do, -1: nothing is waiting. */
int output_due_ms(const struct output *o);

/*
 * Stores what is due (all that is there, when the output has ended).  ERR_OK; errors of store_log_append():
 * what could not be stored stays pending, also when the storage is full.
 */
enum err output_store(struct output *o, struct db *db, const struct queue_token *t) MUST_CHECK;

/* How long the storage has been full, in milliseconds; -1: it is not, as far as is known. */
int64_t output_full_ms(const struct output *o);

/* Whether all is stored that ever will be. */
bool output_is_stored(const struct output *o);

/* The storage will not take it: forget what is pending (logged with label) and what still comes. */
void output_discard(struct output *o, const char *label);

#endif
