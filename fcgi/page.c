#include "fcgi/page.h"

#include "config.h"

#include <string.h>
#include <time.h>

#include "fcgi/url.h"
#include "fcgi/version.h"
#include "fcgi/view.h"
#include "lib/log.h"
#include "lib/template.h"

#define RECOVERY_LEFT(n) \
	{ \
		"recovery_left_" #n, "warning", \
		    "You signed in with a recovery code, which does not work again. Codes left: " #n \
		    ". New ones are made under Settings, Second factor." \
	}

/* What a "?notice=" may say: fixed texts, so that a link cannot put words into our mouth. */
static const struct {
	const char *code, *kind, *text;
} notices[] = {
    {"job_created", "success", "The job is queued. It starts when a slot is free."},
    {"job_exists", "info", "This job had been queued already; it was not queued twice."},
    {"job_cancelled", "success", "The job was cancelled before it started."},
    {"job_stopping", "success", "The job is being stopped. This takes ten seconds at most."},
    {"passwords_removed", "success",
	"The passwords are removed. To run the job again, they must be given again."},
    {"job_deleted", "success", "The job and its log are deleted."},
    {"job_changed", "success", "The job is changed. Run it again to use the new values."},
    {"job_changed_queued", "success", "The job is changed. It starts with the new values."},
    {"job_rerun", "success", "A new job is queued with the same mailboxes."},
    {"delete2_confirmed", "success",
	"The real run is queued. It deletes as many messages as were counted, or none."},
    {"bulk_limit", "warning",
	"Your account may have no more jobs queued, or made today. Go on with the rest when it may."},
    {"server_created", "success", "The server is added."},
    {"server_changed", "success", "The server is changed. Jobs that are queued use the new values."},
    {"settings_changed", "success", "Your settings are saved."},
    {"server_deleted", "success", "The server is deleted."},
    {"import_queued", "success", "The jobs are queued, in the order of the file."},
    {"import_exists", "info", "This import had been confirmed already; nothing was queued twice."},
    {"import_discarded", "success", "The import is discarded. Nothing of it is kept."},
    {"account_created", "success", "The account is made. Invite its first user."},
    {"account_changed", "success", "The account is changed. Its limits hold from now on."},
    {"account_suspended", "success", "The account is suspended. What ran is being stopped."},
    {"account_closed", "success", "The account is closed. Nobody can sign in for it."},
    {"account_resumed", "success", "The account is resumed. Its queued jobs start again."},
    {"user_mailed", "success",
	"A mail with a link is on its way to the user. This page tells what becomes of it."},
    {"user_changed", "success", "The role is changed, and the user signed out everywhere."},
    {"user_disabled", "success", "The user is disabled and signed out everywhere."},
    {"user_enabled", "success", "The user may sign in again."},
    {"user_external_ids", "success", "The external ids are changed."},
    {"user_signed_out", "success", "The user is signed out everywhere."},
    {"log_link_made", "success", "The link is made. Whoever has it can read this log, and nothing else."},
    {"log_link_revoked", "success", "The link is revoked. It works no more."},
    {"token_revoked", "success", "The token is revoked. It works no more."},
    {"second_factor_off", "success", "The second factor is off. Your password alone signs you in."},
    {"user_second_factor_off", "success", "The second factor is off. The password alone signs this user in."},
    {"code_over", "info", "That took too long, or was tried too often. Sign in again."},
    RECOVERY_LEFT(0),
    RECOVERY_LEFT(1),
    RECOVERY_LEFT(2),
    RECOVERY_LEFT(3),
    RECOVERY_LEFT(4),
    RECOVERY_LEFT(5),
    RECOVERY_LEFT(6),
    RECOVERY_LEFT(7),
    RECOVERY_LEFT(8),
    RECOVERY_LEFT(9),
    {"password_set", "success", "Your password is set. Sign in with it."},
    {"signed_out", "success", "You are signed out."},
    {"session_over", "info", "Your session is over. Sign in again to go on."},
};

struct json_object *page_notice(const char *kind, const char *text, const char *detail)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "kind", kind);
	view_bool(o, "is_error", strcmp(kind, "error") == 0);
	view_str(o, "text", text);
	view_str(o, "detail", detail);
	return o;
}

static void add_query_notice(const struct visit *v, struct json_object *list)
{
	const char *code = params_get(&v->rq->query, "notice");
	size_t i;

	for (i = 0; code != NULL && i < sizeof(notices) / sizeof(notices[0]); i++) {
		if (strcmp(notices[i].code, code) == 0)
			json_object_array_add(list, page_notice(notices[i].kind, notices[i].text, NULL));
	}
}

struct nav_item {
	const char *id, *label, *url;
};

static bool is_below(const struct visit *v, const char *url)
{
	size_t n = strlen(url);

	return strncmp(v->rq->path, url, n) == 0 && (v->rq->path[n] == '\0' || v->rq->path[n] == '/');
}

static void add_item(struct json_object *list, const struct nav_item *item, bool current)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "id", item->id);
	view_str(o, "label", item->label);
	view_str(o, "url", item->url);
	view_bool(o, "current", current);
	json_object_array_add(list, o);
}

/* What administrators alone see has a second row of its own, and is one word in the first. */
static const struct nav_item admin_items[] = {{"accounts", "Accounts", URL_ACCOUNTS},
    {"users", "Users", URL_USERS}, {"workers", "Workers", URL_WORKERS}, {"audit", "Audit log", URL_AUDIT}};

static bool is_admin_page(const struct visit *v)
{
	for (size_t i = 0; i < sizeof(admin_items) / sizeof(admin_items[0]); i++)
		if (is_below(v, admin_items[i].url))
			return v->signed_in && viewer_is_admin(&v->viewer);
	return false;
}

static struct json_object *navigation(const struct visit *v)
{
	static const struct nav_item items[] = {{"jobs", "Jobs", URL_JOBS},
	    {"batches", "Batches", URL_BATCHES}, {"import", "Import", URL_IMPORT},
	    {"servers", "Servers", URL_SERVERS}};
	static const struct nav_item tokens = {"tokens", "API", URL_TOKENS};
	static const struct nav_item settings = {"settings", "Settings", URL_SETTINGS};
	static const struct nav_item admin = {"admin", "Administration", URL_ACCOUNTS};
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; v->signed_in && i < sizeof(items) / sizeof(items[0]); i++)
		add_item(list, &items[i], is_below(v, items[i].url));
	if (v->signed_in)
		add_item(list, &tokens, is_below(v, URL_TOKENS));
	if (v->signed_in)
		add_item(list, &settings, is_below(v, URL_SETTINGS));
	if (v->signed_in && viewer_is_admin(&v->viewer))
		add_item(list, &admin, is_admin_page(v));
	return list;
}

static struct json_object *admin_navigation(const struct visit *v)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; is_admin_page(v) && i < sizeof(admin_items) / sizeof(admin_items[0]); i++)
		add_item(list, &admin_items[i], is_below(v, admin_items[i].url));
	return list;
}

static struct json_object *user(const struct visit *v)
{
	struct json_object *o;
	bool admin = v->viewer.role == ROLE_ADMIN;

	if (!v->signed_in)
		return NULL;
	o = json_object_new_object();
	view_str(o, "email", v->email);
	view_str(o, "role", admin ? "admin" : "member");
	view_str(o, "role_text", admin ? "Administrator" : "Member");
	view_bool(o, "is_admin", admin);
	return o;
}

/* Seconds of the offered meta refresh, or 0. */
static int refresh_s(const struct visit *v)
{
	const char *r = params_get(&v->rq->query, "refresh");

	return r != NULL && strcmp(r, "10") == 0 ? 10 : 0;
}

static struct json_object *frame(
    struct visit *v, const char *name, const char *title, struct json_object *list)
{
	struct json_object *p = json_object_new_object();
	char iso[32];
	time_t t = (time_t)v->now_s;
	struct tm tm;

	if (list == NULL)
		list = json_object_new_array();
	if (v->is_suspended)
		json_object_array_add(
		    list, page_notice("warning", "Your account is suspended.",
			      "You can look at everything, but start nothing. Jobs that are queued wait."));
	if (v->signed_in && v->support != NULL)
		json_object_array_add(
		    list, page_notice("warning",
			      arena_printf(v->arena, "%s is here in place of %s.", v->support, v->email),
			      "What is done is noted with both names. Sign out when you are done."));
	add_query_notice(v, list);
	view_str(p, "title", title);
	view_str(p, "id", name);
	view_str(p, "static", URL_STATIC);
	view_str(p, "version", PACKAGE_VERSION);
	view_str(p, "csrf", v->csrf);
	view_str(p, "request_id", v->rq->shown_id);
	view_str(p, "here_url", v->rq->uri);
	(void)strftime(iso, sizeof(iso), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
	view_str(p, "now_iso", iso);
	view_bool(p, "signed_in", v->signed_in);
	view_bool(p, "is_embedded", v->is_embedded);
	view_add(p, "user", user(v));
	view_add(p, "nav", navigation(v));
	view_add(p, "admin_nav", admin_navigation(v));
	view_bool(p, "has_admin_nav", is_admin_page(v));
	view_str(p, "logout_url", URL_LOGOUT);
	view_bool(p, "has_notices", json_object_array_length(list) > 0);
	view_add(p, "notices", list);
	view_add(p, "refresh_s", refresh_s(v) ? json_object_new_int(refresh_s(v)) : NULL);
	return p;
}

static void put_json(struct visit *v, const char *type, struct json_object *model)
{
	const char *text =
	    json_object_to_json_string_ext(model, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	buf_clear(&v->rs->body);
	buf_adds(&v->rs->body, text);
	v->rs->content_type = type;
}

enum err page_json(struct visit *v, unsigned status, struct json_object *model)
{
	put_json(v, "application/json", model);
	json_object_put(model);
	v->rs->status = status;
	if (status < 300 && version_finish(v)) {
		v->rs->status = 304;
		v->rs->content_type = NULL;
		buf_clear(&v->rs->body);
	}
	return ERR_OK;
}

enum err page_show_notices(struct visit *v, unsigned status, const char *name, const char *title,
    struct json_object *model, struct json_object *list)
{
	const char *file = arena_printf(v->arena, "%s.html", name);
	enum err e;

	if (v->rq->wants_json) {
		json_object_put(list);
		return page_json(v, status, model);
	}
	view_add(model, "page", frame(v, name, title, list));
	buf_clear(&v->rs->body);
	e = template_render(v->web->templates, file, model, &v->rs->body);
	json_object_put(model);
	if (e != ERR_OK) {
		log_warnx("template %s: %s: %s", file, err_text(e), template_error(v->web->templates));
		buf_clear(&v->rs->body);
		return ERR_INTERNAL;
	}
	v->rs->content_type = "text/html; charset=utf-8";
	v->rs->status = status;
	return ERR_OK;
}

enum err page_show(
    struct visit *v, unsigned status, const char *name, const char *title, struct json_object *model)
{
	return page_show_notices(v, status, name, title, model, NULL);
}

enum err page_redirect(struct visit *v, const char *url, const char *notice)
{
	v->rs->status = 303;
	v->rs->content_type = NULL;
	response_header(v->rs, "Location", url_with(v->arena, url, "notice", notice));
	return ERR_OK;
}

enum err page_done(
    struct visit *v, unsigned status, const char *url, const char *notice, struct json_object *model)
{
	if (!v->rq->wants_json) {
		json_object_put(model);
		return page_redirect(v, url, notice);
	}
	if (status == 201)
		response_header(v->rs, "Location",
		    v->rq->is_api ? arena_printf(v->arena, "/api/v1%s",
					strncmp(url, "/migration", 10) == 0 ? url + 10 : url)
				  : url);
	if (model != NULL)
		return page_json(v, status, model);
	v->rs->status = status;
	v->rs->content_type = NULL;
	return ERR_OK;
}

void page_add_form(struct json_object *model, const struct form *f)
{
	view_add(model, "form", form_json(f));
	view_str(model, "form_error", f->error);
	view_bool(model, "has_errors", f->has_errors);
}

enum err page_refused(
    struct visit *v, const char *name, const char *title, struct json_object *model, const struct form *f)
{
	if (v->rq->wants_json) {
		struct page_error pe = {
		    .status = 422, .code = "form", .fields = form_problems(f), .detail = f->error};

		json_object_put(model);
		page_error(v, &pe);
		return ERR_OK;
	}
	page_add_form(model, f);
	return page_show(v, 422, name, title, model);
}

enum err page_stale(
    struct visit *v, const char *name, const char *title, struct json_object *model, struct form *f)
{
	if (v->rq->wants_json) {
		json_object_put(model);
		version_refuse(v);
		return ERR_OK;
	}
	form_refuse(f, NULL, version_stale_text);
	page_add_form(model, f);
	return page_show(v, 412, name, title, model);
}
