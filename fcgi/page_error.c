/* What went wrong, as a page that says what to do, or as a problem object (RFC 9457). */
#include "fcgi/page.h"

#include <string.h>

#include "fcgi/limit_view.h"
#include "fcgi/panel_view.h"
#include "fcgi/url.h"
#include "fcgi/version.h"
#include "fcgi/view.h"
#include "lib/log.h"

static const struct words {
	unsigned status;
	const char *title, *detail, *action;
} table[] = {
    {400, "The request was not understood", "Something in the address or the form is malformed.",
	"Go back and try again."},
    {401, "Sign in first", "This needs a session, and yours is over or has not begun.",
	"Sign in and try again."},
    {403, "This is not allowed", "Your account may not do this.",
	"Ask the administrator if you think it should."},
    {404, "There is nothing here", "It never existed, or it was deleted.", "Go back to the list."},
    {405, "This cannot be done here", "The address exists, but not for this method.",
	"Go back and try again."},
    {409, "This cannot be done now", "Its present state forbids it.",
	"Look at its page, and try again later."},
    {412, "It was changed meanwhile", "It is not what the request was made for.", "Load it again."},
    {413, "This is too large", "The form is larger than is accepted here.", "Shorten what you sent."},
    {414, "The address is too long", "The address is longer than is accepted here.", "Go back to the list."},
    {415, "This kind of data is not accepted", "Send a form or flat JSON.", "Go back and try again."},
    {416, "Nothing there", "The place asked for is beyond the end.", "Load the page again."},
    {422, "Some fields need another look", "The form was not accepted.",
	"Mend the fields named and send it again."},
    {429, "Too many attempts", "This was tried too often in a short time.", "Wait a minute and try again."},
    {500, "Something broke on our side", "The request could not be finished. It was noted in the log.",
	"Try again; if it stays, give the request id to the administrator."},
    {501, "This method is not known", "The method of the request is not known here.",
	"Go back and try again."},
    {503, "The service is not available right now", "The database cannot be reached.",
	"Try again in a minute. Jobs that run are not affected by this page."},
};

static const struct words *words_for(unsigned status)
{
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].status == status)
			return &table[i];
	}
	return words_for(500);
}

/* Without templates (the one thing that may be broken): plain text. */
static void bare_page(struct visit *v, const struct words *w, const char *detail)
{
	struct buf *b = &v->rs->body;

	buf_clear(b);
	buf_adds(b, w->title);
	buf_adds(b, "\n\n");
	buf_adds(b, detail);
	buf_addf(b, "\n\nRequest %s\n", v->rq->shown_id);
	v->rs->content_type = "text/plain; charset=utf-8";
}

static void problem(struct visit *v, const struct page_error *pe, const struct words *w)
{
	struct json_object *o;

	if (v->is_panel_call) {
		json_object_put(pe->fields);
		(void)page_json(v, pe->status, panel_view_error(w->detail));
		return;
	}
	o = json_object_new_object();
	view_str(o, "type", pe->code ? arena_printf(v->arena, "urn:mailconvoy:%s", pe->code) : "about:blank");
	view_str(o, "title", w->title);
	view_int(o, "status", pe->status);
	view_str(o, "detail", w->detail);
	view_add(o, "fields", pe->fields ? pe->fields : json_object_new_object());
	if (pe->rows != NULL)
		view_add(o, "rows", pe->rows);
	view_str(o, "request_id", v->rq->shown_id);
	(void)page_json(v, pe->status, o);
	v->rs->content_type = "application/problem+json";
}

void page_error(struct visit *v, const struct page_error *pe)
{
	struct words w = *words_for(pe->status);
	struct json_object *o;

	if (pe->title != NULL)
		w.title = pe->title;
	if (pe->detail != NULL)
		w.detail = pe->detail;
	if (pe->action != NULL)
		w.action = pe->action;
	v->rs->stream = NULL;
	if (v->rq->wants_json) {
		problem(v, pe, &w);
		return;
	}
	o = json_object_new_object();
	view_int(o, "status", pe->status);
	view_str(o, "title", w.title);
	view_str(o, "detail", w.detail);
	view_str(o, "action", w.action);
	view_str(o, "link_url", pe->link_url ? pe->link_url : v->signed_in ? URL_JOBS : URL_LOGIN);
	view_str(o, "link_label", pe->link_label ? pe->link_label : v->signed_in ? "To the jobs" : "Sign in");
	view_str(o, "request_id", v->rq->shown_id);
	json_object_put(pe->fields);
	json_object_put(pe->rows);
	if (page_show(v, pe->status, "error", w.title, o) != ERR_OK)
		bare_page(v, &w, w.detail);
	v->rs->status = pe->status;
}

void page_error_from(struct visit *v, enum err e)
{
	struct page_error pe = {.status = 500};

	switch (e) {
	case ERR_NOT_FOUND: pe.status = 404; break;
	case ERR_INVALID: pe.status = 400; break;
	case ERR_DENIED: pe.status = 403; break;
	case ERR_CONFLICT: pe.status = 409; break;
	case ERR_STALE: version_refuse(v); return;
	case ERR_TOO_BIG: pe.status = 413; break;
	case ERR_LIMIT:
		pe = (struct page_error){.status = 409,
		    .code = "limit",
		    .title = "A limit is reached",
		    .detail = limit_text(v),
		    .action = "Wait until jobs have ended, or ask the administrator."};
		break;
	case ERR_BUSY:
		pe.status = 503;
		pe.detail = "The database is busy.";
		break;
	case ERR_UNCERTAIN:
		pe.status = 503;
		pe.detail = "The connection to the database broke in the middle: what you asked for may or "
			    "may not have "
			    "been done.";
		pe.action = "Look at the list before you do it again.";
		break;
	case ERR_FULL:
		pe = (struct page_error){.status = 503,
		    .code = "storage_full",
		    .title = "There is no room to store this",
		    .detail = "The disk of the database is full. What is stored already is safe and can be "
			      "read.",
		    .action = "Tell the administrator to make room on that disk, then try again."};
		break;
	case ERR_TIMEOUT:
	case ERR_CLOSED:
	case ERR_UNAVAILABLE: pe.status = 503; break;
	default: break;
	}
	if (pe.status >= 500)
		log_warnx("%s: %s", visit_path(v), err_text(e));
	page_error(v, &pe);
}
