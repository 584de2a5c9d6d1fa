/* The "log" part of the job page's view model. */
#ifndef MCV_FCGI_JOB_LOG_VIEW_H
#define MCV_FCGI_JOB_LOG_VIEW_H

#include <json-c/json.h>

#include "fcgi/visit.h"
#include "lib/err.h"
#include "sql/job.h"

/*
 * The newest part of j's log (or, with ?log_offset=N, the part from there on) for the page; without text for
 * JSON, which has the tail for that.  The caller owns *log_r.  Errors of store_log_read(); a log_offset that
 * is not a place in the log shows the newest part.
 */
enum err job_log_view(struct visit *v, const struct job *j, struct json_object **log_r) MUST_CHECK;

#endif
