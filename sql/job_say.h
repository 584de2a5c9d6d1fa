/*
 * What a job's row says to people, on its page and in the mail about it.
 */
#ifndef MCV_SQL_JOB_SAY_H
#define MCV_SQL_JOB_SAY_H

#include "lib/arena.h"
#include "sql/job.h"

/* How an ended job ended, in one sentence; in a or static. */
const char *job_say_outcome(struct arena *a, const struct job *j) __attribute__((returns_nonnull));

/* What to do next, as a sentence, by reason_action's code; NULL: nothing. */
const char *job_say_action(const char *code);

#endif
