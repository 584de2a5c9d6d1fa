/* Users, for administrators: list, invite, change. */
#include <string.h>

#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/user_link.h"
#include "fcgi/user_view.h"
#include "fcgi/view.h"
#include "sql/store_account.h"
#include "sql/store_external.h"
#include "sql/store_second_factor.h"
#include "sql/store_user_admin.h"

static const char *const roles[] = {"member", "admin", NULL};

static const struct form_spec specs[] = {
    {.name = "email", .kind = FORM_EMAIL, .max_bytes = 254, .required = true},
    {.name = "role", .kind = FORM_CHOICE, .choices = roles, .required = true},
    {.name = "account_id", .kind = FORM_NUMBER, .min = 1, .max = INT64_MAX, .required = true},
    {.name = "send_mail", .kind = FORM_CHECK},
};

const struct form_table fields_user_new = {FORM_ROWS(specs)};

static const struct form_spec role_specs[] = {
    {.name = "role", .kind = FORM_CHOICE, .choices = roles, .required = true},
};

const struct form_table fields_user_role = {FORM_ROWS(role_specs)};

static const struct form_spec link_specs[] = {
    {.name = "send_mail", .kind = FORM_CHECK},
};

const struct form_table fields_user_link = {FORM_ROWS(link_specs)};

static void note(struct visit *v, const char *action, uint64_t id, const char *detail)
{
	visit_audit(v, action, arena_printf(v->arena, "user %llu", (unsigned long long)id), detail);
}

enum err page_users_list(struct visit *v)
{
	struct json_object *m, *list;
	struct user *users;
	size_t count;
	enum err e = store_user_list(v->web->db, v->arena, 0, &users, &count);

	if (e != ERR_OK)
		return e;
	m = json_object_new_object();
	list = json_object_new_array();
	for (size_t i = 0; i < count; i++)
		json_object_array_add(list, user_view(v, &users[i]));
	view_add(m, "users", list);
	view_str(m, "new_url", URL_USERS "/new");
	return page_show(v, 200, "users_list", "Users", m);
}

static void add_option(
    struct json_object *list, const char *value, const char *label, const char *hint, bool selected)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "value", value);
	view_str(o, "label", label);
	view_str(o, "hint", hint);
	view_bool(o, "selected", selected);
	json_object_array_add(list, o);
}

static struct json_object *role_options(const char *chosen)
{
	struct json_object *list = json_object_new_array();

	add_option(list, "member", "Member", "Sees and does everything for their own account only.",
	    strcmp(chosen, "admin") != 0);
	add_option(list, "admin", "Administrator", "Sees and does everything, for every account.",
	    strcmp(chosen, "admin") == 0);
	return list;
}

static enum err invite_model(struct visit *v, const struct form *f, struct json_object **m_r)
{
	struct json_object *m, *list;
	struct account *accounts;
	size_t count;
	enum err e = store_account_list(v->web->db, v->arena, &accounts, &count);

	if (e != ERR_OK)
		return e;
	m = json_object_new_object();
	list = json_object_new_array();
	for (size_t i = 0; i < count; i++) {
		const char *id = arena_printf(v->arena, "%llu", (unsigned long long)accounts[i].id);

		if (accounts[i].closed_at != 0)
			continue;
		add_option(
		    list, id, accounts[i].name, NULL, strcmp(form_get(f, "account_id")->text, id) == 0);
	}
	view_add(m, "accounts", list);
	view_add(m, "role_options", role_options(form_get(f, "role")->text));
	view_bool(m, "can_mail", user_link_is_mailable(v, NULL));
	view_str(m, "action_url", URL_USERS);
	view_str(m, "list_url", URL_USERS);
	*m_r = m;
	return ERR_OK;
}

enum err page_user_new(struct visit *v)
{
	struct json_object *m = NULL;
	struct form f;
	uint64_t account;
	enum err e;

	form_blank(&f, v->arena, FORM_ROWS(specs));
	form_set(&f, "role", "member");
	if (form_id(params_get(&v->rq->query, "account"), &account))
		form_set_number(&f, v->arena, "account_id", account);
	e = invite_model(v, &f, &m);
	if (e != ERR_OK)
		return e;
	page_add_form(m, &f);
	return page_show(v, 200, "user_new", "Invite a user", m);
}

/*
 * Whether it is a token that asks for what would make its holder an administrator.  A link that sets a
 * password is as good as the user: who steals a script's token must not become an administrator by it.
 */
static bool is_token_beyond(const struct visit *v, enum role role)
{
	return v->token_id != 0 && role == ROLE_ADMIN;
}

enum err page_user_create(struct visit *v)
{
	struct json_object *m = NULL;
	struct user u;
	struct form f;
	uint64_t id;
	enum err e = form_read(&f, v->arena, &v->rq->body, FORM_ROWS(specs));

	if (e == ERR_OK) {
		enum role role = strcmp(form_get(&f, "role")->text, "admin") == 0 ? ROLE_ADMIN : ROLE_MEMBER;
		struct account account;

		if (is_token_beyond(v, role))
			form_refuse(&f, "role", "A token invites members alone: sign in for this.");
		e = store_account_get(v->web->db, v->arena, form_get(&f, "account_id")->number, &account);
		if (e == ERR_OK && account.closed_at == 0)
			user_link_check(v, &f,
			    &(struct user){.email = form_get(&f, "email")->text,
				.account_suspended_at = account.suspended_at},
			    "email");
		if (e == ERR_OK && !f.has_errors)
			e = store_user_invite(
			    v->web->db, &v->viewer, account.id, form_get(&f, "email")->text, role, &id);
		if (e == ERR_NOT_FOUND)
			form_refuse(&f, "account_id", "This account is not there any more. Choose another.");
		else if (e == ERR_CONFLICT)
			form_refuse(&f, "email", "There is a user of this address already.");
		else if (e == ERR_INVALID)
			form_refuse(&f, "email", "This is no e-mail address.");
		else if (e != ERR_OK)
			return e;
	}
	if (f.has_errors) {
		e = invite_model(v, &f, &m);
		return e == ERR_OK ? page_refused(v, "user_new", "Invite a user", m, &f) : e;
	}
	e = store_user_get(v->web->db, v->arena, id, &u);
	if (e != ERR_OK)
		return e;
	note(v, "user_invite", id, arena_printf(v->arena, "%s as %s", u.email, role_name(u.role)));
	return user_link_give(v, &f, &u, 201);
}

static const char *names_text(struct arena *a, const struct external *names, size_t count)
{
	AUTO_BUF struct buf b = BUF_INIT;

	for (size_t i = 0; i < count; i++)
		buf_addf(&b, "%s%s %s", i > 0 ? "\n" : "", names[i].issuer, names[i].id);
	return arena_strndup(a, b.len > 0 ? b.data : "", b.len);
}

enum err page_user_show(struct visit *v)
{
	struct external *names;
	const char *mail = NULL;
	struct json_object *m;
	struct user u;
	size_t count = 0;
	enum err e = store_user_get(v->web->db, v->arena, v->id, &u);

	if (e == ERR_OK)
		e = store_external_list(v->web->db, v->arena, EXTERNAL_USER, v->id, &names, &count);
	if (e == ERR_OK)
		e = user_link_tell(v, v->id, &mail);
	if (e != ERR_OK)
		return e;
	m = json_object_new_object();
	view_add(m, "user", user_view(v, &u));
	view_str(m, "mail_text", mail);
	if (!v->rq->wants_json) {
		view_bool(m, "can_mail", user_link_is_mailable(v, &u));
		view_add(m, "role_options", role_options(role_name(u.role)));
		view_str(m, "role_url", url_user(v->arena, u.id, "role"));
		view_str(m, "disable_url", url_user(v->arena, u.id, "disable"));
		view_str(m, "enable_url", url_user(v->arena, u.id, "enable"));
		view_str(m, "sign_out_url", url_user(v->arena, u.id, "sign-out"));
		view_str(m, "link_url", url_user(v->arena, u.id, "link"));
		view_str(m, "second_factor_off_url", url_user(v->arena, u.id, "second-factor-off"));
		view_str(m, "external_ids", names_text(v->arena, names, count));
		view_str(m, "external_ids_url", url_user(v->arena, u.id, "external-ids"));
		view_str(m, "audit_url", url_with_number(v->arena, URL_AUDIT, "user", u.id));
		view_str(m, "list_url", URL_USERS);
	}
	return page_show(v, 200, "user_show", u.email, m);
}

/* After a change: e is what became of it. */
static enum err changed(struct visit *v, enum err e, const char *action, const char *notice)
{
	struct json_object *m;
	struct user u;

	if (e == ERR_CONFLICT) {
		page_error(v, &(struct page_error){.status = 409,
				  .code = "last_admin",
				  .title = "This would lock you out",
				  .detail = "Nobody changes their own role or access, and one administrator "
					    "at least must be left. Nothing was changed.",
				  .action = "Let another administrator do it.",
				  .link_url = url_user(v->arena, v->id, NULL),
				  .link_label = "Back to the user"});
		return ERR_OK;
	}
	if (e == ERR_INVALID) {
		page_error(
		    v, &(struct page_error){.status = 409,
			   .code = "account_closed",
			   .title = "The account is closed",
			   .detail = "Nobody signs in for an account that was closed. Nothing was changed.",
			   .action = "Invite them to another account.",
			   .link_url = url_user(v->arena, v->id, NULL),
			   .link_label = "Back to the user"});
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = store_user_get(v->web->db, v->arena, v->id, &u);
	if (e != ERR_OK)
		return e;
	note(v, action, v->id,
	    strcmp(action, "user_role") == 0 ? arena_printf(v->arena, "%s: %s", u.email, role_name(u.role))
					     : u.email);
	m = json_object_new_object();
	view_add(m, "user", user_view(v, &u));
	return page_done(v, 200, url_user(v->arena, v->id, NULL), notice, m);
}

enum err page_user_role(struct visit *v)
{
	struct form f;
	enum role role;

	if (form_read(&f, v->arena, &v->rq->body, FORM_ROWS(role_specs)) != ERR_OK) {
		page_error(v, &(struct page_error){.status = 422,
				  .code = "form",
				  .detail = "“role” is member or admin.",
				  .fields = form_problems(&f)});
		return ERR_OK;
	}
	role = strcmp(form_get(&f, "role")->text, "admin") == 0 ? ROLE_ADMIN : ROLE_MEMBER;
	return changed(
	    v, store_user_set_role(v->web->db, &v->viewer, v->id, role), "user_role", "user_changed");
}

enum err page_user_disable(struct visit *v)
{
	return changed(
	    v, store_user_admit(v->web->db, &v->viewer, v->id, true), "user_disable", "user_disabled");
}

enum err page_user_enable(struct visit *v)
{
	return changed(
	    v, store_user_admit(v->web->db, &v->viewer, v->id, false), "user_enable", "user_enabled");
}

enum err page_user_sign_out(struct visit *v)
{
	return changed(
	    v, store_user_sign_out(v->web->db, &v->viewer, v->id), "user_sign_out", "user_signed_out");
}

enum err page_user_link(struct visit *v)
{
	struct user u;
	struct form f;
	enum err e = store_user_get(v->web->db, v->arena, v->id, &u);

	if (e == ERR_OK && is_token_beyond(v, u.role)) {
		page_error(
		    v, &(struct page_error){.status = 403,
			   .code = "scope",
			   .title = "The token may not do this",
			   .detail = "This user is an administrator: sign in to make a link for them."});
		return ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	if (form_read(&f, v->arena, &v->rq->body, FORM_ROWS(link_specs)) == ERR_OK)
		user_link_check(v, &f, &u, "send_mail");
	if (f.has_errors) {
		page_error(v, &(struct page_error){.status = 422,
				  .code = "form",
				  .detail = form_get(&f, "send_mail")->error,
				  .link_url = url_user(v->arena, u.id, NULL),
				  .link_label = "Back to the user",
				  .fields = form_problems(&f)});
		return ERR_OK;
	}
	return user_link_give(v, &f, &u, 200);
}

enum err page_user_factor_off(struct visit *v)
{
	enum err e = store_second_factor_reset(v->web->db, &v->viewer, v->id);

	if (e == ERR_CONFLICT) {
		page_error(v, &(struct page_error){.status = 409,
				  .code = "own_second_factor",
				  .title = "This is your own second factor",
				  .detail = "It takes your password and a code to turn it off.",
				  .action = "Do it under Settings.",
				  .link_url = URL_SECOND_FACTOR,
				  .link_label = "Second factor"});
		return ERR_OK;
	}
	/* where there is none there is nothing to do, if there is such a user */
	return changed(v, e == ERR_NOT_FOUND ? ERR_OK : e, "second_factor_off", "user_second_factor_off");
}
