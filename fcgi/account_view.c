#include "fcgi/account_view.h"

#include <string.h>

#include "fcgi/url.h"
#include "fcgi/view.h"

void account_note(struct visit *v, const char *action, uint64_t id, const char *detail)
{
	visit_audit(v, action, arena_printf(v->arena, "account %llu", (unsigned long long)id), detail);
}

static void add_limit(struct json_object *o, struct arena *a, const char *key, int64_t limit)
{
	view_count(o, a, key, (uint64_t)limit, limit >= 0);
}

/* A token is told what its own issuer calls it; who is signed in, all: text for the form, and a list. */
static void add_names(struct json_object *o, const struct visit *v, const char *lines)
{
	struct json_object *list = json_object_new_array();
	const char *bad = NULL, *own = NULL;
	struct external *names = NULL;
	size_t count = 0;

	if (lines != NULL && external_parse(v->arena, lines, &names, &count, &bad) != ERR_OK)
		count = 0;
	for (size_t i = 0; i < count; i++) {
		struct json_object *name = json_object_new_object();

		view_str(name, "issuer", names[i].issuer);
		view_str(name, "id", names[i].id);
		json_object_array_add(list, name);
		if (v->issuer != NULL && strcmp(names[i].issuer, v->issuer) == 0)
			own = names[i].id;
	}
	if (v->issuer != NULL) {
		view_str(o, "external_id", own);
		json_object_put(list);
		return;
	}
	view_add(o, "external_ids", list);
}

struct json_object *account_view(const struct visit *v, const struct account *x)
{
	struct json_object *o = json_object_new_object();
	struct arena *a = v->arena;

	view_int(o, "id", (int64_t)x->id);
	view_str(o, "name", x->name);
	add_names(o, v, x->external_ids);
	view_str(o, "panel_origins", x->panel_origins);
	view_str(o, "notify_email", x->notify_email);
	view_bool(o, "is_suspended", x->suspended_at != 0);
	view_moment(o, a, "suspended", x->suspended_at, v->now_s);
	view_bool(o, "is_closed", x->closed_at != 0);
	view_moment(o, a, "closed", x->closed_at, v->now_s);
	view_moment(o, a, "created", x->created_at, v->now_s);
	view_count(o, a, "users", x->users, true);
	view_count(o, a, "queued", x->queued, true);
	view_count(o, a, "running", x->running, true);
	view_count(o, a, "made_today", x->made_today, x->max_queued >= 0 || x->max_daily >= 0);
	add_limit(o, a, "max_running", x->max_running > 0 ? x->max_running : -1);
	add_limit(o, a, "max_queued", x->max_queued);
	add_limit(o, a, "max_daily", x->max_daily);
	view_bool(o, "may_delete2", x->may_delete2);
	view_bool(o, "is_mine", x->id == v->viewer.account_id);
	view_str(o, "url", url_account(a, x->id, NULL));
	view_str(o, "suspend_url", url_account(a, x->id, "suspend"));
	view_str(o, "resume_url", url_account(a, x->id, "resume"));
	view_str(o, "close_url", url_account(a, x->id, "close"));
	return o;
}
