/* Batches: the list of them, one as a whole, and its report as a page. */
#include <string.h>

#include "fcgi/batch_view.h"
#include "fcgi/form.h"
#include "fcgi/job_view.h"
#include "fcgi/mail_view.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/verify_view.h"
#include "fcgi/view.h"
#include "sql/store_batch.h"
#include "sql/store_batch_view.h"

enum { BATCHES_PER_PAGE = 20, ROWS_PER_PAGE = 100 };

/* A row id in the query; absent is 0. */
static enum err read_id(const struct visit *v, const char *name, uint64_t *id_r)
{
	const char *text = params_get(&v->rq->query, name);

	*id_r = 0;
	return text == NULL || form_id(text, id_r) ? ERR_OK : ERR_INVALID;
}

enum err page_batches_list(struct visit *v)
{
	struct json_object *m, *rows;
	struct batch_summary states[BATCHES_PER_PAGE];
	const char *tag = params_get(&v->rq->query, "tag");
	uint64_t before, ids[BATCHES_PER_PAGE];
	struct batch *batches;
	size_t count, i;
	bool more;
	enum err e = read_id(v, "before", &before);

	if (e == ERR_OK)
		e = store_batch_list(
		    v->web->db, v->arena, &v->viewer, tag, before, BATCHES_PER_PAGE, &batches, &count, &more);
	if (e != ERR_OK)
		return e;
	for (i = 0; i < count; i++)
		ids[i] = batches[i].id;
	e = store_batch_states(v->web->db, &v->viewer, ids, count, states);
	if (e != ERR_OK)
		return e;
	m = json_object_new_object();
	rows = json_object_new_array();
	for (i = 0; i < count; i++) {
		struct json_object *o = batch_view(v->arena, &batches[i], v->now_s);

		view_add(o, "bar", batch_view_bar(v->arena, &batches[i], &states[i]));
		json_object_array_add(rows, o);
	}
	view_add(m, "batches", rows);
	view_bool(m, "has_batches", count > 0);
	view_bool(m, "is_admin", viewer_is_admin(&v->viewer));
	view_str(m, "import_url", URL_IMPORT);
	view_str(m, "first_url", before != 0 ? URL_BATCHES : NULL);
	view_str(m, "next_url",
	    more ? url_with_number(
		       v->arena, url_with(v->arena, URL_BATCHES, "tag", tag), "before", batches[count - 1].id)
		 : NULL);
	return page_show(v, 200, "batches_list", "Batches", m);
}

enum err page_batch_show(struct visit *v)
{
	struct batch_summary s;
	struct batch_cause *causes;
	struct json_object *m;
	struct outbox_status status;
	const char *mail = NULL;
	struct batch b;
	size_t count;
	enum err e = store_batch_get(v->web->db, v->arena, &v->viewer, v->id, &b);
	const char *here = url_batch(v->arena, v->id, NULL);

	if (e == ERR_OK)
		e = store_batch_summary(v->web->db, &v->viewer, v->id, &s);
	if (e == ERR_OK)
		e = store_batch_causes(v->web->db, v->arena, &v->viewer, v->id, &causes, &count);
	if (e == ERR_OK)
		e = mail_view_settle(v->arena, v->web->conf, v->now_s,
		    store_outbox_of_batch(v->web->db, v->arena, &v->viewer, v->id, &status), &status, &mail);
	if (e != ERR_OK)
		return e;
	m = json_object_new_object();
	view_add(m, "batch", batch_view(v->arena, &b, v->now_s));
	view_add(m, "bar", batch_view_bar(v->arena, &b, &s));
	view_add(m, "totals", batch_view_totals(v->arena, &s, v->now_s));
	view_add(m, "causes", batch_view_causes(v->arena, &b, causes, count));
	view_bool(m, "has_causes", count > 0);
	view_add(m, "actions", batch_view_actions(v->arena, &b, &s));
	view_bool(m, "is_open", s.states[JOB_QUEUED] + s.states[JOB_RUNNING] > 0);
	view_bool(m, "is_empty", s.mailboxes == 0);
	view_bool(m, "is_all_moved", s.mailboxes > 0 && s.real_done == s.mailboxes);
	view_str(m, "mail_text", mail);
	view_str(m, "refresh_url", here);
	view_str(m, "auto_refresh_url", url_with(v->arena, here, "refresh", "10"));
	view_str(m, "auto_refresh_off_url", here);
	view_bool(m, "is_auto_refresh", params_get(&v->rq->query, "refresh") != NULL);
	view_str(m, "list_url", URL_BATCHES);
	return page_show(v, 200, "batch_show", b.tag, m);
}

enum err page_batch_report(struct visit *v)
{
	struct json_object *m, *rows;
	const char *here = url_batch(v->arena, v->id, "report");
	struct job *jobs;
	uint64_t after;
	struct batch b;
	size_t count, i;
	bool more;
	enum err e = read_id(v, "after", &after);

	if (e == ERR_OK)
		e = store_batch_get(v->web->db, v->arena, &v->viewer, v->id, &b);
	if (e == ERR_OK)
		e = store_batch_report(
		    v->web->db, v->arena, &v->viewer, v->id, after, ROWS_PER_PAGE + 1, &jobs, &count);
	if (e != ERR_OK)
		return e;
	more = count > ROWS_PER_PAGE;
	if (more)
		count = ROWS_PER_PAGE;
	m = json_object_new_object();
	rows = json_object_new_array();
	for (i = 0; i < count; i++) {
		struct json_object *o = json_object_new_object();

		view_add(o, "job", job_view(v->arena, &jobs[i], v->now_s));
		view_add(o, "progress", job_view_progress(v->arena, &jobs[i]));
		view_add(o, "verification", verify_view(v->arena, &jobs[i]));
		json_object_array_add(rows, o);
	}
	view_add(m, "batch", batch_view(v->arena, &b, v->now_s));
	view_add(m, "rows", rows);
	view_bool(m, "has_rows", count > 0);
	view_str(m, "first_url", after != 0 ? here : NULL);
	view_str(m, "next_url", more ? url_with_number(v->arena, here, "after", jobs[count - 1].id) : NULL);
	return page_show(v, 200, "batch_report", arena_printf(v->arena, "Report: %s", b.tag), m);
}
