/* Choosing a password by a one-time link: of an invitation, or instead of a forgotten one. */
#include <string.h>

#include "fcgi/auth.h"
#include "fcgi/embed.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "fcgi/web.h"
#include "lib/password.h"
#include "lib/token.h"
#include "sql/store_user_admin.h"

static const struct form_spec specs[] = {
    {.name = "password", .kind = FORM_PASSWORD, .max_bytes = PASSWORD_MAX_BYTES, .required = true},
    {.name = "again", .kind = FORM_PASSWORD, .max_bytes = PASSWORD_MAX_BYTES, .required = true},
};

/* Whose link it is, and its hash.  ERR_NOT_FOUND. */
static enum err look(struct visit *v, unsigned char hash[TOKEN_HASH_BYTES], struct user *u)
{
	enum err e = web_db(v->web);

	token_hash(v->token, strlen(v->token), hash);
	return e == ERR_OK ? store_user_link_get(v->web->db, v->rq->secret, hash, u) : e;
}

static enum err show_over(struct visit *v)
{
	page_error(v, &(struct page_error){.status = 404,
			  .code = "link_over",
			  .title = "This link does not work any more",
			  .detail = "A link works once, and for three days.",
			  .action = "Sign in, or ask the administrator for a new one."});
	return ERR_OK;
}

static enum err show(struct visit *v, unsigned status, const struct user *u, const struct form *f)
{
	struct json_object *m = json_object_new_object();

	/* the page is for whom the link was made, whoever is signed in here */
	v->signed_in = false;
	embed_for_account(v, NULL);
	auth_prepare_login(v);
	view_str(m, "email", u->email);
	view_bool(m, "is_new", !u->has_password);
	view_int(m, "min", PASSWORD_MIN_BYTES);
	view_str(m, "action_url", v->rq->path);
	if (status == 422)
		return page_refused(v, "welcome", "Choose a password", m, f);
	page_add_form(m, f);
	return page_show(v, status, "welcome", "Choose a password", m);
}

enum err page_welcome_show(struct visit *v)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	struct form f;
	struct user u;
	enum err e = look(v, hash, &u);

	if (e == ERR_NOT_FOUND)
		return show_over(v);
	if (e != ERR_OK)
		return e;
	form_blank(&f, v->rq->secret, FORM_ROWS(specs));
	return show(v, 200, &u, &f);
}

enum err page_welcome_submit(struct visit *v)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	char crypted[PASSWORD_HASH_MAX];
	const char *password;
	struct form f;
	struct user u;
	enum err e = look(v, hash, &u);

	if (e == ERR_NOT_FOUND)
		return show_over(v);
	if (e != ERR_OK)
		return e;
	if (form_read(&f, v->rq->secret, &v->rq->body, FORM_ROWS(specs)) != ERR_OK)
		return show(v, 422, &u, &f);
	password = form_get(&f, "password")->text;
	if (strcmp(password, form_get(&f, "again")->text) != 0)
		form_refuse(&f, "again", "The two are not the same.");
	else if (password_hash(password, crypted) != ERR_OK)
		form_refuse(
		    &f, "password", arena_printf(v->arena, "At least %d characters.", PASSWORD_MIN_BYTES));
	if (f.has_errors)
		return show(v, 422, &u, &f);
	e = store_user_link_use(v->web->db, hash, crypted);
	if (e == ERR_NOT_FOUND)
		return show_over(v);
	if (e != ERR_OK)
		return e;
	v->signed_in = false;
	visit_audit(
	    v, "password_set", arena_printf(v->arena, "user %llu", (unsigned long long)u.id), u.email);
	return page_done(v, 204, URL_LOGIN, "password_set", NULL);
}
