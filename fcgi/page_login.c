/* Signing in and out. */
#include "fcgi/auth.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"

static const struct form_spec login_form[] = {
    {.name = "email", .kind = FORM_TEXT, .max_bytes = 254, .required = true},
    {.name = "password", .kind = FORM_PASSWORD, .max_bytes = 1024, .required = true},
    {.name = "next", .kind = FORM_PATH, .max_bytes = 2048},
};

static const char *next_url(const struct form *f)
{
	const struct form_field *next = form_get(f, "next");

	return next->state == FORM_VALUE ? next->text : URL_JOBS;
}

enum err page_root(struct visit *v)
{
	return page_redirect(v, URL_JOBS, NULL);
}

static enum err show_form(struct visit *v, unsigned status, const struct form *f)
{
	struct json_object *model = json_object_new_object();

	page_add_form(model, f);
	view_str(model, "action_url", URL_LOGIN);
	return page_show(v, status, "login", "Sign in", model);
}

enum err page_login_form(struct visit *v)
{
	struct form f;

	form_blank(&f, v->rq->secret, FORM_ROWS(login_form));
	if (form_read(&f, v->rq->secret, &v->rq->query, FORM_ROWS(login_form)) != ERR_OK) {
		/* nothing but "next" comes by the query: an empty form is no mistake yet */
		const char *next = form_get(&f, "next")->text;

		form_blank(&f, v->rq->secret, FORM_ROWS(login_form));
		form_set(&f, "next", next[0] != '\0' ? next : NULL);
	}
	if (v->signed_in)
		return page_redirect(v, next_url(&f), NULL);
	auth_prepare_login(v);
	return show_form(v, 200, &f);
}

struct json_object *page_session_model(const struct visit *v)
{
	struct json_object *o = json_object_new_object(), *user = json_object_new_object();

	view_str(user, "email", v->email);
	view_str(user, "role", role_name(v->viewer.role));
	if (v->support != NULL)
		view_str(user, "support", v->support);
	view_add(o, "user", user);
	view_str(o, "csrf", v->csrf);
	return o;
}

static enum err refuse(struct visit *v, struct form *f, unsigned status, const char *reason)
{
	if (v->rq->wants_json) {
		page_error(v, &(struct page_error){.status = status, .code = "login", .detail = reason});
		return ERR_OK;
	}
	form_refuse(f, NULL, reason);
	auth_prepare_login(v);
	return show_form(v, status, f);
}

enum err page_login_submit(struct visit *v)
{
	struct form f;
	enum auth_step step = AUTH_DONE;
	unsigned wait_s = 0;
	enum err e;

	if (form_read(&f, v->rq->secret, &v->rq->body, FORM_ROWS(login_form)) != ERR_OK) {
		struct json_object *model = json_object_new_object();

		auth_prepare_login(v);
		view_str(model, "action_url", URL_LOGIN);
		return page_refused(v, "login", "Sign in", model, &f);
	}
	e = auth_login(v, form_get(&f, "email")->text, form_get(&f, "password")->text, &wait_s, &step);
	if (e == ERR_DENIED)
		return refuse(v, &f, 401, "The e-mail address or the password is wrong.");
	if (e == ERR_BUSY && wait_s > 0) {
		response_header(v->rs, "Retry-After", arena_printf(v->arena, "%u", wait_s));
		return refuse(v, &f, 429,
		    arena_printf(v->arena, "There were too many attempts. Try again in %s.",
			view_duration_text(v->arena, wait_s)));
	}
	if (e != ERR_OK)
		return e;
	return step == AUTH_CODE ? page_ask_code(v, next_url(&f))
				 : page_done(v, 200, next_url(&f), NULL, page_session_model(v));
}

enum err page_logout_submit(struct visit *v)
{
	enum err e = auth_logout(v);

	if (e != ERR_OK)
		return e;
	return page_done(v, 204, URL_LOGIN, "signed_out", NULL);
}

enum err page_session_show(struct visit *v)
{
	return page_json(v, 200, page_session_model(v));
}
