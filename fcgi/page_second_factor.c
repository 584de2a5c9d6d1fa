/* The second factor of who is signed in: turn it on, new recovery codes, turn it off. */
#include "fcgi/auth.h"
#include "fcgi/factor_view.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "sql/store_second_factor.h"
#include "sql/store_user.h"

static const char title[] = "Second factor";

static const struct form_spec begin_specs[] = {
    {.name = "password", .kind = FORM_PASSWORD, .max_bytes = 1024, .required = true},
};

static const struct form_spec confirm_specs[] = {
    {.name = "setup", .kind = FORM_TEXT, .max_bytes = 400, .required = true},
    {.name = "code", .kind = FORM_PASSWORD, .max_bytes = 64, .required = true},
};

static const struct form_spec change_specs[] = {
    {.name = "password", .kind = FORM_PASSWORD, .max_bytes = 1024, .required = true},
    {.name = "code", .kind = FORM_PASSWORD, .max_bytes = 64, .required = true},
};

/* The page for how it stands: off, or on. */
static enum err show(struct visit *v, unsigned status, const struct form *f)
{
	struct second_factor factor = {0};
	struct json_object *m;
	struct user u;
	enum err e = store_user_get(v->web->db, v->rq->secret, v->viewer.user_id, &u);

	if (e == ERR_OK && u.second_factor_at != 0)
		e = store_second_factor_get(v->web->db, v->arena, u.id, &factor);
	if (e != ERR_OK)
		return e;
	m = json_object_new_object();
	view_bool(m, "is_on", factor.created_at != 0);
	view_moment(m, v->arena, "since", factor.created_at, v->now_s);
	view_int(m, "recovery_left", factor.recovery_left);
	view_bool(m, "has_key", factor_has_key(v));
	view_bool(m, "has_password", u.has_password);
	view_str(m, "begin_url", URL_SECOND_FACTOR);
	view_str(m, "renew_url", URL_SECOND_FACTOR "/codes");
	view_str(m, "off_url", URL_SECOND_FACTOR "/off");
	view_str(m, "settings_url", URL_SETTINGS);
	if (status == 422)
		return page_refused(v, "second_factor", title, m, f);
	page_add_form(m, f);
	return page_show(v, status, "second_factor", title, m);
}

enum err page_factor_show(struct visit *v)
{
	struct form f;

	form_blank(&f, v->rq->secret, FORM_ROWS(change_specs));
	return show(v, 200, &f);
}

/* Whether it is on; ERR_OK, or the answer that it is not as the request has it. */
static enum err expect(struct visit *v, bool is_on, bool *answered_r)
{
	struct user u;
	enum err e = store_user_get(v->web->db, v->rq->secret, v->viewer.user_id, &u);

	*answered_r = e == ERR_OK && (u.second_factor_at != 0) != is_on;
	if (*answered_r)
		page_error(
		    v, &(struct page_error){.status = 409,
			   .code = "second_factor",
			   .title = is_on ? "The second factor is off" : "The second factor is on already",
			   .detail = "Nothing was changed.",
			   .action = "Look at its page.",
			   .link_url = URL_SECOND_FACTOR,
			   .link_label = title});
	return e;
}

/* The proof failed with e: the form again with the reason, or what is in the way. */
static enum err refuse(struct visit *v, struct form *f, enum err e, const struct auth_proof *proof)
{
	const char *busy;

	if (e == ERR_CRYPTO)
		return factor_show_no_key(v);
	if (e == ERR_DENIED) {
		form_refuse(f, proof->is_password_good ? "code" : "password",
		    proof->is_password_good ? factor_wrong_text : "This is not your password.");
		return show(v, 422, f);
	}
	if (e != ERR_BUSY || proof->given.wait_s == 0)
		return e;
	busy = factor_busy(v, proof->given.wait_s);
	if (v->rq->wants_json) {
		page_error(v, &(struct page_error){.status = 429, .code = "too_many", .detail = busy});
		return ERR_OK;
	}
	form_refuse(f, NULL, busy);
	return show(v, 429, f);
}

static enum err show_setup(
    struct visit *v, unsigned status, const struct factor_setup *setup, const struct form *f)
{
	struct json_object *m = json_object_new_object();

	factor_add_setup(v, m, setup);
	view_int(m, "minutes", FACTOR_SETUP_S / 60);
	view_str(m, "email", v->email);
	view_str(m, "action_url", URL_SECOND_FACTOR "/confirm");
	view_str(m, "back_url", URL_SECOND_FACTOR);
	if (status == 422)
		return page_refused(v, "second_factor_new", title, m, f);
	page_add_form(m, f);
	return page_show(v, status, "second_factor_new", title, m);
}

enum err page_factor_begin(struct visit *v)
{
	struct factor_setup setup;
	struct auth_proof proof;
	struct form f, empty;
	bool answered;
	enum err e = expect(v, false, &answered);

	if (e != ERR_OK || answered)
		return e;
	if (form_read(&f, v->rq->secret, &v->rq->body, FORM_ROWS(begin_specs)) != ERR_OK)
		return show(v, 422, &f);
	e = auth_prove(v, form_get(&f, "password")->text, NULL, &proof);
	if (e == ERR_OK)
		e = factor_begin(v, &setup);
	if (e != ERR_OK)
		return refuse(v, &f, e, &proof);
	form_blank(&empty, v->rq->secret, FORM_ROWS(confirm_specs));
	return show_setup(v, 200, &setup, &empty);
}

static enum err show_codes(struct visit *v, const struct factor_codes *codes, bool is_new)
{
	struct json_object *m = json_object_new_object();

	view_add(m, "codes", factor_codes_view(codes));
	view_bool(m, "is_new", is_new);
	view_str(m, "back_url", URL_SECOND_FACTOR);
	return page_show(v, 200, "recovery_codes", "Recovery codes", m);
}

static enum err show_over(struct visit *v)
{
	page_error(v, &(struct page_error){.status = 422,
			  .code = "setup_over",
			  .title = "This took too long",
			  .detail = "The QR code is not good any more. Nothing was turned on.",
			  .action = "Begin again, and remove the entry from the app if you have made one.",
			  .link_url = URL_SECOND_FACTOR,
			  .link_label = title});
	return ERR_OK;
}

/* A code is missing, or was none: the same QR code once more. */
static enum err ask_again(struct visit *v, struct form *f, const char *reason)
{
	struct factor_setup setup;
	enum err e = factor_resume(v, form_get(f, "setup")->text, &setup);

	if (e == ERR_NOT_FOUND)
		return show_over(v);
	if (e == ERR_CRYPTO)
		return factor_show_no_key(v);
	if (e != ERR_OK)
		return e;
	form_refuse(f, "code", reason);
	return show_setup(v, 422, &setup, f);
}

enum err page_factor_confirm(struct visit *v)
{
	struct factor_codes *codes = arena_alloc(v->rq->secret, sizeof(*codes));
	struct form f;
	bool answered;
	enum err e = expect(v, false, &answered);

	if (e != ERR_OK || answered)
		return e;
	if (form_read(&f, v->rq->secret, &v->rq->body, FORM_ROWS(confirm_specs)) != ERR_OK)
		return ask_again(v, &f, "Give the code that the app shows now.");
	e = factor_confirm(v, form_get(&f, "setup")->text, form_get(&f, "code")->text, codes);
	switch (e) {
	case ERR_OK: break;
	case ERR_DENIED:
		return ask_again(
		    v, &f, "This is not the code of now. Wait for the next one; is the phone's clock right?");
	case ERR_NOT_FOUND: return show_over(v);
	case ERR_CRYPTO: return factor_show_no_key(v);
	default: return e;
	}
	factor_note(v, "second_factor_on", v->viewer.user_id, v->email);
	/* whoever signed in by the password alone is out */
	e = auth_renew(v);
	return e == ERR_OK ? show_codes(v, codes, true) : e;
}

/* Password and code, for a change of what is on.  *answered_r: the answer is prepared, or the error in it. */
static enum err prove(struct visit *v, bool *answered_r)
{
	struct auth_proof proof;
	struct form f;
	enum err e = expect(v, true, answered_r);

	if (e != ERR_OK || *answered_r)
		return e;
	*answered_r = true;
	if (form_read(&f, v->rq->secret, &v->rq->body, FORM_ROWS(change_specs)) != ERR_OK)
		return show(v, 422, &f);
	e = auth_prove(v, form_get(&f, "password")->text, form_get(&f, "code")->text, &proof);
	*answered_r = e != ERR_OK;
	return e == ERR_OK ? ERR_OK : refuse(v, &f, e, &proof);
}

enum err page_factor_renew(struct visit *v)
{
	struct factor_codes *codes = arena_alloc(v->rq->secret, sizeof(*codes));
	bool answered;
	enum err e = prove(v, &answered);

	if (e != ERR_OK || answered)
		return e;
	e = factor_renew(v, codes);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_CONFLICT : e;
	factor_note(v, "recovery_codes_new", v->viewer.user_id, v->email);
	return show_codes(v, codes, false);
}

enum err page_factor_off(struct visit *v)
{
	bool answered;
	enum err e = prove(v, &answered);

	if (e != ERR_OK || answered)
		return e;
	e = store_second_factor_delete(v->web->db, v->viewer.user_id);
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_CONFLICT : e;
	factor_note(v, "second_factor_off", v->viewer.user_id, v->email);
	e = auth_renew(v);
	return e == ERR_OK ? page_done(v, 204, URL_SECOND_FACTOR, "second_factor_off", NULL) : e;
}
