/* API tokens: list, make, revoke. */
#include <string.h>

#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "lib/token.h"
#include "sql/store_external.h"
#include "sql/store_token.h"

static const struct form_spec specs[] = {
    {.name = "name", .kind = FORM_TEXT, .max_bytes = 400, .required = true},
    {.name = "jobs_read", .kind = FORM_CHECK},
    {.name = "jobs_write", .kind = FORM_CHECK},
    {.name = "servers_write", .kind = FORM_CHECK},
    {.name = "accounts_write", .kind = FORM_CHECK},
    {.name = "sso_create", .kind = FORM_CHECK},
    {.name = "installation", .kind = FORM_CHECK},
    {.name = "issuer", .kind = FORM_TEXT, .max_bytes = ISSUER_MAX_BYTES},
    {.name = "days", .kind = FORM_NUMBER, .min = 1, .max = TOKEN_DAYS_MAX},
    {.name = "networks", .kind = FORM_TEXT, .max_bytes = 2000},
};

/* By the bit of its scope. */
static const struct {
	const char *field, *label, *hint;
} rights[SCOPE_COUNT] = {
    {"jobs_read", "Read jobs", "Lists, progress, logs, batches, imports."},
    {"jobs_write", "Change jobs", "Queue, import, edit, cancel, run again, delete."},
    {"servers_write", "Change servers", "Read, add, edit, test and delete them."},
    {"accounts_write", "Administer", "Accounts, users, workers, the audit log; for the installation alone."},
    {"sso_create", "Sign others in", "Make links that sign in the users of your control panel."},
};

static struct json_object *token_view(const struct visit *v, const struct api_token *t)
{
	struct json_object *o = json_object_new_object();
	struct arena *a = v->arena;

	view_int(o, "id", (int64_t)t->id);
	view_str(o, "name", t->name);
	view_str(o, "scopes", scope_list(a, t->scopes));
	view_str(o, "issuer", t->issuer);
	view_bool(o, "is_installation", t->is_installation);
	view_str(o, "account_name", t->account_name);
	view_str(o, "email", t->email);
	view_str(o, "networks", t->networks);
	view_str(o, "last_address", t->last_address);
	view_moment(o, a, "created", t->created_at, v->now_s);
	view_moment(o, a, "expires", t->expires_at, v->now_s);
	view_moment(o, a, "last_used", t->last_used_at, v->now_s);
	view_moment(o, a, "revoked", t->revoked_at, v->now_s);
	view_bool(o, "is_expired", t->is_expired);
	view_bool(o, "is_active", t->revoked_at == 0 && !t->is_expired);
	view_str(o, "revoke_url", url_token(a, t->id, "revoke"));
	return o;
}

static struct json_object *scope_options(const struct visit *v, const struct form *f)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < SCOPE_COUNT; i++) {
		struct json_object *o;

		if (1u << i == SCOPE_ACCOUNTS_WRITE && !viewer_is_admin(&v->viewer))
			continue;
		o = json_object_new_object();
		view_str(o, "value", rights[i].field);
		view_str(o, "label", rights[i].label);
		view_str(o, "hint", rights[i].hint);
		view_str(o, "scope", scope_name(1u << i));
		view_bool(o, "selected", form_get(f, rights[i].field)->checked);
		json_object_array_add(list, o);
	}
	return list;
}

static enum err model_of(struct visit *v, const struct form *f, struct json_object **m_r)
{
	struct json_object *m, *list;
	struct api_token *tokens;
	size_t count;
	enum err e = store_token_list(v->web->db, v->arena, &v->viewer, &tokens, &count);

	if (e != ERR_OK)
		return e;
	m = json_object_new_object();
	list = json_object_new_array();
	for (size_t i = 0; i < count; i++)
		json_object_array_add(list, token_view(v, &tokens[i]));
	view_add(m, "tokens", list);
	view_bool(m, "has_tokens", count > 0);
	view_add(m, "scope_options", scope_options(v, f));
	view_bool(m, "can_install", viewer_is_admin(&v->viewer));
	view_bool(m, "can_make", v->support == NULL);
	view_str(m, "action_url", URL_TOKENS);
	view_str(m, "description_url", "/api/v1/openapi.json");
	*m_r = m;
	return ERR_OK;
}

enum err page_tokens_list(struct visit *v)
{
	struct json_object *m = NULL;
	struct form f;
	enum err e;

	form_blank(&f, v->arena, FORM_ROWS(specs));
	form_set_check(&f, "jobs_read", true);
	form_set_number(&f, v->arena, "days", 365);
	e = model_of(v, &f, &m);
	if (e != ERR_OK)
		return e;
	page_add_form(m, &f);
	return page_show(v, 200, "tokens_list", "API tokens", m);
}

static void read_fields(const struct visit *v, struct form *f, struct api_token_fields *t)
{
	*t = (struct api_token_fields){.name = form_get(f, "name")->text,
	    .is_installation = form_get(f, "installation")->checked,
	    .issuer = form_get(f, "issuer")->text,
	    .networks = form_get(f, "networks")->text,
	    .days = form_get(f, "days")->state == FORM_VALUE ? (unsigned)form_get(f, "days")->number : 0};
	for (unsigned i = 0; i < SCOPE_COUNT; i++)
		t->scopes |= form_get(f, rights[i].field)->checked ? 1u << i : 0;
	if (t->scopes == 0)
		form_refuse(f, NULL, "Choose at least one thing the token may do.");
	if (t->is_installation && !viewer_is_admin(&v->viewer))
		form_refuse(f, NULL, "Only an administrator makes tokens for the whole installation.");
	else if (!t->is_installation && (t->scopes & SCOPE_ACCOUNTS_WRITE))
		form_refuse(f, NULL, "Administering needs a token for the whole installation.");
	else if (t->issuer[0] != '\0' && !viewer_is_admin(&v->viewer))
		form_refuse(f, "issuer", "Only an administrator chooses this.");
	else if (t->issuer[0] != '\0' && !store_token_issuer_fits(t->issuer))
		form_refuse(f, "issuer",
		    "Small letters, digits and “-”; not “local”, nor anything that begins with “account-”.");
}

static enum err show_made(struct visit *v, uint64_t id, const struct api_token_fields *t, const char *text)
{
	struct json_object *m = json_object_new_object();

	view_int(m, "id", (int64_t)id);
	view_str(m, "name", t->name);
	view_str(m, "scopes", scope_list(v->arena, t->scopes));
	view_str(m, "token", text);
	view_str(m, "list_url", URL_TOKENS);
	return page_show(v, 201, "token_made", t->name, m);
}

static enum err refuse_support(struct visit *v)
{
	page_error(
	    v, &(struct page_error){.status = 403,
		   .code = "support",
		   .title = "You are here in somebody’s place",
		   .detail = "A token would go on acting for them when you have left, without your name. "
			     "None was made.",
		   .action = "Let them make it themselves.",
		   .link_url = URL_TOKENS,
		   .link_label = "Back to the tokens"});
	return ERR_OK;
}

enum err page_token_create(struct visit *v)
{
	char *text = arena_alloc(v->rq->secret, strlen(API_TOKEN_PREFIX) + TOKEN_HEX_LEN + 1);
	unsigned char hash[TOKEN_HASH_BYTES];
	struct json_object *m = NULL;
	struct api_token_fields t;
	struct form f;
	uint64_t id = 0;
	enum err e = form_read(&f, v->arena, &v->rq->body, FORM_ROWS(specs));

	if (v->support != NULL)
		return refuse_support(v);
	if (e == ERR_OK)
		read_fields(v, &f, &t);
	if (!f.has_errors) {
		memcpy(text, API_TOKEN_PREFIX, strlen(API_TOKEN_PREFIX));
		token_new(text + strlen(API_TOKEN_PREFIX));
		token_hash(text, strlen(text), hash);
		e = store_token_create(v->web->db, &v->viewer, &t, hash, &id);
		if (e == ERR_INVALID)
			form_refuse(
			    &f, "networks", "Networks as 192.0.2.0/24 or 2001:db8::/32, commas between.");
		else if (e != ERR_OK)
			return e;
	}
	if (f.has_errors) {
		e = model_of(v, &f, &m);
		return e == ERR_OK ? page_refused(v, "tokens_list", "API tokens", m, &f) : e;
	}
	visit_audit(v, "token_create", arena_printf(v->arena, "token %llu", (unsigned long long)id),
	    arena_printf(v->arena, "%s: %s", t.name, scope_list(v->arena, t.scopes)));
	return show_made(v, id, &t, text);
}

enum err page_token_revoke(struct visit *v)
{
	enum err e = store_token_revoke(v->web->db, &v->viewer, v->id);

	if (e != ERR_OK)
		return e;
	visit_audit(v, "token_revoke", arena_printf(v->arena, "token %llu", (unsigned long long)v->id), NULL);
	return page_done(v, 204, URL_TOKENS, "token_revoked", NULL);
}
