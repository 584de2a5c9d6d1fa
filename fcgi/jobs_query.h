/*
 * Which jobs are meant, as an address or a form says it: the jobs list, the buttons of a batch and bulk
 * actions read and write the same words.  Pure; strings live in the arena or in the parameters.
 */
#ifndef MCV_FCGI_JOBS_QUERY_H
#define MCV_FCGI_JOBS_QUERY_H

#include <json-c/json.h>
#include <stdbool.h>

#include "fcgi/request.h"
#include "lib/arena.h"
#include "lib/err.h"
#include "sql/store_job.h"

struct jobs_query {
	const char *state;        /* state=: names of states with commas between; NULL: all */
	const char *q;            /* q=: text; never NULL */
	uint64_t batch_id;        /* batch=; 0: any */
	const char *kind;         /* kind=dry, real; NULL: both */
	const char *reason;       /* reason=: how it ended; NULL: any */
	struct job_filter filter; /* all of the above, and latest=1: the last run of each mailbox alone */
};

/* From a query or a form.  ERR_INVALID. */
enum err jobs_query_read(struct arena *a, const struct params *ps, struct jobs_query *q_r) MUST_CHECK;

/* Add the ids of a list with commas between to f.  ERR_INVALID: not ids, or more than JOB_IDS_MAX. */
enum err jobs_query_ids(struct arena *a, const char *text, struct job_filter *f) MUST_CHECK;

/* base with the query added. */
const char *jobs_query_url(struct arena *a, const char *base, const struct jobs_query *q);

/* Whether anything is asked that not every job fulfils. */
bool jobs_query_is_filtered(const struct jobs_query *q);

/* [{"name","value"}]: the same as hidden fields of a form.  The caller owns it. */
struct json_object *jobs_query_fields(struct arena *a, const struct jobs_query *q);

/*
 * [{"name","value","label","remove_url"}]: what is asked beyond state, text and batch, each with the list's
 * address without it.  reason_text: the sentence of q->reason, if known.  The caller owns it.
 */
struct json_object *jobs_query_also(struct arena *a, const struct jobs_query *q, const char *reason_text);

#endif
