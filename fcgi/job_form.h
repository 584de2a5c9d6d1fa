/*
 * The form of a new job, which two pages share: page_job_new.c queues it, page_server_test.c tries one side
 * of it.
 */
#ifndef MCV_FCGI_JOB_FORM_H
#define MCV_FCGI_JOB_FORM_H

#include <json-c/json.h>
#include <stdbool.h>

#include "fcgi/form.h"
#include "fcgi/visit.h"
#include "lib/err.h"

/* Why an account that may not is refused. */
#define DELETE2_DENIED_TEXT \
	"Your account may not have messages deleted on a destination. An administrator can allow it."

/* Empty, dry run on, a fresh request key. */
void job_form_blank(struct visit *v, struct form *f);

/* Read the request's body.  ERR_INVALID: f says why. */
enum err job_form_read(struct visit *v, struct form *f) MUST_CHECK;

/* The same for a test of one side: of the rest nothing is demanded. */
enum err job_form_read_side(struct visit *v, struct form *f, bool is_source) MUST_CHECK;

/* Answer with the form.  The tests' results (each may be NULL) are taken.  Errors of sql/db.h. */
enum err job_form_show(struct visit *v, unsigned status, const struct form *f,
    struct json_object *source_test, struct json_object *dest_test) MUST_CHECK;
/* The same for a form that was refused: 422, or a problem object. */
enum err job_form_refused(struct visit *v, const struct form *f) MUST_CHECK;

/*
 * A request key (32 hex digits) as bytes; a fresh random one when text is NULL or malformed, which then
 * protects nothing, but does no harm either.
 */
void job_form_request_key(const char *text, unsigned char key_r[16]);

/* A new key as text, for a form. */
const char *job_form_new_key(struct arena *a);

#endif
