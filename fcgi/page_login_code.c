/* Signing in, second part: the code that a user with a second factor owes. */
#include "fcgi/auth.h"
#include "fcgi/cookie.h"
#include "fcgi/factor_view.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "lib/conf.h"

static const struct form_spec specs[] = {
    {.name = "code", .kind = FORM_PASSWORD, .max_bytes = 64, .required = true},
    {.name = "next", .kind = FORM_PATH, .max_bytes = 2048},
};

static const char *next_url(const struct form *f)
{
	const struct form_field *next = form_get(f, "next");

	return next->state == FORM_VALUE ? next->text : URL_JOBS;
}

enum err page_ask_code(struct visit *v, const char *next)
{
	if (!v->rq->wants_json)
		return page_redirect(v, url_with(v->arena, URL_LOGIN_CODE, "next", next), NULL);
	page_error(
	    v, &(struct page_error){.status = 401,
		   .code = "second_factor",
		   .title = "The code is wanted, too",
		   .detail = "The password is right, and this user has a second factor. Send its code as "
			     "“code” to /login/code, with the cookies of this answer, within five minutes."});
	return ERR_OK;
}

/* Back to the beginning. */
static enum err show_over(struct visit *v, const struct form *f)
{
	const char *notice = cookie_token(v, COOKIE_TICKET, 0) != NULL ? "code_over" : NULL;

	if (v->rq->wants_json) {
		page_error(
		    v, &(struct page_error){.status = 401,
			   .code = "code_over",
			   .title = "No code is owed",
			   .detail = "It took too long, or was tried too often: begin with the password."});
		return ERR_OK;
	}
	return page_redirect(v, url_with(v->arena, URL_LOGIN, "next", next_url(f)), notice);
}

static enum err show_form(struct visit *v, unsigned status, const struct form *f)
{
	struct json_object *m = json_object_new_object();

	auth_prepare_login(v);
	page_add_form(m, f);
	view_bool(m, "has_key", factor_has_key(v));
	view_str(m, "action_url", URL_LOGIN_CODE);
	view_str(m, "login_url", URL_LOGIN);
	return page_show(v, status, "login_code", "Sign in", m);
}

enum err page_code_form(struct visit *v)
{
	const char *next = params_get(&v->rq->query, "next");
	struct form f, asked;
	enum err e;

	/* the address brings "next" alone; that the code is not there yet is no mistake */
	(void)!form_read(&asked, v->rq->secret, &v->rq->query, FORM_ROWS(specs));
	form_blank(&f, v->rq->secret, FORM_ROWS(specs));
	if (next != NULL && form_get(&asked, "next")->state == FORM_VALUE)
		form_set(&f, "next", form_get(&asked, "next")->text);
	if (v->signed_in)
		return page_redirect(v, next_url(&f), NULL);
	e = auth_owes_code(v);
	if (e == ERR_NOT_FOUND)
		return show_over(v, &f);
	return e == ERR_OK ? show_form(v, 200, &f) : e;
}

static enum err refuse(struct visit *v, struct form *f, unsigned status, const char *reason)
{
	if (v->rq->wants_json) {
		page_error(v, &(struct page_error){.status = status, .code = "login", .detail = reason});
		return ERR_OK;
	}
	form_refuse(f, "code", reason);
	return show_form(v, status, f);
}

static enum err signed_in(struct visit *v, const struct form *f, const struct factor_given *given)
{
	struct json_object *m = page_session_model(v);
	const char *notice = NULL;

	if (given->is_recovery) {
		notice = arena_printf(v->arena, "recovery_left_%u", given->recovery_left);
		view_int(m, "recovery_left", given->recovery_left);
	} else {
		view_null(m, "recovery_left");
	}
	if (v->rq->wants_json)
		return page_json(v, 200, m);
	json_object_put(m);
	return page_redirect(v, next_url(f), notice);
}

enum err page_code_submit(struct visit *v)
{
	struct factor_given given;
	struct form f;
	enum err e = form_read(&f, v->rq->secret, &v->rq->body, FORM_ROWS(specs));

	if (e != ERR_OK) {
		e = auth_owes_code(v);
		if (e == ERR_NOT_FOUND)
			return show_over(v, &f);
		return e == ERR_OK ? refuse(v, &f, 422, "Give the code.") : e;
	}
	e = auth_code(v, form_get(&f, "code")->text, &given);
	switch (e) {
	case ERR_OK: return signed_in(v, &f, &given);
	case ERR_NOT_FOUND: return show_over(v, &f);
	case ERR_CRYPTO: return factor_show_no_key(v);
	case ERR_DENIED:
		/* the last try may have been this one */
		e = auth_owes_code(v);
		if (e == ERR_NOT_FOUND)
			return show_over(v, &f);
		return e == ERR_OK ? refuse(v, &f, 401, factor_wrong_text) : e;
	case ERR_BUSY:
		if (given.wait_s > 0)
			return refuse(v, &f, 429, factor_busy(v, given.wait_s));
		return e;
	default: return e;
	}
}
