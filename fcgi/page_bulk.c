/* One action on many jobs: the question, the deed, the result. */
#include <string.h>

#include "fcgi/bulk_view.h"
#include "fcgi/form.h"
#include "fcgi/job_form.h"
#include "fcgi/jobs_query.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "fcgi/web.h"
#include "lib/parse.h"

enum {
	ROWS_PER_PAGE = 100,
	BUDGET_MS = 20000 /* for one request, well below what the server in front waits */
};

static enum err refuse(struct visit *v, unsigned status, const char *code, const char *title,
    const char *detail, const char *action)
{
	page_error(v, &(struct page_error){.status = status,
			  .code = code,
			  .title = title,
			  .detail = detail,
			  .action = action,
			  .link_url = URL_JOBS,
			  .link_label = "Back to the jobs"});
	return ERR_OK;
}

static enum err refuse_empty(struct visit *v)
{
	return refuse(v, 422, "bulk_empty", "No job was selected",
	    "Nothing was ticked, or no job matches any more. Nothing was changed.",
	    "Tick the jobs you mean, or “all that match”.");
}

/* The rows that were ticked: "ids[]" of a form, "ids" of a script. */
static enum err read_picked(struct visit *v, struct job_filter *f)
{
	const struct params *b = &v->rq->body;
	const char *list = params_get(b, "ids");
	enum err e = list != NULL ? jobs_query_ids(v->arena, list, f) : ERR_OK;
	unsigned i;

	for (i = 0; e == ERR_OK && i < b->count; i++) {
		if (strcmp(b->list[i].name, "ids[]") == 0)
			e = jobs_query_ids(v->arena, b->list[i].value, f);
	}
	return e;
}

/* What the form means.  ERR_NOT_FOUND: no job at all. */
static enum err read_question(struct visit *v, struct bulk_question *q)
{
	const char *scope = params_get(&v->rq->body, "scope"), *url;
	struct jobs_query wanted;
	enum err e = jobs_query_read(v->arena, &v->rq->body, &wanted);

	if (e != ERR_OK)
		return e;
	url = jobs_query_url(v->arena, "", &wanted);
	q->filter = url[0] == '?' ? url + 1 : NULL;
	q->picked = scope == NULL || strcmp(scope, "matching") != 0;
	if (!q->picked) {
		q->jobs = wanted.filter;
		return ERR_OK;
	}
	/* what was ticked is meant even if it left the filter since */
	e = read_picked(v, &q->jobs);
	return e == ERR_OK && q->jobs.ids_count == 0 ? ERR_NOT_FOUND : e;
}

/* Run b as far as the time of one request allows. */
static enum err run(struct visit *v, const struct bulk *b)
{
	enum err e = store_bulk_run(v->web->db, &v->viewer, b->id, BUDGET_MS);

	/* what was done is known by bulk.done, so going on is safe whatever became of the last step */
	if (e == ERR_UNCERTAIN && web_db(v->web) == ERR_OK)
		e = store_bulk_run(v->web->db, &v->viewer, b->id, BUDGET_MS);
	if (e == ERR_OK && b->confirmed_at == 0)
		visit_audit(v, arena_printf(v->arena, "bulk_%s", bulk_action_name(b->action)),
		    arena_printf(v->arena, "bulk %llu", (unsigned long long)b->id),
		    arena_printf(v->arena, "%llu jobs", (unsigned long long)b->total));
	return e;
}

static const char *back_url(struct visit *v, const struct bulk *b)
{
	return b->filter ? arena_printf(v->arena, "%s?%s", URL_JOBS, b->filter) : URL_JOBS;
}

/* "counts", and the same apart by whether a job is touched. */
static void add_counts(struct visit *v, struct json_object *m, const struct bulk *b, const uint64_t *counts)
{
	struct json_object *all = bulk_view_counts(v->arena, b, counts, b->confirmed_at == 0);
	struct json_object *touched = json_object_new_array(), *left = json_object_new_array();
	size_t i;

	for (i = 0; i < json_object_array_length(all); i++) {
		struct json_object *one = json_object_array_get_idx(all, i);
		struct json_object *is_touched = json_object_object_get(one, "is_touched");

		json_object_array_add(
		    json_object_get_boolean(is_touched) ? touched : left, json_object_get(one));
	}
	view_bool(m, "has_touched", json_object_array_length(touched) > 0);
	view_bool(m, "has_untouched", json_object_array_length(left) > 0);
	view_add(m, "touched", touched);
	view_add(m, "untouched", left);
	view_count(m, v->arena, "touched_count", bulk_touched(counts), true);
	view_add(m, "counts", all);
}

static enum err show_question(struct visit *v, unsigned status, const struct bulk *b, const char *error)
{
	uint64_t counts[BULK_OUTCOME__MAX];
	struct json_object *m, *form, *field;
	enum err e = store_bulk_judge(v->web->db, &v->viewer, b->id, counts);
	bool dangerous =
	    b->action == BULK_DELETE || b->action == BULK_CANCEL || b->action == BULK_REMOVE_PASSWORDS;
	const char *text = bulk_action_text(b->action), *number;

	if (e != ERR_OK)
		return e;
	m = json_object_new_object();
	form = json_object_new_object();
	field = json_object_new_object();
	number = view_number_text(v->arena, bulk_touched(counts));
	view_add(m, "bulk", bulk_view(v->arena, b, v->now_s));
	add_counts(v, m, b, counts);
	view_str(m, "heading",
	    arena_printf(v->arena, "%s: %s?", text, view_plural_text(v->arena, b->total, "job")));
	view_str(m, "button", arena_printf(v->arena, "%s %s", text, number));
	view_bool(m, "is_dangerous", dangerous);
	view_str(m, "type_word", b->action == BULK_DELETE ? "delete" : NULL);
	view_add(field, "value", json_object_new_string(""));
	view_str(field, "error", error);
	view_add(form, "confirm", field);
	view_add(m, "form", form);
	view_bool(m, "has_errors", error != NULL);
	view_str(m, "back_url", back_url(v, b));
	return page_show(v, status, "bulk_ask", text, m);
}

/* Which rows of the result the address asks for. */
static enum err read_page(const struct visit *v, int *outcome_r, int64_t *after_r)
{
	const char *name = params_get(&v->rq->query, "outcome"), *after = params_get(&v->rq->query, "after");
	enum bulk_outcome o;

	*outcome_r = -1;
	*after_r = 0;
	if (name != NULL) {
		if (bulk_outcome_parse(name, &o) != ERR_OK)
			return ERR_INVALID;
		*outcome_r = (int)o;
	}
	return after != NULL ? parse_i64(after, 0, BULK_JOBS_MAX, after_r) : ERR_OK;
}

static void add_rows(struct visit *v, struct json_object *m, const struct bulk *b, struct bulk_job *rows,
    size_t count, int outcome)
{
	struct json_object *list = json_object_new_array();
	bool more = count > ROWS_PER_PAGE;
	const char *here = url_bulk(v->arena, b->id);
	size_t i;

	if (outcome >= 0)
		here = url_with(v->arena, here, "outcome", bulk_outcome_name((enum bulk_outcome)outcome));
	for (i = 0; i < count && i < ROWS_PER_PAGE; i++)
		json_object_array_add(list, bulk_view_job(v->arena, &rows[i]));
	view_add(m, "rows", list);
	view_bool(m, "has_rows", count > 0);
	view_str(m, "outcome", outcome >= 0 ? bulk_outcome_name((enum bulk_outcome)outcome) : NULL);
	view_str(m, "all_url", outcome >= 0 ? url_bulk(v->arena, b->id) : NULL);
	view_str(m, "first_url", params_get(&v->rq->query, "after") ? here : NULL);
	view_str(
	    m, "next_url", more ? url_with_number(v->arena, here, "after", rows[ROWS_PER_PAGE - 1].n) : NULL);
}

static enum err show_result(struct visit *v, const struct bulk *b)
{
	uint64_t counts[BULK_OUTCOME__MAX];
	struct bulk_job *rows;
	struct json_object *m;
	int64_t after;
	size_t count;
	int outcome;
	enum err e = read_page(v, &outcome, &after);

	if (e == ERR_OK)
		e = store_bulk_counts(v->web->db, &v->viewer, b->id, counts);
	if (e == ERR_OK)
		e = store_bulk_jobs(v->web->db, v->arena, &v->viewer, b->id, outcome, (uint64_t)after,
		    ROWS_PER_PAGE + 1, &rows, &count);
	if (e != ERR_OK)
		return e;
	m = json_object_new_object();
	view_add(m, "bulk", bulk_view(v->arena, b, v->now_s));
	add_counts(v, m, b, counts);
	add_rows(v, m, b, rows, count, outcome);
	view_str(m, "back_url", back_url(v, b));
	return page_show(v, 200, "bulk_result", bulk_action_text(b->action), m);
}

enum err page_bulk_show(struct visit *v)
{
	struct bulk b;
	enum err e = store_bulk_get(v->web->db, v->arena, &v->viewer, v->id, &b);

	if (e != ERR_OK)
		return e;
	return b.confirmed_at == 0 ? show_question(v, 200, &b, NULL) : show_result(v, &b);
}

/* After the deed: to the result, which a script gets at once. */
static enum err lead_to_result(struct visit *v, uint64_t id)
{
	v->id = id;
	return v->rq->wants_json ? page_bulk_show(v) : page_redirect(v, url_bulk(v->arena, id), NULL);
}

static enum err refuse_expired(struct visit *v)
{
	return refuse(v, 409, "bulk_expired", "This was asked too long ago",
	    "A question waits an hour for its answer. Nothing was changed.", "Select the jobs again.");
}

/* The account's limits allow no more: what was done before stays done, and the rest may go on later. */
static enum err stop_at_limit(struct visit *v)
{
	struct bulk b;
	enum err e = store_bulk_get(v->web->db, v->arena, &v->viewer, v->id, &b);

	if (e != ERR_OK || v->rq->wants_json || b.done == 0)
		return e == ERR_OK ? ERR_LIMIT : e;
	return page_redirect(v, url_bulk(v->arena, v->id), "bulk_limit");
}

enum err page_bulk_run(struct visit *v)
{
	struct bulk b;
	enum err e = store_bulk_get(v->web->db, v->arena, &v->viewer, v->id, &b);

	if (e != ERR_OK)
		return e;
	if (b.confirmed_at == 0 && b.action == BULK_DELETE && !page_confirmed(v, "delete"))
		return show_question(v, 422, &b, "Type “delete” to confirm.");
	e = run(v, &b);
	if (e == ERR_CONFLICT)
		return refuse_expired(v);
	if (e == ERR_LIMIT)
		return stop_at_limit(v);
	return e == ERR_OK ? lead_to_result(v, v->id) : e;
}

enum err page_bulk_ask(struct visit *v)
{
	const char *confirm = params_get(&v->rq->body, "confirm");
	unsigned char key[JOB_REQUEST_KEY_BYTES];
	struct bulk_question q = {.request_key = key};
	uint64_t id;
	enum err e;

	if (bulk_action_parse(params_get(&v->rq->body, "action"), &q.action) != ERR_OK)
		return refuse(v, 422, "form", "It is not said what to do",
		    "“action” is dry_run, run_real, retry, cancel, delete or remove_passwords.",
		    "Use one of the buttons.");
	job_form_request_key(params_get(&v->rq->body, "request_key"), key);
	e = read_question(v, &q);
	if (e == ERR_OK)
		e = store_bulk_ask(v->web->db, &v->viewer, &q, &id);
	if (e == ERR_UNCERTAIN && web_db(v->web) == ERR_OK)
		e = store_bulk_ask(v->web->db, &v->viewer, &q, &id);
	if (e == ERR_NOT_FOUND)
		return refuse_empty(v);
	if (e == ERR_TOO_BIG)
		return refuse(v, 422, "bulk_too_many", "These are too many jobs at once",
		    "At most 50,000 jobs are handled at once. Nothing was changed.",
		    "Filter by batch or state, and take them in parts.");
	if (e != ERR_OK)
		return e;
	v->id = id;
	/* a script that knows what it does asks and answers in one request */
	if (v->rq->wants_json && confirm != NULL && strcmp(confirm, "1") == 0)
		return page_bulk_run(v);
	if (v->rq->wants_json)
		return page_bulk_show(v);
	return page_redirect(v, url_bulk(v->arena, id), NULL);
}
