#include "fcgi/user_link.h"

#include <string.h>
#include <strings.h>

#include "fcgi/mail_view.h"
#include "fcgi/page.h"
#include "fcgi/url.h"
#include "fcgi/user_view.h"
#include "fcgi/view.h"
#include "lib/conf.h"
#include "lib/mime.h"
#include "lib/token.h"
#include "sql/store_invite.h"
#include "sql/store_throttle.h"
#include "sql/store_user_admin.h"

enum { USER_LINK_MAILS_MAX = 5 }; /* to one user within an hour */

/* Whether mail can reach the address: below "invalid" (RFC 2606) are those that nobody gave (store_sso.c). */
static bool is_reachable(const char *email)
{
	size_t len = strlen(email), tail = strlen(".invalid");

	return mime_address_fits(email) && (len < tail || strcasecmp(email + len - tail, ".invalid") != 0);
}

/* mail_from goes with smtp_host (lib/conf.c). */
bool user_link_is_mailable(const struct visit *v, const struct user *u)
{
	if (v->web->conf->smtp_host[0] == '\0')
		return false;
	return u == NULL || (is_reachable(u->email) && u->disabled_at == 0 && u->account_suspended_at == 0);
}

void user_link_check(const struct visit *v, struct form *f, const struct user *u, const char *field)
{
	if (!form_get(f, "send_mail")->checked)
		return;
	if (!user_link_is_mailable(v, NULL))
		form_refuse(f, "send_mail",
		    "This installation sends no mail (smtp_host is not set): take the link and pass it on.");
	else if (!is_reachable(u->email))
		form_refuse(f, field, "No mail can reach this address: take the link and pass it on.");
	else if (u->disabled_at != 0)
		form_refuse(f, "send_mail", "This user is disabled: let them sign in again first.");
	else if (u->account_suspended_at != 0)
		form_refuse(
		    f, "send_mail", "No link is mailed while the account is suspended: resume it first.");
}

static void note(struct visit *v, const char *action, const struct user *u)
{
	visit_audit(v, action, arena_printf(v->arena, "user %llu", (unsigned long long)u->id), u->email);
}

/* Nobody's mailbox is flooded by our mails.  *blocked_r: there were too many, and the 429 is prepared. */
static enum err count_mail(struct visit *v, const struct user *u, bool *blocked_r)
{
	static const struct throttle_rule rule = {
	    .window_s = 3600, .failures_max = USER_LINK_MAILS_MAX, .block_s = 3600};
	const char *key = arena_printf(v->arena, "%llu", (unsigned long long)u->id);
	unsigned wait_s = 0;
	enum err e = store_throttle_check(v->web->db, THROTTLE_LINK_MAIL, key, &wait_s);

	*blocked_r = false;
	if (e == ERR_OK && wait_s == 0)
		e = store_throttle_count(v->web->db, THROTTLE_LINK_MAIL, key, &rule, NULL);
	if (e != ERR_OK || wait_s == 0)
		return e;
	*blocked_r = true;
	response_header(v->rs, "Retry-After", arena_printf(v->arena, "%u", wait_s));
	page_error(
	    v, &(struct page_error){.status = 429,
		   .code = "mail_limit",
		   .title = "Too many mails",
		   .detail = arena_printf(v->arena, "A user is sent at most %s with a link in an hour.",
		       view_plural_text(v->arena, rule.failures_max, "mail")),
		   .action = arena_printf(v->arena, "Take the link and pass it on, or try again in %s.",
		       view_duration_text(v->arena, wait_s)),
		   .link_url = url_user(v->arena, u->id, NULL),
		   .link_label = "Back to the user"});
	return ERR_OK;
}

/* A mail that brings the user a new link; the worker makes it. */
static enum err send_link(struct visit *v, const struct user *u, unsigned status)
{
	struct json_object *m;
	bool is_blocked = false;
	enum err e = count_mail(v, u, &is_blocked);

	if (e != ERR_OK || is_blocked)
		return e;
	e = store_invite_add(v->web->db, &v->viewer, u->id);
	if (e != ERR_OK)
		return e;
	note(v, "user_link_mail", u);
	m = json_object_new_object();
	view_add(m, "user", user_view(v, u));
	view_str(m, "link", NULL);
	return page_done(v, status, url_user(v->arena, u->id, NULL), "user_mailed", m);
}

/* A new link for the user, shown this once. */
static enum err show_link(struct visit *v, const struct user *u, unsigned status)
{
	struct json_object *m;
	char *token = arena_alloc(v->rq->secret, TOKEN_HEX_LEN + 1);
	unsigned char hash[TOKEN_HASH_BYTES];
	enum err e;

	token_new(token);
	token_hash(token, strlen(token), hash);
	e = store_user_link_create(v->web->db, &v->viewer, u->id, hash);
	if (e != ERR_OK)
		return e;
	note(v, "user_link", u);
	if (status == 201)
		response_header(v->rs, "Location", url_user(v->arena, u->id, NULL));
	m = json_object_new_object();
	view_add(m, "user", user_view(v, u));
	view_str(
	    m, "link", arena_printf(v->rq->secret, "%s%s/%s", v->web->conf->base_url, URL_WELCOME, token));
	view_str(m, "expires_text", view_plural_text(v->arena, USER_LINK_S / 86400, "day"));
	return page_show(v, status, "user_link", u->email, m);
}

enum err user_link_give(struct visit *v, const struct form *f, const struct user *u, unsigned status)
{
	return form_get(f, "send_mail")->checked ? send_link(v, u, status) : show_link(v, u, status);
}

enum err user_link_tell(struct visit *v, uint64_t user_id, const char **text_r)
{
	struct outbox_status s;
	enum err e = store_outbox_of_user(v->web->db, v->arena, &v->viewer, user_id, &s);

	*text_r = e == ERR_OK ? mail_view_text(v->arena, &s, v->now_s) : NULL;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
