/* Accounts, for administrators: list, make, change, suspend. */
#include <string.h>

#include "fcgi/account_view.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/version.h"
#include "fcgi/user_view.h"
#include "fcgi/view.h"
#include "lib/origin.h"
#include "sql/store_account.h"

enum { HOSTS_MAX_BYTES = 4000, NAMES_MAX_BYTES = 8000 };

static const struct form_spec specs[] = {
    {.name = "name", .kind = FORM_TEXT, .max_bytes = 400, .required = true},
    /* of one issuer: a token's own; who is signed in names it, or gives all, a line each */
    {.name = "external_id", .kind = FORM_TEXT, .max_bytes = 400},
    {.name = "issuer", .kind = FORM_TEXT, .max_bytes = ISSUER_MAX_BYTES},
    {.name = "external_ids", .kind = FORM_LINES, .max_bytes = NAMES_MAX_BYTES},
    {.name = "max_running", .kind = FORM_NUMBER, .min = 1, .max = ACCOUNT_LIMIT_MAX},
    {.name = "max_queued", .kind = FORM_NUMBER, .min = 0, .max = ACCOUNT_LIMIT_MAX},
    {.name = "max_daily", .kind = FORM_NUMBER, .min = 0, .max = ACCOUNT_LIMIT_MAX},
    {.name = "panel_origins", .kind = FORM_TEXT, .max_bytes = HOSTS_MAX_BYTES},
    {.name = "notify_email", .kind = FORM_EMAIL, .max_bytes = 254},
    {.name = "hosts", .kind = FORM_TEXT, .max_bytes = HOSTS_MAX_BYTES},
    {.name = "may_delete2", .kind = FORM_CHECK},
    {.name = "may_delete2_present", .kind = FORM_CHECK},
    /* a script that makes it again gets it as it is */
    {.name = "may_exist", .kind = FORM_CHECK},
    VERSION_FIELD,
};

const struct form_table fields_account = {FORM_ROWS(specs)};

/* Whose external id is meant when issuer (may be NULL) is asked for; NULL: a token asks for another's. */
static const char *issuer_of(const struct visit *v, const char *issuer)
{
	if (issuer == NULL || issuer[0] == '\0')
		return v->issuer != NULL ? v->issuer : ISSUER_LOCAL;
	return v->issuer == NULL || strcmp(v->issuer, issuer) == 0 ? issuer : NULL;
}

enum err page_accounts_list(struct visit *v)
{
	struct json_object *m, *list;
	const char *external = params_get(&v->rq->query, "external_id");
	const char *issuer = issuer_of(v, params_get(&v->rq->query, "issuer"));
	struct account *accounts, one;
	size_t count;
	enum err e;

	if (issuer == NULL)
		return ERR_INVALID;
	e = external == NULL ? store_account_list(v->web->db, v->arena, &accounts, &count)
			     : store_account_by_external(v->web->db, v->arena, issuer, external, &one);

	if (external != NULL && (e == ERR_OK || e == ERR_NOT_FOUND)) {
		accounts = &one;
		count = e == ERR_OK;
		e = ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	m = json_object_new_object();
	list = json_object_new_array();
	for (size_t i = 0; i < count; i++)
		json_object_array_add(list, account_view(v, &accounts[i]));
	view_add(m, "accounts", list);
	view_str(m, "new_url", URL_ACCOUNTS "/new");
	return page_show(v, 200, "accounts_list", "Accounts", m);
}

/* The account's page: its form, and its users.  x NULL: a new one. */
static enum err add_users(struct visit *v, struct json_object *m, const struct account *x)
{
	struct json_object *list = json_object_new_array();
	struct user *users;
	size_t count = 0;
	enum err e = x != NULL ? store_user_list(v->web->db, v->arena, x->id, &users, &count) : ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < count; i++)
		json_object_array_add(list, user_view(v, &users[i]));
	view_add(m, "people", list);
	view_bool(m, "has_people", count > 0);
	return e;
}

static enum err model_of(struct visit *v, const struct account *x, bool is_stale, struct json_object **m_r)
{
	struct json_object *m = json_object_new_object();
	const char *version = NULL;
	enum err e;

	view_add(m, "account", x ? account_view(v, x) : NULL);
	view_bool(m, "is_new", x == NULL);
	view_bool(m, "is_closed", x != NULL && x->closed_at != 0);
	view_str(m, "action_url", x ? url_account(v->arena, x->id, NULL) : URL_ACCOUNTS);
	view_str(m, "list_url", URL_ACCOUNTS);
	view_str(m, "invite_url", x ? url_with_number(v->arena, URL_USERS "/new", "account", x->id) : NULL);
	e = add_users(v, m, x);
	if (e == ERR_OK && x != NULL)
		e = store_account_version(v->web->db, v->arena, x, &version);
	version_add(v, m, version, is_stale);
	if (version != NULL)
		version_tell(v, version);
	if (e != ERR_OK) {
		json_object_put(m);
		return e;
	}
	*m_r = m;
	return ERR_OK;
}

static enum err show(struct visit *v, unsigned status, const struct account *x, struct form *f)
{
	struct json_object *m = NULL;
	enum err e = model_of(v, x, status == 412, &m);
	const char *title = x ? x->name : "New account";

	if (e != ERR_OK)
		return e;
	if (status == 422)
		return page_refused(v, "account_form", title, m, f);
	if (status == 412)
		return page_stale(v, "account_form", title, m, f);
	page_add_form(m, f);
	return page_show(v, status, "account_form", title, m);
}

enum err page_account_new(struct visit *v)
{
	struct form f;

	form_blank(&f, v->arena, FORM_ROWS(specs));
	return show(v, 200, NULL, &f);
}

static const char *joined(struct arena *a, const char *const *hosts, size_t count)
{
	AUTO_BUF struct buf b = BUF_INIT;

	for (size_t i = 0; i < count; i++)
		buf_addf(&b, "%s%s", i > 0 ? ", " : "", hosts[i]);
	return arena_strndup(a, b.len > 0 ? b.data : "", b.len);
}

static void set_limit(struct form *f, struct arena *a, const char *name, int64_t limit)
{
	if (limit >= 0)
		form_set_number(f, a, name, (uint64_t)limit);
}

enum err page_account_show(struct visit *v)
{
	const char *const *hosts;
	struct account x;
	struct form f;
	size_t count = 0;
	enum err e = store_account_get(v->web->db, v->arena, v->id, &x);

	if (e == ERR_OK)
		e = store_account_hosts(v->web->db, v->arena, v->id, &hosts, &count);
	if (e != ERR_OK)
		return e;
	form_blank(&f, v->arena, FORM_ROWS(specs));
	form_set(&f, "name", x.name);
	form_set(&f, "external_ids", x.external_ids);
	form_set(&f, "panel_origins", x.panel_origins);
	form_set(&f, "notify_email", x.notify_email);
	form_set(&f, "hosts", joined(v->arena, hosts, count));
	form_set_check(&f, "may_delete2", x.may_delete2);
	set_limit(&f, v->arena, "max_running", x.max_running > 0 ? x.max_running : -1);
	set_limit(&f, v->arena, "max_queued", x.max_queued);
	set_limit(&f, v->arena, "max_daily", x.max_daily);
	return show(v, 200, &x, &f);
}

static int64_t limit_of(const struct form *f, const char *name)
{
	const struct form_field *field = form_get(f, name);

	return field->state == FORM_VALUE ? (int64_t)field->number : -1;
}

/* Words parted by commas or blanks. */
static void split_hosts(struct visit *v, const char *text, struct account_fields *fields)
{
	char *copy = arena_strdup(v->arena, text), *save = NULL;
	const char **list = arena_array(v->arena, strlen(text) / 2 + 1, sizeof(*list));
	size_t n = 0;

	for (char *one = strtok_r(copy, ", ;", &save); one != NULL; one = strtok_r(NULL, ", ;", &save))
		list[n++] = one;
	fields->hosts = list;
	fields->host_count = n;
}

/* What issuers call it from now on. */
static void read_names(struct visit *v, struct form *f, struct account_fields *fields)
{
	const struct form_field *id = form_get(f, "external_id"), *all = form_get(f, "external_ids");
	const char *issuer = issuer_of(v, form_get(f, "issuer")->text), *bad = NULL;
	struct external *list = NULL;

	if (issuer == NULL || !external_issuer_fits(issuer))
		form_refuse(
		    f, "issuer", "Small letters, digits and “-”; a token’s own is the only one it has.");
	else if (v->issuer != NULL && params_get(&v->rq->body, "external_ids") != NULL)
		form_refuse(f, "external_ids", "A token gives its own issuer’s: “external_id”.");
	else if (v->issuer != NULL || id->state == FORM_VALUE) {
		fields->issuer = issuer;
		fields->external_id = id->text;
	} else if (params_get(&v->rq->body, "external_ids") != NULL &&
		   external_parse(v->arena, all->text, &list, &fields->external_count, &bad) != ERR_OK)
		form_refuse(f, "external_ids",
		    arena_printf(v->arena,
			"“%s” is not an issuer and an id with a blank between, or there are more than %d "
			"lines.",
			bad, EXTERNALS_MAX));
	fields->externals = list;
}

/* NULL: nothing is said of it.  A token can take it away, and only a person can give it. */
static const bool *read_may_delete2(struct visit *v, struct form *f, const struct account *x)
{
	const struct form_field *field = form_get(f, "may_delete2");

	if (!form_says(f, "may_delete2"))
		return NULL;
	if (field->checked && v->token_id != 0 && (x == NULL || !x->may_delete2))
		form_refuse(
		    f, "may_delete2", "An administrator who is signed in can allow this, a token cannot.");
	return &field->checked;
}

static void note_may_delete2(struct visit *v, const struct account *before, const struct account *now)
{
	if (now->may_delete2 != (before != NULL && before->may_delete2))
		account_note(v, now->may_delete2 ? "account_delete2_allow" : "account_delete2_forbid",
		    now->id, now->name);
}

static enum err show_saved(struct visit *v, unsigned status, const struct account *x, const char *notice)
{
	struct json_object *m = json_object_new_object();
	const char *version;

	if (store_account_version(v->web->db, v->arena, x, &version) == ERR_OK)
		version_tell(v, version);
	view_add(m, "account", account_view(v, x));
	return page_done(v, status, url_account(v->arena, x->id, NULL), notice, m);
}

/* x NULL: a new one. */
static enum err save(struct visit *v, const struct account *x)
{
	AUTO_BUF struct buf origins = BUF_INIT;
	struct account_fields fields;
	uint64_t id = x ? x->id : 0;
	struct account saved;
	struct form f;
	enum err e = form_read(&f, v->arena, &v->rq->body, FORM_ROWS(specs));

	if (e == ERR_OK && origin_list_add(&origins, form_get(&f, "panel_origins")->text) != ERR_OK) {
		form_refuse(&f, "panel_origins",
		    "Addresses as https://panel.example.org:2222, without a path, with commas between them.");
		e = ERR_INVALID;
	}
	if (e != ERR_OK)
		return show(v, 422, x, &f);
	fields = (struct account_fields){.name = form_get(&f, "name")->text,
	    .max_running = limit_of(&f, "max_running") > 0 ? limit_of(&f, "max_running") : 0,
	    .max_queued = limit_of(&f, "max_queued"),
	    .max_daily = limit_of(&f, "max_daily"),
	    .panel_origins = origins.len > 0 ? origins.data : NULL,
	    .notify_email = form_get(&f, "notify_email")->text,
	    .if_version = x ? version_wanted(v) : NULL};
	split_hosts(v, form_get(&f, "hosts")->text, &fields);
	read_names(v, &f, &fields);
	fields.may_delete2 = read_may_delete2(v, &f, x);
	if (f.has_errors)
		return show(v, 422, x, &f);
	e = store_account_save(v->web->db, &v->viewer, &id, &fields);
	if (e == ERR_STALE) {
		e = store_account_get(v->web->db, v->arena, id, &saved);
		return e == ERR_OK ? show(v, 412, &saved, &f) : e;
	}
	if (e == ERR_CONFLICT && x == NULL && form_get(&f, "may_exist")->checked && fields.issuer != NULL &&
	    store_account_by_external(v->web->db, v->arena, fields.issuer, fields.external_id, &saved) ==
		ERR_OK)
		return show_saved(v, 200, &saved, NULL);
	if (e == ERR_CONFLICT)
		form_refuse(&f, "name", "There is an account of this name, or of this external id, already.");
	else if (e == ERR_INVALID)
		form_refuse(&f, "hosts",
		    "Host names with commas between them, “*.” in front for all of a domain, 50 at most.");
	else if (e != ERR_OK)
		return e;
	if (f.has_errors)
		return show(v, 422, x, &f);
	account_note(v, x ? "account_update" : "account_create", id, fields.name);
	e = store_account_get(v->web->db, v->arena, id, &saved);
	if (e != ERR_OK)
		return e;
	note_may_delete2(v, x, &saved);
	return show_saved(v, x ? 200 : 201, &saved, x ? "account_changed" : "account_created");
}

enum err page_account_create(struct visit *v)
{
	return save(v, NULL);
}

enum err page_account_update(struct visit *v)
{
	struct account x;
	enum err e = store_account_get(v->web->db, v->arena, v->id, &x);

	return e == ERR_OK ? save(v, &x) : e;
}
