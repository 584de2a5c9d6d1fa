#include "fcgi/limit_view.h"

#include "fcgi/view.h"
#include "sql/store_account.h"

static const char *hosts_text(struct visit *v)
{
	const char *const *hosts;
	AUTO_BUF struct buf b = BUF_INIT;
	size_t count;

	if (store_account_hosts(v->web->db, v->arena, v->viewer.account_id, &hosts, &count) != ERR_OK ||
	    count == 0)
		return "";
	buf_adds(&b, " It may copy to ");
	for (size_t i = 0; i < count; i++)
		buf_addf(&b, "%s%s", i > 0 ? ", " : "", hosts[i]);
	buf_adds(&b, " alone.");
	return arena_strndup(v->arena, b.data, b.len);
}

const char *limit_text(struct visit *v)
{
	AUTO_BUF struct buf b = BUF_INIT;
	struct account a;

	/* an administrator may have acted for another account, whose standing is on its page */
	if (viewer_is_admin(&v->viewer) ||
	    store_account_get(v->web->db, v->arena, v->viewer.account_id, &a) != ERR_OK)
		return "The account's limits do not allow this. Nothing was queued.";
	buf_adds(&b, "The limits of your account do not allow this, so nothing was queued.");
	if (a.max_queued >= 0)
		buf_addf(&b, " %s may wait at once; %s do.",
		    view_plural_text(v->arena, (uint64_t)a.max_queued, "job"),
		    view_number_text(v->arena, a.queued));
	if (a.max_daily >= 0)
		buf_addf(&b, " %s may be made in a day; %s were today.",
		    view_plural_text(v->arena, (uint64_t)a.max_daily, "job"),
		    view_number_text(v->arena, a.made_today));
	buf_adds(&b, hosts_text(v));
	return arena_strndup(v->arena, b.data, b.len);
}
