/*
 * What a job's row says to people, on its page and in the mail about it.
 */
#ifndef MCV_SQL_JOB_SAY_H
#define MCV_SQL_JOB_SAY_H

#include "lib/arena.h"
#include "sql/job.h"

/* How an ended job ended, in one sentence; in a or static. */
const char *job_say_outcome(struct arena *a, const struct job *j) __attribute__((returns_nonnull));

/* "2 missing, 1 altered, 1 doubled"; NULL: no fault. */
const char *job_say_faults(struct arena *a, const struct job_verify *v);

/* "2,000 of 2,000 messages verified on the destination.", or what is to be said instead; NULL without a
 * verification. */
const char *job_say_verification(struct arena *a, const struct job *j);

/* What to do next, as a sentence, by reason_action's code; NULL: nothing. */
const char *job_say_action(const char *code);

#endif
