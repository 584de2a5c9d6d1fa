/*
 * A job as view models show it: "job", "progress", "outcome" and "dry_result" of fcgi/VIEWMODELS.md.  Pure:
 * the row in, an object out, which is the caller's.
 */
#ifndef MCV_FCGI_JOB_VIEW_H
#define MCV_FCGI_JOB_VIEW_H

#include <json-c/json.h>

#include "lib/arena.h"
#include "sql/job.h"

struct json_object *job_view(struct arena *a, const struct job *j, int64_t now_s);
struct json_object *job_view_progress(struct arena *a, const struct job *j);

/* NULL (null) until it has ended.  request_key: a fresh one, so that the button for the next step makes one
 * job. */
struct json_object *job_view_outcome(struct arena *a, const struct job *j, const char *request_key);
/* NULL unless a dry run ended well. */
struct json_object *job_view_dry_result(struct arena *a, const struct job *j);

/* The short form for lineage: id, label, url, kind_text, state, state_text. */
struct json_object *job_view_link(struct arena *a, const struct job *j);

/* "Queued", …; of a running one "Stopping" once it was asked to cancel, "Verifying" once all is copied. */
const char *job_state_text(const struct job *j);
/* The same for a state alone. */
const char *job_state_label(enum job_state s);

#endif
