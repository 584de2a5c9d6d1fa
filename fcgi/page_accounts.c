/* Accounts, for administrators: list, make, change, suspend. */
#include <string.h>

#include "fcgi/account_view.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/user_view.h"
#include "fcgi/view.h"
#include "lib/origin.h"
#include "sql/store_account.h"

enum { HOSTS_MAX_BYTES = 4000 };

static const struct form_spec specs[] = {
    {.name = "name", .kind = FORM_TEXT, .max_bytes = 400, .required = true},
    {.name = "external_id", .kind = FORM_TEXT, .max_bytes = 400},
    {.name = "max_queued", .kind = FORM_NUMBER, .min = 0, .max = ACCOUNT_LIMIT_MAX},
    {.name = "max_daily", .kind = FORM_NUMBER, .min = 0, .max = ACCOUNT_LIMIT_MAX},
    {.name = "panel_origins", .kind = FORM_TEXT, .max_bytes = HOSTS_MAX_BYTES},
    {.name = "hosts", .kind = FORM_TEXT, .max_bytes = HOSTS_MAX_BYTES},
    /* a script that makes it again gets it as it is */
    {.name = "may_exist", .kind = FORM_CHECK},
};

const struct form_table fields_account = {FORM_ROWS(specs)};

enum err page_accounts_list(struct visit *v)
{
	struct json_object *m, *list;
	const char *external = params_get(&v->rq->query, "external_id");
	struct account *accounts, one;
	size_t count;
	enum err e = external == NULL ? store_account_list(v->web->db, v->arena, &accounts, &count)
				      : store_account_by_external(v->web->db, v->arena, external, &one);

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

static enum err model_of(struct visit *v, const struct account *x, struct json_object **m_r)
{
	struct json_object *m = json_object_new_object();
	enum err e;

	view_add(m, "account", x ? account_view(v, x) : NULL);
	view_bool(m, "is_new", x == NULL);
	view_bool(m, "is_closed", x != NULL && x->closed_at != 0);
	view_str(m, "action_url", x ? url_account(v->arena, x->id, NULL) : URL_ACCOUNTS);
	view_str(m, "list_url", URL_ACCOUNTS);
	view_str(m, "invite_url", x ? url_with_number(v->arena, URL_USERS "/new", "account", x->id) : NULL);
	e = add_users(v, m, x);
	if (e != ERR_OK) {
		json_object_put(m);
		return e;
	}
	*m_r = m;
	return ERR_OK;
}

static enum err show(struct visit *v, unsigned status, const struct account *x, const struct form *f)
{
	struct json_object *m = NULL;
	enum err e = model_of(v, x, &m);
	const char *title = x ? x->name : "New account";

	if (e != ERR_OK)
		return e;
	if (status == 422)
		return page_refused(v, "account_form", title, m, f);
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
	form_set(&f, "external_id", x.external_id);
	form_set(&f, "panel_origins", x.panel_origins);
	form_set(&f, "hosts", joined(v->arena, hosts, count));
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

static enum err show_saved(struct visit *v, unsigned status, const struct account *x, const char *notice)
{
	struct json_object *m = json_object_new_object();

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
	    .external_id = form_get(&f, "external_id")->text,
	    .max_queued = limit_of(&f, "max_queued"),
	    .max_daily = limit_of(&f, "max_daily"),
	    .panel_origins = origins.len > 0 ? origins.data : NULL};
	split_hosts(v, form_get(&f, "hosts")->text, &fields);
	e = store_account_save(v->web->db, &v->viewer, &id, &fields);
	if (e == ERR_CONFLICT && x == NULL && form_get(&f, "may_exist")->checked &&
	    store_account_by_external(v->web->db, v->arena, fields.external_id, &saved) == ERR_OK)
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
