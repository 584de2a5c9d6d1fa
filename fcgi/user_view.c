#include "fcgi/user_view.h"

#include "fcgi/url.h"
#include "fcgi/view.h"

const char *user_role_text(enum role role)
{
	return role == ROLE_ADMIN ? "Administrator" : "Member";
}

struct json_object *user_view(const struct visit *v, const struct user *u)
{
	struct json_object *o = json_object_new_object();
	struct arena *a = v->arena;

	view_int(o, "id", (int64_t)u->id);
	view_str(o, "email", u->email);
	view_int(o, "account_id", (int64_t)u->account_id);
	view_str(o, "account_name", u->account_name);
	view_str(o, "account_url", url_account(a, u->account_id, NULL));
	view_str(o, "role", role_name(u->role));
	view_str(o, "role_text", user_role_text(u->role));
	view_bool(o, "is_admin", u->role == ROLE_ADMIN);
	view_bool(o, "is_me", u->id == v->viewer.user_id);
	view_bool(o, "is_invited", !u->has_password && u->last_login_at == 0);
	view_bool(o, "has_second_factor", u->second_factor_at != 0);
	view_bool(o, "is_disabled", u->disabled_at != 0);
	view_bool(o, "is_account_closed", u->account_closed_at != 0);
	view_moment(o, a, "disabled", u->disabled_at, v->now_s);
	view_moment(o, a, "last_login", u->last_login_at, v->now_s);
	view_moment(o, a, "created", u->created_at, v->now_s);
	view_str(o, "url", url_user(a, u->id, NULL));
	return o;
}
