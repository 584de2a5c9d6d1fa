#include "fcgi/server_form.h"

#include <string.h>

#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/security_view.h"
#include "fcgi/url.h"
#include "fcgi/version.h"
#include "fcgi/view.h"
#include "lib/conf.h"
#include "lib/portlist.h"

/* user, password and how to sign in are for the test alone, and never stored. */
static const struct form_spec specs[] = {
    {.name = "authmech", .kind = FORM_TEXT, .max_bytes = 40},
    {.name = "authuser", .kind = FORM_TEXT, .max_bytes = 255},
    {.name = "name", .kind = FORM_TEXT, .max_bytes = 100, .required = true},
    {.name = "host", .kind = FORM_HOST, .max_bytes = 253, .required = true},
    {.name = "port", .kind = FORM_NUMBER, .min = 1, .max = 65535, .required = true},
    {.name = "security", .kind = FORM_CHOICE, .choices = security_choices, .required = true},
    {.name = "verify", .kind = FORM_CHECK},
    {.name = "shared", .kind = FORM_CHECK},
    {.name = "user", .kind = FORM_TEXT, .max_bytes = 255},
    {.name = "password", .kind = FORM_PASSWORD, .max_bytes = FORM_SECRET_MAX_BYTES},
    VERSION_FIELD,
};

enum { OF_TEST_ALONE = 2 };

/* of a new one there is no version yet */
const struct form_table fields_server = {specs + OF_TEST_ALONE, FORM_COUNT(specs) - OF_TEST_ALONE - 1},
			fields_server_edit = {specs + OF_TEST_ALONE, FORM_COUNT(specs) - OF_TEST_ALONE},
			fields_server_test = {specs, FORM_COUNT(specs) - 1};

/* Public IMAP settings as the providers publish them. */
static const struct {
	const char *id, *label, *host;
	unsigned port;
	const char *security;
} presets[] = {
    {"gmail", "Gmail, Google Workspace", "imap.gmail.com", 993, "tls"},
    {"microsoft365", "Microsoft 365, Outlook.com", "outlook.office365.com", 993, "tls"},
    {"icloud", "iCloud Mail", "imap.mail.me.com", 993, "tls"},
    {"yahoo", "Yahoo Mail", "imap.mail.yahoo.com", 993, "tls"},
    {"fastmail", "Fastmail", "imap.fastmail.com", 993, "tls"},
    {"gmx", "GMX", "imap.gmx.net", 993, "tls"},
    {"webde", "WEB.DE", "imap.web.de", 993, "tls"},
    {"ionos", "IONOS", "imap.ionos.com", 993, "tls"},
    {"zoho", "Zoho Mail", "imap.zoho.com", 993, "tls"},
};

struct json_object *server_view(const struct visit *v, const struct server *s)
{
	struct json_object *o = json_object_new_object();
	struct arena *a = v->arena;

	view_int(o, "id", (int64_t)s->id);
	view_str(o, "name", s->name);
	view_str(o, "host", s->host);
	view_int(o, "port", s->port);
	view_str(o, "security", security_name(s->security));
	view_str(o, "security_text", security_text(s->security));
	view_bool(o, "verify", s->verify);
	view_bool(o, "shared", s->account_id == 0);
	view_bool(o, "is_mine", s->account_id == v->viewer.account_id);
	view_bool(o, "can_edit", s->can_edit);
	view_bool(o, "can_delete", s->can_edit && s->jobs_active == 0);
	view_str(o, "url", url_server(a, s->id, NULL));
	view_str(o, "delete_url", url_server(a, s->id, "delete"));
	view_str(o, "test_url", URL_SERVERS_TEST);
	view_count(o, a, "jobs_active", s->jobs_active, s->jobs_active > 0);
	view_moment(o, a, "created", s->created_at, v->now_s);
	return o;
}

void server_form_blank(const struct visit *v, struct form *f)
{
	form_blank(f, v->rq->secret, FORM_ROWS(specs));
	form_set(f, "security", "tls");
	form_set_number(f, v->arena, "port", 993);
	form_set_check(f, "verify", true);
	form_set_check(f, "shared", false);
}

void server_form_fill(const struct visit *v, struct form *f, const struct server *s)
{
	form_blank(f, v->rq->secret, FORM_ROWS(specs));
	form_set(f, "name", s->name);
	form_set(f, "host", s->host);
	form_set_number(f, v->arena, "port", s->port);
	form_set(f, "security", security_name(s->security));
	form_set_check(f, "verify", s->verify);
	form_set_check(f, "shared", s->account_id == 0);
}

void server_form_preset(struct form *f, struct arena *a, const char *id)
{
	size_t i;

	for (i = 0; id != NULL && i < sizeof(presets) / sizeof(presets[0]); i++) {
		if (strcmp(presets[i].id, id) != 0)
			continue;
		form_set(f, "name", presets[i].label);
		form_set(f, "host", presets[i].host);
		form_set_number(f, a, "port", presets[i].port);
		form_set(f, "security", presets[i].security);
	}
}

static enum err take_fields(const struct form *f, struct server_fields *fields_r)
{
	fields_r->name = form_get(f, "name")->text;
	fields_r->host = form_get(f, "host")->text;
	fields_r->port = (unsigned)form_get(f, "port")->number;
	fields_r->verify = form_get(f, "verify")->checked;
	fields_r->shared = form_get(f, "shared")->checked;
	fields_r->if_version = NULL;
	return security_parse(form_get(f, "security")->text, &fields_r->security);
}

enum err server_form_check_port(const struct visit *v, struct form *f, const char *field, unsigned port)
{
	const struct conf_list *ports = &v->web->conf->member_ports;
	const char *all = "";

	if (viewer_is_admin(&v->viewer) ||
	    portlist_has((const char *const *)ports->items, ports->count, port))
		return ERR_OK;
	for (size_t i = 0; i < ports->count; i++)
		all = arena_printf(v->arena, "%s%s%s", all, i > 0 ? ", " : "", ports->items[i]);
	form_refuse(f, field,
	    arena_printf(v->arena,
		"Port %u is not open to servers of your own, only these: %s. Ask the administrator for "
		"another.",
		port, ports->count > 0 ? all : "none"));
	return ERR_INVALID;
}

enum err server_form_read(const struct visit *v, struct form *f, struct server_fields *fields_r)
{
	enum err e = form_read(f, v->rq->secret, &v->rq->body, FORM_ROWS(specs));

	if (form_get(f, "shared")->checked && !viewer_is_admin(&v->viewer)) {
		form_refuse(f, "shared", "Only an administrator can share a server with all.");
		e = ERR_INVALID;
	}
	if (e == ERR_OK)
		e = server_form_check_port(v, f, "port", (unsigned)form_get(f, "port")->number);
	return e == ERR_OK ? take_fields(f, fields_r) : e;
}

enum err server_form_read_test(
    const struct visit *v, struct form *f, const struct server *known, struct server_fields *fields_r)
{
	const struct params *body = &v->rq->body;
	enum err e = form_read(f, v->rq->secret, body, FORM_ROWS(specs));

	if (known != NULL && (params_get(body, "host") == NULL || !known->can_edit)) {
		struct form typed = *f;

		server_form_fill(v, f, known);
		*form_get(f, "user") = *form_get(&typed, "user");
		*form_get(f, "password") = *form_get(&typed, "password");
		*form_get(f, "authmech") = *form_get(&typed, "authmech");
		*form_get(f, "authuser") = *form_get(&typed, "authuser");
		e = ERR_OK;
	} else if (form_get(f, "name")->state != FORM_VALUE) {
		form_forgive(f, "name");
		e = f->has_errors ? ERR_INVALID : ERR_OK;
	}
	return e == ERR_OK ? take_fields(f, fields_r) : e;
}

static struct json_object *preset_list(const struct visit *v, const struct form *f)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
		struct json_object *o = json_object_new_object();

		view_str(o, "id", presets[i].id);
		view_str(o, "label", presets[i].label);
		view_str(o, "host", presets[i].host);
		view_int(o, "port", presets[i].port);
		view_str(o, "security", presets[i].security);
		view_str(o, "url", url_with(v->arena, URL_SERVERS_NEW, "preset", presets[i].id));
		view_bool(o, "selected", strcmp(form_get(f, "host")->text, presets[i].host) == 0);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *model_of(
    const struct visit *v, const struct server *s, const struct form *f, bool is_stale)
{
	struct json_object *m = json_object_new_object();

	view_add(m, "server", s ? server_view(v, s) : NULL);
	view_bool(m, "is_new", s == NULL);
	view_add(m, "security_options", security_options(form_get(f, "security")->text));
	view_bool(m, "can_share", viewer_is_admin(&v->viewer));
	view_bool(m, "can_edit", s == NULL || s->can_edit);
	view_add(m, "presets", s == NULL ? preset_list(v, f) : json_object_new_array());
	view_str(m, "action_url", s ? url_server(v->arena, s->id, NULL) : URL_SERVERS);
	view_str(m, "test_url", URL_SERVERS_TEST);
	view_str(m, "delete_url", s && s->can_edit ? url_server(v->arena, s->id, "delete") : NULL);
	view_str(m, "list_url", URL_SERVERS);
	view_add(m, "server_id", s ? json_object_new_int64((int64_t)s->id) : NULL);
	view_null(m, "test");
	version_add(v, m, s ? s->version : NULL, is_stale);
	return m;
}

static const char *title_of(const struct server *s)
{
	return s ? s->name : "New server";
}

enum err server_form_show(
    struct visit *v, unsigned status, const struct server *s, const struct form *f, struct json_object *test)
{
	struct json_object *m = model_of(v, s, f, false);

	page_add_form(m, f);
	view_add(m, "test", test);
	return page_show(v, status, "server_form", title_of(s), m);
}

enum err server_form_refused(struct visit *v, const struct server *s, const struct form *f)
{
	return page_refused(v, "server_form", title_of(s), model_of(v, s, f, false), f);
}

enum err server_form_stale(struct visit *v, const struct server *s, struct form *f)
{
	return page_stale(v, "server_form", title_of(s), model_of(v, s, f, true), f);
}
