/*
 * What a run's row says of it: worker/progress.h and worker/outcome.h in the words of sql/.  Pure.
 */
#ifndef MCV_WORKER_REPORT_H
#define MCV_WORKER_REPORT_H

#include <stdbool.h>

#include "sql/job.h"
#include "sql/store_queue.h"
#include "worker/outcome.h"
#include "worker/progress.h"

/* Strings in *c_r are p's. */
void report_counters(const struct progress *p, struct job_counters *c_r);

/* Whether a row that says kept (from report_keep()) need not be written again to say c. */
bool report_same(const struct job_counters *c, const struct job_counters *kept);

/* Remembers c without its strings. */
void report_keep(const struct job_counters *c, struct job_counters *kept_r);

/* Strings in *ending_r are static, or p's; the counters are c. */
void report_ending(const struct outcome *o, const struct progress *p, const struct job_counters *c,
    struct queue_ending *ending_r);

/* What the row says of a verification that ended as o says; strings are static, or found's. */
void report_verify(
    const struct outcome *o, const char *mode, const struct verified *found, struct job_verify *v_r);

/* For the worker's own log: "a person cancelled it". */
const char *report_wish(enum wish wish);

#endif
