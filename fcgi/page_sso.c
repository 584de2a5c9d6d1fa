/*
 * A link that signs in, opened by the browser it was made for.  Looking at it changes nothing, so that
 * previews and prefetching do not use it up: the page that it shows posts itself, or has a button.
 */
#include <string.h>

#include "fcgi/auth.h"
#include "fcgi/embed.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "fcgi/web.h"
#include "lib/token.h"
#include "sql/store_sso.h"

static const struct form_spec specs[] = {
    /* whom the visitor saw to be signed in when they went on, so that nobody becomes another unasked */
    {.name = "instead_of", .kind = FORM_TEXT, .max_bytes = 20},
};

static enum err hash_of(struct visit *v, unsigned char hash[TOKEN_HASH_BYTES])
{
	token_hash(v->token, strlen(v->token), hash);
	return web_db(v->web);
}

/* One answer for whatever is wrong. */
static enum err show_over(struct visit *v)
{
	v->signed_in = false;
	embed_for_account(v, NULL);
	page_error(v, &(struct page_error){.status = 404,
			  .code = "link_over",
			  .title = "This link does not work any more",
			  .detail = "A link from your control panel works once, and for a minute.",
			  .action = "Go back to your control panel and open mailconvoy from there again."});
	return ERR_OK;
}

/* Whether the path asks for pages without our header. */
static bool wants_embedded(const char *path)
{
	for (const char *p = strchr(path, '?'); p != NULL && *p != '\0' && *p != '#';
	     p = strpbrk(p + 1, "&#"))
		if (strncmp(p + 1, "embed=1", 7) == 0 && (p[8] == '\0' || p[8] == '&' || p[8] == '#'))
			return true;
	return false;
}

/* Whether somebody else is signed in. */
static bool is_other(const struct visit *v, const struct sso_link *link)
{
	return v->signed_in && v->viewer.user_id != link->user.id;
}

static const char *id_text(struct visit *v)
{
	return arena_printf(v->arena, "%llu", (unsigned long long)v->viewer.user_id);
}

static enum err show(struct visit *v, const struct sso_link *link)
{
	struct json_object *m = json_object_new_object();
	bool other = is_other(v, link);

	view_str(m, "email", link->user.email);
	view_str(m, "account_name", link->user.account_name);
	view_str(m, "support", link->support);
	view_str(m, "other_email", other ? v->email : NULL);
	view_str(m, "instead_of", other ? id_text(v) : NULL);
	view_str(m, "action_url", v->rq->path);
	/* the page is for whom the link was made, and for that account's panel */
	v->signed_in = false;
	v->is_embedded = v->is_embedded || wants_embedded(link->return_to);
	embed_for_account(v, link->panel_origins);
	auth_prepare_login(v);
	return page_show(v, 200, "sso", "Sign in", m);
}

enum err page_sso_show(struct visit *v)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	struct sso_link link;
	enum err e = hash_of(v, hash);

	if (e == ERR_OK)
		e = store_sso_get(v->web->db, v->rq->secret, hash, &link);
	if (e == ERR_NOT_FOUND)
		return show_over(v);
	return e == ERR_OK ? show(v, &link) : e;
}

/* Whether they pressed the button that says whom they take the place of. */
static bool is_meant(struct visit *v, const struct sso_link *link)
{
	struct form f;

	if (!is_other(v, link))
		return true;
	return form_read(&f, v->arena, &v->rq->body, FORM_ROWS(specs)) == ERR_OK &&
	       strcmp(form_get(&f, "instead_of")->text, id_text(v)) == 0;
}

enum err page_sso_submit(struct visit *v)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	struct sso_link link;
	enum auth_step step;
	enum err e = hash_of(v, hash);

	if (e == ERR_OK)
		e = store_sso_get(v->web->db, v->rq->secret, hash, &link);
	if (e == ERR_OK && !is_meant(v, &link))
		return show(v, &link);
	if (e == ERR_OK || e == ERR_NOT_FOUND)
		e = store_sso_use(v->web->db, v->rq->secret, hash, &link);
	if (e == ERR_NOT_FOUND)
		return show_over(v);
	if (e != ERR_OK)
		return e;
	/* cookies of a frame are the account's panel's */
	embed_for_account(v, link.panel_origins);
	v->signed_in = false;
	e = auth_sign_in(v, &link.user, link.support, &step);
	if (e == ERR_DENIED)
		return show_over(v);
	if (e != ERR_OK)
		return e;
	visit_audit(v, step == AUTH_CODE ? "sso_link_used" : "sso_login",
	    arena_printf(v->arena, "user %llu", (unsigned long long)link.user.id), link.issuer);
	if (step == AUTH_CODE)
		return page_ask_code(v, link.return_to);
	return page_done(v, 204, link.return_to, NULL, NULL);
}
