/*
 * From a view model to an answer.  A handler fills its model and calls one of these; whether HTML or JSON
 * goes out is decided here, from the request.
 */
#ifndef MCV_FCGI_PAGE_H
#define MCV_FCGI_PAGE_H

#include <json-c/json.h>

#include "fcgi/form.h"
#include "fcgi/visit.h"
#include "lib/err.h"

/*
 * Answer with template name (HTML: model plus the "page" object) or model alone (JSON).  model is taken,
 * whatever is returned.  ERR_INTERNAL when the template fails; nothing is prepared then.
 */
enum err page_show(struct visit *v, unsigned status, const char *name, const char *title,
    struct json_object *model) MUST_CHECK;

/* The same with notices of this request alone: a list of page_notice(), taken. */
enum err page_show_notices(struct visit *v, unsigned status, const char *name, const char *title,
    struct json_object *model, struct json_object *notices) MUST_CHECK;

/* One notice; kind: success, info, warning or error.  detail may be NULL.  The caller owns it. */
struct json_object *page_notice(const char *kind, const char *text, const char *detail);

/* The model as JSON, whatever was asked for (tail). */
enum err page_json(struct visit *v, unsigned status, struct json_object *model);

/* 303 to url (a path of ours), with notice= code added when it is not NULL. */
enum err page_redirect(struct visit *v, const char *url, const char *notice);

/*
 * After a POST that succeeded: to a browser 303 to url with the notice; as JSON status (200, 201 with
 * Location, 204) and model, which is taken and may be NULL for 204.
 */
enum err page_done(struct visit *v, unsigned status, const char *url, const char *notice,
    struct json_object *model) MUST_CHECK;

/*
 * A refused form: as HTML 422 with template name, the model's "form", "form_error" and "has_errors" being
 * filled from f; as JSON a 422 problem with the fields.  model is taken.
 */
enum err page_refused(struct visit *v, const char *name, const char *title, struct json_object *model,
    const struct form *f) MUST_CHECK;

/*
 * A form that is sent when what it changes is not what it was any more: as HTML 412 with template name and
 * what was typed, as JSON a 412 problem.  Nothing was changed.  model is taken.
 */
enum err page_stale(struct visit *v, const char *name, const char *title, struct json_object *model,
    struct form *f) MUST_CHECK;

/* Add "form", "form_error" and "has_errors" of f to model. */
void page_add_form(struct json_object *model, const struct form *f);

/* A question before something dangerous (template "confirm"). */
struct page_confirm {
	const char *heading, *effect, *button, *action_url;
	const char *type_word; /* to be typed into the field "confirm"; NULL = a button is enough */
	bool is_dangerous;
	const char *error; /* why it is asked again (status 422), or NULL */
	const char *back_url, *back_label;
};
enum err page_confirm(struct visit *v, unsigned status, const struct page_confirm *c) MUST_CHECK;

/* Whether the word was typed; a script (JSON) need not. */
bool page_confirmed(const struct visit *v, const char *word);

/* Prepare the page or problem object for an error.  Replaces whatever was prepared; cannot fail. */
struct page_error {
	unsigned status;
	const char *code;   /* for the problem's type, "urn:mailconvoy:CODE"; NULL = about:blank */
	const char *title;  /* what happened, short; NULL = the status's own */
	const char *detail; /* what happened, one sentence; NULL = the status's own */
	const char *action; /* what to do; NULL = the status's own */
	const char *link_url, *link_label; /* NULL = to the jobs, or to the sign-in */
	struct json_object *fields;        /* taken; may be NULL */
	struct json_object *rows;          /* the problems of a list's rows: taken; may be NULL */
};
void page_error(struct visit *v, const struct page_error *pe);

/* The error page for what a handler returned (see struct route). */
void page_error_from(struct visit *v, enum err e);

#endif
