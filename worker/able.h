/*
 * What was asked of a job is done by a program that can, or by none: chosen, and said in the log, before
 * anything is started.
 */
#ifndef MCV_WORKER_ABLE_H
#define MCV_WORKER_ABLE_H

#include "worker/launch.h"
#include "worker/outcome.h"
#include "worker/output.h"
#include "worker/program.h"

/*
 * Finds the program of the configuration, or engine where preferred is NULL or cannot do what the options
 * say; writes the options, and why it is the engine, as the log's first lines.  START_OK with *program_r;
 * START_NO_PROGRAM; START_OPTIONS: the engine would have to and is not there: o's progress has the reason as
 * its detail.
 */
enum start_failure able_program(struct output *o, const struct launch *l, struct program *preferred,
    struct program *engine, const struct program **program_r);

#endif
