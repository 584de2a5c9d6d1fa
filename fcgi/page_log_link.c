/*
 * Links to a job's log that work without signing in: made and ended on a page of the job, opened by whoever
 * has them.  A link is its number and a signature over number, job and end; what is wrong with one that does
 * not work is not told.
 */
#include <stdlib.h>
#include <string.h>

#include "fcgi/embed.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "fcgi/web.h"
#include "lib/conf.h"
#include "lib/token.h"
#include "sql/store_job.h"
#include "sql/store_log_link.h"

static const struct form_spec specs[] = {
    {.name = "days", .kind = FORM_NUMBER, .min = 1, .max = LOG_LINK_DAYS_MAX},
};

const struct form_table fields_log_link = {FORM_ROWS(specs)};

static enum err link_view(struct visit *v, const struct log_link *l, struct json_object **o_r)
{
	struct json_object *o;
	const char *token = NULL;
	enum err e = store_log_link_token(v->web->db, v->rq->secret, l, &token);

	if (e != ERR_OK)
		return e;
	o = json_object_new_object();
	view_int(o, "id", (int64_t)l->id);
	view_int(o, "job_id", (int64_t)l->job_id);
	view_str(o, "link", arena_printf(v->rq->secret, "%s%s/%s", v->web->conf->base_url, URL_LOG, token));
	view_str(o, "email", l->email);
	view_moment(o, v->arena, "created", l->created_at, v->now_s);
	view_moment(o, v->arena, "expires", l->expires_at, v->now_s);
	view_str(o, "revoke_url", url_log_link(v->arena, l->id, "revoke"));
	*o_r = o;
	return ERR_OK;
}

static enum err add_links(struct visit *v, struct json_object *m)
{
	struct json_object *list = json_object_new_array(), *o = NULL;
	struct log_link *links;
	size_t count = 0;
	enum err e = store_log_link_list(v->web->db, v->arena, &v->viewer, v->id, &links, &count);

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		e = link_view(v, &links[i], &o);
		if (e == ERR_OK)
			json_object_array_add(list, o);
	}
	view_add(m, "links", list);
	view_bool(m, "has_links", count > 0);
	return e;
}

static enum err show(struct visit *v, const struct form *f)
{
	struct json_object *m;
	struct job j;
	enum err e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, &j);

	if (e != ERR_OK)
		return e;
	m = json_object_new_object();
	e = add_links(v, m);
	if (e != ERR_OK) {
		json_object_put(m);
		return e;
	}
	view_str(m, "label", j.label);
	view_str(m, "job_url", url_job(v->arena, j.id, NULL));
	view_str(m, "action_url", url_job(v->arena, j.id, "log-links"));
	if (f->has_errors)
		return page_refused(v, "log_links", "Links to the log", m, f);
	page_add_form(m, f);
	return page_show(v, 200, "log_links", "Links to the log", m);
}

enum err page_log_links(struct visit *v)
{
	struct form f;

	form_blank(&f, v->arena, FORM_ROWS(specs));
	form_set_number(&f, v->arena, "days", LOG_LINK_DAYS);
	return show(v, &f);
}

enum err page_log_link_create(struct visit *v)
{
	struct json_object *o = NULL, *m = NULL;
	struct log_link l;
	struct form f;
	unsigned days = LOG_LINK_DAYS;
	enum err e = form_read(&f, v->arena, &v->rq->body, FORM_ROWS(specs));

	if (e != ERR_OK)
		return show(v, &f);
	if (form_get(&f, "days")->state == FORM_VALUE)
		days = (unsigned)form_get(&f, "days")->number;
	e = store_log_link_create(v->web->db, v->arena, &v->viewer, v->id, days, &l);
	if (e != ERR_OK)
		return e;
	visit_audit(v, "log_link", arena_printf(v->arena, "job %llu", (unsigned long long)v->id),
	    arena_printf(v->arena, "link %llu", (unsigned long long)l.id));
	if (v->rq->wants_json) {
		e = link_view(v, &l, &o);
		if (e != ERR_OK)
			return e;
		m = json_object_new_object();
		view_add(m, "log_link", o);
	}
	return page_done(v, 201, url_job(v->arena, v->id, "log-links"), "log_link_made", m);
}

enum err page_log_link_revoke(struct visit *v)
{
	uint64_t job_id;
	enum err e = store_log_link_revoke(v->web->db, &v->viewer, v->id, &job_id);

	if (e != ERR_OK)
		return e;
	visit_audit(v, "log_link_revoke", arena_printf(v->arena, "job %llu", (unsigned long long)job_id),
	    arena_printf(v->arena, "link %llu", (unsigned long long)v->id));
	return page_done(v, 204, url_job(v->arena, job_id, "log-links"), "log_link_revoked", NULL);
}

/* ERR_NOT_FOUND: whatever is wrong with it. */
static enum err check(struct visit *v, struct log_link *l)
{
	const char *dash = strchr(v->token, '-'), *want = NULL;
	uint64_t id;
	enum err e = web_db(v->web);

	if (e != ERR_OK)
		return e;
	if (dash == NULL || !form_id(arena_strndup(v->arena, v->token, (size_t)(dash - v->token)), &id))
		return ERR_NOT_FOUND;
	e = store_log_link_find(v->web->db, v->arena, id, l);
	if (e == ERR_OK)
		e = store_log_link_token(v->web->db, v->rq->secret, l, &want);
	if (e == ERR_OK && !token_equal(v->token, want))
		e = ERR_NOT_FOUND;
	return e;
}

enum err page_log_link_open(struct visit *v)
{
	struct log_link l;
	enum err e = check(v, &l);

	/* who opens it is nobody here, signed in or not: they see this one log and nothing else */
	v->signed_in = false;
	embed_for_account(v, NULL);
	if (e != ERR_OK)
		return e;
	v->viewer = (struct viewer){.account_id = l.account_id, .role = ROLE_MEMBER};
	v->id = l.job_id;
	return page_job_log(v);
}
