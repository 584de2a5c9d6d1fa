/* What ends or stops an account, for administrators: suspend, resume, close. */
#include "fcgi/account_view.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"

enum err page_account_suspend_ask(struct visit *v)
{
	struct page_confirm c = {.button = "Suspend", .is_dangerous = true, .back_label = "Leave it"};
	struct account x;
	enum err e = store_account_get(v->web->db, v->arena, v->id, &x);

	if (e != ERR_OK)
		return e;
	c.heading = arena_printf(v->arena, "Suspend “%s”?", x.name);
	c.effect = arena_printf(v->arena,
	    "%s running will be stopped, %s queued will wait until the account is resumed. Its users can "
	    "sign "
	    "in and look, but start nothing.",
	    view_number_text(v->arena, x.running), view_number_text(v->arena, x.queued));
	c.action_url = url_account(v->arena, x.id, "suspend");
	c.back_url = url_account(v->arena, x.id, NULL);
	return page_confirm(v, 200, &c);
}

static enum err refuse_own(struct visit *v)
{
	page_error(v, &(struct page_error){.status = 409,
			  .code = "own_account",
			  .title = "This is your own account",
			  .detail = "Nobody can suspend or close the account they belong to."});
	return ERR_OK;
}

static enum err suspend(struct visit *v, bool suspended)
{
	struct json_object *m;
	struct account x;
	enum err e = store_account_suspend(v->web->db, &v->viewer, v->id, suspended);

	if (e == ERR_CONFLICT)
		return refuse_own(v);
	if (e == ERR_OK)
		e = store_account_get(v->web->db, v->arena, v->id, &x);
	if (e != ERR_OK)
		return e;
	account_note(v, suspended ? "account_suspend" : "account_resume", v->id, x.name);
	m = json_object_new_object();
	view_add(m, "account", account_view(v, &x));
	return page_done(v, 200, url_account(v->arena, v->id, NULL),
	    suspended ? "account_suspended" : "account_resumed", m);
}

enum err page_account_suspend(struct visit *v)
{
	return suspend(v, true);
}

enum err page_account_resume(struct visit *v)
{
	return suspend(v, false);
}

static enum err ask_close(struct visit *v, unsigned status, const struct account *x, const char *error)
{
	struct page_confirm c = {.button = "Close for good",
	    .type_word = "close",
	    .is_dangerous = true,
	    .back_label = "Leave it",
	    .error = error};

	c.heading = arena_printf(v->arena, "Close “%s”?", x->name);
	c.effect = arena_printf(v->arena,
	    "For a customer who has left. %s running will be stopped, %s queued will be cancelled. Its %s "
	    "users are signed out and disabled, its tokens and links end, stored passwords are removed, its "
	    "external id is free for somebody else. You keep its jobs and logs. This cannot be undone.",
	    view_number_text(v->arena, x->running), view_number_text(v->arena, x->queued),
	    view_number_text(v->arena, x->users));
	c.action_url = url_account(v->arena, x->id, "close");
	c.back_url = url_account(v->arena, x->id, NULL);
	return page_confirm(v, status, &c);
}

enum err page_account_close_ask(struct visit *v)
{
	struct account x;
	enum err e = store_account_get(v->web->db, v->arena, v->id, &x);

	return e == ERR_OK ? ask_close(v, 200, &x, NULL) : e;
}

enum err page_account_close(struct visit *v)
{
	struct account before, x;
	struct json_object *m;
	enum err e = store_account_get(v->web->db, v->arena, v->id, &before);

	if (e != ERR_OK)
		return e;
	if (!page_confirmed(v, "close"))
		return ask_close(v, 422, &before, "Type “close” to confirm.");
	e = store_account_close(v->web->db, &v->viewer, v->id);
	if (e == ERR_CONFLICT)
		return refuse_own(v);
	if (e == ERR_OK)
		e = store_account_get(v->web->db, v->arena, v->id, &x);
	if (e != ERR_OK)
		return e;
	if (before.closed_at == 0)
		account_note(v, "account_close", v->id, before.name);
	m = json_object_new_object();
	view_add(m, "account", account_view(v, &x));
	return page_done(v, 200, url_account(v->arena, v->id, NULL), "account_closed", m);
}
