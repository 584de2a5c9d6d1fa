/*
 * Directories of runs: state_dir/jobs/w<worker>/<job>-<token>, 0700, made for a run and removed after it.
 * They are named by worker, so that the successor of a worker that died knows what it left behind.
 */
#ifndef MCV_WORKER_JOBDIR_H
#define MCV_WORKER_JOBDIR_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/store_queue.h"

/* Makes it; its path is in a.  ERR_OK, ERR_IO (errno). */
enum err jobdir_make(struct arena *a, const char *state_dir, uint64_t worker_id, const struct queue_token *t,
    const char **path_r) MUST_CHECK;

/* Whether the disk has room for a run's directory and what a program writes into it at least. */
bool jobdir_has_room(const char *state_dir);

/* Removes a directory and all below it, following no link; what cannot be removed is logged. */
void jobdir_remove(const char *path);

/* The directory of all of a worker's runs, in a. */
const char *jobdir_of_worker(struct arena *a, const char *state_dir, uint64_t worker_id);

/* Whether a keeper of this (dead) worker is still ending its run. */
bool jobdir_is_held(const char *state_dir, uint64_t worker_id);

#endif
