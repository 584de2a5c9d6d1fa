/* A control panel asks for a link that signs in one of its customers: in our words, or in those of cPanel. */
#include <string.h>

#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/panel_view.h"
#include "fcgi/sso_make.h"
#include "fcgi/view.h"
#include "lib/scope.h"
#include "sql/store_sso.h"

static const char *const roles[] = {"member", "admin", NULL};

static const struct form_spec specs[] = {
    {.name = "account", .kind = FORM_TEXT, .max_bytes = 400},
    {.name = "user", .kind = FORM_TEXT, .max_bytes = 400, .required = true},
    {.name = "role", .kind = FORM_CHOICE, .choices = roles},
    {.name = "return_to", .kind = FORM_TEXT, .max_bytes = SSO_RETURN_MAX_BYTES},
    {.name = "ttl", .kind = FORM_NUMBER, .min = 1, .max = SSO_TTL_MAX_S},
    /* who signs in in the user's place */
    {.name = "support", .kind = FORM_TEXT, .max_bytes = 400},
    /* of what is made */
    {.name = "account_name", .kind = FORM_TEXT, .max_bytes = 400},
    {.name = "email", .kind = FORM_EMAIL, .max_bytes = 254},
    /* the account is not made */
    {.name = "must_exist", .kind = FORM_CHECK},
};

const struct form_table fields_sso_link = {FORM_ROWS(specs)};

/* The customer is account and user at once. */
static const struct form_spec cpanel_specs[] = {
    {.name = "user", .kind = FORM_TEXT, .max_bytes = 400, .required = true},
    {.name = "return_to", .kind = FORM_TEXT, .max_bytes = SSO_RETURN_MAX_BYTES},
    {.name = "ttl", .kind = FORM_NUMBER, .min = 1, .max = SSO_TTL_MAX_S},
    /* who signs in in the customer's place */
    {.name = "support", .kind = FORM_TEXT, .max_bytes = 400},
    /* of what is made: the account's name, and the user's address */
    {.name = "domain", .kind = FORM_TEXT, .max_bytes = 400},
    {.name = "email", .kind = FORM_EMAIL, .max_bytes = 254},
};

const struct form_table fields_sso_cpanel = {FORM_ROWS(cpanel_specs)};

static struct sso_issuer issuer_of(const struct visit *v, bool may_create)
{
	bool is_all = v->is_installation;

	return (struct sso_issuer){
	    .name = v->issuer,
	    .account_id = is_all ? 0 : v->viewer.account_id,
	    .may_create_account = is_all && (v->scopes & SCOPE_ACCOUNTS_WRITE) != 0 && may_create,
	    .may_give_email = is_all,
	    .role_max = is_all ? ROLE_ADMIN : ROLE_MEMBER,
	    .token_id = v->token_id,
	    .user_id = v->viewer.user_id,
	};
}

static unsigned ttl_of(const struct form *f)
{
	const struct form_field *ttl = form_get(f, "ttl");

	return ttl->state == FORM_VALUE ? (unsigned)ttl->number : 0;
}

static struct sso_wish wish_of(const struct form *f)
{
	return (struct sso_wish){
	    .account = form_get(f, "account")->text,
	    .user = form_get(f, "user")->text,
	    .account_name = form_get(f, "account_name")->text,
	    .email = form_get(f, "email")->text,
	    .role = strcmp(form_get(f, "role")->text, "admin") == 0 ? ROLE_ADMIN : ROLE_MEMBER,
	    .return_to = form_get(f, "return_to")->text,
	    .ttl_s = ttl_of(f),
	    .support = form_get(f, "support")->text,
	};
}

/* A customer's token names nobody: what the customer did would stand in the audit log beside the provider's
 * staff. */
static enum err check_support(const struct visit *v, struct form *f)
{
	if (form_get(f, "support")->text[0] == '\0' || v->is_providers)
		return ERR_OK;
	form_refuse(
	    f, "support", "Only a token of the whole installation says who is there in a user’s place.");
	return ERR_INVALID;
}

/* What was wrong with the request, by its field. */
static void refuse_field(struct form *f, enum sso_refusal why)
{
	switch (why) {
	case SSO_BAD_ACCOUNT:
		form_refuse(f, "account", "Give the account’s external id: 1 to 100 characters.");
		break;
	case SSO_BAD_USER: form_refuse(f, "user", "Give the user’s external id: 1 to 100 characters."); break;
	case SSO_BAD_EMAIL: form_refuse(f, "email", "Give an e-mail address like name@example.org."); break;
	case SSO_BAD_TTL: form_refuse(f, "ttl", "A link works for 1 to 120 seconds."); break;
	default:
		form_refuse(f, "return_to",
		    "A path below /migration: plain letters, digits and “-._/”, then perhaps a query.");
		break;
	}
}

static enum err refuse(struct visit *v, enum err e, enum sso_refusal why)
{
	const char *reason = sso_refusal_text(why);

	/* who is not there, and who may not be signed in: the caller's own names, so it may know */
	visit_audit(v, "sso_refused", v->issuer, reason);
	page_error(v, &(struct page_error){.status = e == ERR_NOT_FOUND ? 404
						     : e == ERR_LIMIT   ? 409
									: 403,
			  .code = e == ERR_LIMIT ? "limit" : "sso",
			  .title = "No link was made",
			  .detail = arena_printf(v->arena, "Refused: %s.", reason)});
	return ERR_OK;
}

static void note(struct visit *v, const struct sso_wish *wish, const struct sso_issued *made)
{
	const char *who = wish->support != NULL && wish->support[0] != '\0'
			      ? arena_printf(v->arena, "%s, for %s", v->issuer, wish->support)
			      : v->issuer;
	const char *user = arena_printf(v->arena, "user %llu", (unsigned long long)made->user_id);

	if (made->is_new_account)
		visit_audit(v, "account_create",
		    arena_printf(v->arena, "account %llu", (unsigned long long)made->account_id),
		    arena_printf(v->arena, "by a link of %s", v->issuer));
	if (made->is_new_user)
		visit_audit(v, "user_create", user, arena_printf(v->arena, "by a link of %s", v->issuer));
	visit_audit(v, "sso_link", user, who);
}

static enum err show_made(struct visit *v, const struct sso_issued *made, const char *url)
{
	struct json_object *m = json_object_new_object();

	view_str(m, "url", url);
	view_moment(m, v->arena, "expires", made->expires_at, v->now_s);
	return page_json(v, 201, m);
}

/*
 * The link, noted in the audit trail.  ERR_INVALID: f says which field was wrong.  ERR_DENIED: the answer is
 * prepared.
 */
static enum err make(struct visit *v, struct form *f, const struct sso_issuer *by,
    const struct sso_wish *wish, struct sso_issued *made_r, const char **url_r)
{
	enum sso_refusal why = SSO_GRANTED;
	enum err e = sso_make(v->web, v->rq->secret, by, wish, made_r, url_r, &why);

	if (e == ERR_OK)
		note(v, wish, made_r);
	else if (e == ERR_INVALID)
		refuse_field(f, why);
	if (e != ERR_NOT_FOUND && e != ERR_DENIED && e != ERR_LIMIT)
		return e;
	e = refuse(v, e, why);
	return e == ERR_OK ? ERR_DENIED : e;
}

enum err page_sso_link_create(struct visit *v)
{
	struct sso_issued made = {0};
	const char *url = NULL;
	struct form f;
	enum err e = form_read(&f, v->rq->secret, &v->rq->body, FORM_ROWS(specs));

	if (e == ERR_OK)
		e = check_support(v, &f);
	if (e == ERR_OK) {
		struct sso_issuer by = issuer_of(v, !form_get(&f, "must_exist")->checked);
		struct sso_wish wish = wish_of(&f);

		e = make(v, &f, &by, &wish, &made, &url);
	}
	if (f.has_errors) {
		page_error(v, &(struct page_error){.status = 422,
				  .code = "form",
				  .detail = "The fields that “fields” names are not right. No link was made.",
				  .fields = form_problems(&f)});
		return ERR_OK;
	}
	if (e != ERR_OK)
		return e == ERR_DENIED ? ERR_OK : e;
	return show_made(v, &made, url);
}

/* What was wrong with the first field that was. */
static const char *first_error(struct visit *v, const struct form *f)
{
	for (unsigned i = 0; i < f->count; i++)
		if (f->fields[i].error != NULL)
			return arena_printf(v->arena, "%s: %s", f->fields[i].spec->name, f->fields[i].error);
	return "The request was not understood.";
}

enum err page_sso_cpanel(struct visit *v)
{
	struct sso_issuer by = issuer_of(v, true);
	struct sso_issued made = {0};
	const char *url = NULL;
	struct form f;
	enum err e = form_read(&f, v->rq->secret, &v->rq->body, FORM_ROWS(cpanel_specs));

	by.role_max = ROLE_MEMBER;
	if (e == ERR_OK)
		e = check_support(v, &f);
	if (e == ERR_OK) {
		const char *user = form_get(&f, "user")->text;
		struct sso_wish wish = {
		    /* a token of one account has no other */
		    .account = by.account_id == 0 ? user : NULL,
		    .user = user,
		    .account_name = form_get(&f, "domain")->text,
		    .email = form_get(&f, "email")->text,
		    .role = ROLE_MEMBER,
		    .return_to = form_get(&f, "return_to")->text,
		    .ttl_s = ttl_of(&f),
		    .support = form_get(&f, "support")->text,
		};

		/* there is no field for what would be wrong with the account: it is called the same */
		if (external_id_fits(user))
			e = make(v, &f, &by, &wish, &made, &url);
		else
			form_refuse(&f, "user", "Give the customer’s name: 1 to 100 characters.");
	}
	if (f.has_errors) {
		page_error(v, &(struct page_error){.status = 422, .detail = first_error(v, &f)});
		return ERR_OK;
	}
	if (e != ERR_OK)
		return e == ERR_DENIED ? ERR_OK : e;
	return page_json(v, 200, panel_view_link(url, made.expires_at));
}
