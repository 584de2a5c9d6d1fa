/* What a user chooses for themselves: which mails they get. */
#include <strings.h>

#include "fcgi/form.h"
#include "fcgi/mail_view.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "lib/conf.h"
#include "sql/store_account.h"
#include "sql/store_user.h"

static const struct form_spec specs[] = {
    {.name = "mail_on_done", .kind = FORM_CHECK},
    {.name = "mail_on_failed", .kind = FORM_CHECK},
};

/* Who it is, and the account whose address for mails may stand before theirs. */
static enum err load(struct visit *v, struct user *u, struct account *account)
{
	enum err e = store_user_get(v->web->db, v->arena, v->viewer.user_id, u);

	return e == ERR_OK ? store_account_get(v->web->db, v->arena, u->account_id, account) : e;
}

static struct json_object *model_of(
    struct visit *v, const struct user *u, const struct account *account, const struct form *f)
{
	struct json_object *m = json_object_new_object();
	bool is_elsewhere = account->notify_email != NULL && strcasecmp(account->notify_email, v->email) != 0;

	page_add_form(m, f);
	view_str(m, "email", v->email);
	view_str(m, "notify_email", is_elsewhere ? account->notify_email : NULL);
	view_str(m, "mail_off_text", v->web->conf->smtp_host[0] == '\0' ? mail_view_off : NULL);
	view_str(m, "action_url", URL_SETTINGS);
	view_bool(m, "has_second_factor", u->second_factor_at != 0);
	view_str(m, "second_factor_url", URL_SECOND_FACTOR);
	return m;
}

enum err page_settings_form(struct visit *v)
{
	struct form f;
	struct user u;
	struct account account;
	enum err e = load(v, &u, &account);

	if (e != ERR_OK)
		return e;
	form_blank(&f, v->arena, FORM_ROWS(specs));
	form_set_check(&f, "mail_on_done", u.mail_on_done);
	form_set_check(&f, "mail_on_failed", u.mail_on_failed);
	return page_show(v, 200, "settings", "Your settings", model_of(v, &u, &account, &f));
}

enum err page_settings_submit(struct visit *v)
{
	struct form f;
	struct user u;
	struct account account;
	enum err e = load(v, &u, &account);

	if (e != ERR_OK)
		return e;
	if (form_read(&f, v->arena, &v->rq->body, FORM_ROWS(specs)) != ERR_OK)
		return page_refused(v, "settings", "Your settings", model_of(v, &u, &account, &f), &f);
	e = store_user_set_mail(v->web->db, &v->viewer, form_get(&f, "mail_on_done")->checked,
	    form_get(&f, "mail_on_failed")->checked);
	return e == ERR_OK
		   ? page_done(v, 200, URL_SETTINGS, "settings_changed", model_of(v, &u, &account, &f))
		   : e;
}
