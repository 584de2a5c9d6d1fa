/* One job: what it is, how far it is, how it ended, what it said. */
#include <string.h>

#include "fcgi/form.h"
#include "fcgi/job_form.h"
#include "fcgi/job_log_view.h"
#include "fcgi/job_view.h"
#include "fcgi/mail_view.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/verify_view.h"
#include "fcgi/version.h"
#include "fcgi/view.h"
#include "sql/store_job.h"
#include "sql/store_outbox.h"

static enum err lineage(struct visit *v, const struct job *j, struct json_object **o_r)
{
	struct json_object *o, *list, *parent_view = NULL;
	struct job parent, *children;
	size_t count, i;
	enum err e;

	if (j->parent_id != 0) {
		e = store_job_get(v->web->db, v->arena, &v->viewer, j->parent_id, &parent);
		if (e != ERR_OK && e != ERR_NOT_FOUND)
			return e;
		if (e == ERR_OK)
			parent_view = job_view_link(v->arena, &parent);
	}
	e = store_job_children(v->web->db, v->arena, &v->viewer, j->id, &children, &count);
	if (e != ERR_OK) {
		json_object_put(parent_view);
		return e;
	}
	o = json_object_new_object();
	list = json_object_new_array();
	for (i = 0; i < count; i++)
		json_object_array_add(list, job_view_link(v->arena, &children[i]));
	view_bool(o, "has_lineage", parent_view != NULL || count > 0);
	view_add(o, "parent", parent_view);
	view_add(o, "children", list);
	*o_r = o;
	return ERR_OK;
}

/* Why a queued job does not begin though it may be its turn: *o_r is NULL when it is that alone. */
static enum err waits_for(struct visit *v, const struct job *j, struct json_object **o_r)
{
	uint64_t other = 0;
	enum err e =
	    j->state == JOB_QUEUED ? store_job_busy(v->web->db, &v->viewer, j->id, &other) : ERR_NOT_FOUND;

	if (e == ERR_OK && other < j->id) {
		*o_r = json_object_new_object();
		view_int(*o_r, "id", (int64_t)other);
		view_str(*o_r, "url", url_job(v->arena, other, NULL));
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static const char *program_text(struct arena *a, const struct job *j)
{
	if (j->program == NULL)
		return NULL;
	return arena_printf(a, "%s%s%s", j->program, j->program_version ? " " : "",
	    j->program_version ? j->program_version : "");
}

/* How long the passwords that are stored stay. */
static const char *passwords_text(struct visit *v, const struct job *j)
{
	long days = v->web->conf->credential_days;

	if (j->passwords_removed_at != 0)
		return NULL;
	if (days == 0)
		return "Stored, sealed, until they are removed";
	return arena_printf(
	    v->arena, "Stored, sealed; removed %ld day%s after the end", days, days == 1 ? "" : "s");
}

enum err page_job_show(struct visit *v)
{
	struct json_object *m, *family = NULL, *log = NULL, *waits = NULL;
	const char *here = url_job(v->arena, v->id, NULL), *key = job_form_new_key(v->arena), *mail = NULL;
	struct outbox_status status;
	struct job j;
	enum err e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, &j);

	if (e == ERR_OK)
		e = lineage(v, &j, &family);
	if (e == ERR_OK)
		e = mail_view_settle(v->arena, v->web->conf, v->now_s,
		    store_outbox_of_job(v->web->db, v->arena, &v->viewer, v->id, &status), &status, &mail);
	if (e == ERR_OK)
		e = waits_for(v, &j, &waits);
	if (e == ERR_OK)
		e = job_log_view(v, &j, &log);
	if (e != ERR_OK) {
		json_object_put(family);
		json_object_put(waits);
		return e;
	}
	m = json_object_new_object();
	view_add(m, "job", job_view(v->arena, &j, v->now_s));
	view_add(m, "progress", job_view_progress(v->arena, &j));
	view_add(m, "outcome", job_view_outcome(v->arena, &j, key));
	view_add(m, "dry_result", job_view_dry_result(v->arena, &j));
	view_add(m, "verification", verify_view(v->arena, &j));
	view_add(m, "waits_for", waits);
	view_str(m, "program_text", program_text(v->arena, &j));
	view_str(m, "mail_text", mail);
	view_str(m, "passwords_text", passwords_text(v, &j));
	view_add(m, "lineage", family);
	view_add(m, "log", log);
	view_str(m, "request_key", key);
	view_str(m, "refresh_url", here);
	view_str(m, "auto_refresh_url", url_with(v->arena, here, "refresh", "10"));
	view_str(m, "auto_refresh_off_url", here);
	view_bool(m, "is_auto_refresh", params_get(&v->rq->query, "refresh") != NULL);
	view_str(m, "list_url", URL_JOBS);
	version_tell(v, version_of_moment(v->arena, j.updated_us));
	return page_show(v, 200, "job_show", j.label, m);
}
