#include "fcgi/account_view.h"

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

struct json_object *account_view(const struct visit *v, const struct account *x)
{
	struct json_object *o = json_object_new_object();
	struct arena *a = v->arena;

	view_int(o, "id", (int64_t)x->id);
	view_str(o, "name", x->name);
	view_str(o, "external_id", x->external_id);
	view_str(o, "panel_origins", x->panel_origins);
	view_bool(o, "is_suspended", x->suspended_at != 0);
	view_moment(o, a, "suspended", x->suspended_at, v->now_s);
	view_bool(o, "is_closed", x->closed_at != 0);
	view_moment(o, a, "closed", x->closed_at, v->now_s);
	view_moment(o, a, "created", x->created_at, v->now_s);
	view_count(o, a, "users", x->users, true);
	view_count(o, a, "queued", x->queued, true);
	view_count(o, a, "running", x->running, true);
	view_count(o, a, "made_today", x->made_today, x->max_queued >= 0 || x->max_daily >= 0);
	add_limit(o, a, "max_queued", x->max_queued);
	add_limit(o, a, "max_daily", x->max_daily);
	view_bool(o, "is_mine", x->id == v->viewer.account_id);
	view_str(o, "url", url_account(a, x->id, NULL));
	view_str(o, "suspend_url", url_account(a, x->id, "suspend"));
	view_str(o, "resume_url", url_account(a, x->id, "resume"));
	view_str(o, "close_url", url_account(a, x->id, "close"));
	return o;
}
