/* What a user chooses for themselves: which mails they get. */
#include "fcgi/form.h"
#include "fcgi/mail_view.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "lib/conf.h"
#include "sql/store_user.h"

static const struct form_spec specs[] = {
    {.name = "mail_on_done", .kind = FORM_CHECK},
    {.name = "mail_on_failed", .kind = FORM_CHECK},
};

static struct json_object *model_of(struct visit *v, const struct form *f)
{
	struct json_object *m = json_object_new_object();

	page_add_form(m, f);
	view_str(m, "email", v->email);
	view_str(m, "mail_off_text", v->web->conf->smtp_host[0] == '\0' ? mail_view_off : NULL);
	view_str(m, "action_url", URL_SETTINGS);
	return m;
}

enum err page_settings_form(struct visit *v)
{
	struct form f;
	struct user u;
	enum err e = store_user_get(v->web->db, v->arena, v->viewer.user_id, &u);

	if (e != ERR_OK)
		return e;
	form_blank(&f, v->arena, FORM_ROWS(specs));
	form_set_check(&f, "mail_on_done", u.mail_on_done);
	form_set_check(&f, "mail_on_failed", u.mail_on_failed);
	return page_show(v, 200, "settings", "Your settings", model_of(v, &f));
}

enum err page_settings_submit(struct visit *v)
{
	struct form f;
	enum err e = form_read(&f, v->arena, &v->rq->body, FORM_ROWS(specs));

	if (e != ERR_OK)
		return page_refused(v, "settings", "Your settings", model_of(v, &f), &f);
	e = store_user_set_mail(v->web->db, &v->viewer, form_get(&f, "mail_on_done")->checked,
	    form_get(&f, "mail_on_failed")->checked);
	return e == ERR_OK ? page_done(v, 200, URL_SETTINGS, "settings_changed", model_of(v, &f)) : e;
}
