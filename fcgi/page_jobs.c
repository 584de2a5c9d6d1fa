/* The jobs list: everything that decides what is seen stands in the address. */
#include <string.h>

#include "fcgi/form.h"
#include "fcgi/job_view.h"
#include "fcgi/jobs_query.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "lib/log.h"
#include "sql/store_batch.h"
#include "sql/store_job.h"
#include "sql/store_server.h"
#include "sql/store_user.h"

enum { ROWS_PER_PAGE = 50, BATCHES_OFFERED = 100 };

/* What the address asks for, checked. */
struct wish {
	struct jobs_query query;
	const char *sort; /* id of a column */
	bool descending;
	const char *after, *before;
	bool refreshing; /* with ids: the rows of a page that is open */
	enum job_sort order;
};

static const struct column {
	const char *id, *label;
	int sort; /* enum job_sort, or -1 */
	bool descending_first;
	bool in_table; /* a column of the page's table; the others are only an order */
} columns[] = {
    {"state", "State", JOB_SORT_STATE, false, true},
    {"name", "Name", JOB_SORT_NAME, false, true},
    {"route", "From → to", -1, false, true},
    {"progress", "Progress", -1, false, true},
    {"created", "Created", JOB_SORT_QUEUED, true, false},
    {"started", "Started", JOB_SORT_STARTED, true, true},
    {"duration", "Duration", JOB_SORT_DURATION, true, true},
};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static const struct column *column_named(const char *id)
{
	size_t i;

	for (i = 0; id != NULL && i < COLUMNS; i++) {
		if (columns[i].sort >= 0 && strcmp(columns[i].id, id) == 0)
			return &columns[i];
	}
	return NULL;
}

static enum err read_wish(struct visit *v, struct wish *w)
{
	const struct params *q = &v->rq->query;
	const char *dir = params_get(q, "dir"), *ids = params_get(q, "ids");
	const struct column *column = column_named(params_get(q, "sort"));
	enum err e;

	memset(w, 0, sizeof(*w));
	e = jobs_query_read(v->arena, q, &w->query);
	if (e != ERR_OK)
		return e;
	if (column == NULL)
		column = column_named("created");
	if (column == NULL)
		return ERR_INTERNAL;
	w->sort = column->id;
	w->order = (enum job_sort)column->sort;
	w->descending = dir ? strcmp(dir, "desc") == 0 : column->descending_first;
	w->after = params_get(q, "after");
	w->before = w->after ? NULL : params_get(q, "before");
	if (ids != NULL) {
		w->refreshing = true;
		return jobs_query_ids(v->arena, ids, &w->query.filter);
	}
	return ERR_OK;
}

/* The list's address with this state, order and direction, from the first page on. */
static const char *list_url(
    struct arena *a, const struct wish *w, const char *state, const char *sort, bool descending)
{
	struct jobs_query with_state = w->query;
	const char *u;

	with_state.state = state;
	u = url_with(a, jobs_query_url(a, URL_JOBS, &with_state), "sort", sort);
	return url_with(a, u, "dir", descending ? "desc" : "asc");
}

static const char *same_url(struct arena *a, const struct wish *w)
{
	return list_url(a, w, w->query.state, w->sort, w->descending);
}

static struct json_object *batch_option(struct arena *a, const struct batch *b, uint64_t chosen)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "value", arena_printf(a, "%llu", (unsigned long long)b->id));
	view_str(o, "label", b->tag);
	view_bool(o, "selected", b->id == chosen);
	return o;
}

static struct json_object *chip(
    struct arena *a, const struct wish *w, const char *state, const char *label, uint64_t count)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "state", state ? state : "all");
	view_str(o, "label", label);
	view_count(o, a, "count", count, true);
	view_str(o, "url", list_url(a, w, state, w->sort, w->descending));
	view_bool(o, "current",
	    state == NULL ? w->query.state == NULL : w->query.state && strcmp(w->query.state, state) == 0);
	return o;
}

static struct json_object *chips(
    struct arena *a, const struct wish *w, const uint64_t *counts, uint64_t total)
{
	struct json_object *list = json_object_new_array();
	unsigned s;

	json_object_array_add(list, chip(a, w, NULL, "All", total));
	for (s = 0; s < JOB_STATE__MAX; s++)
		json_object_array_add(list, chip(a, w, job_state_name((enum job_state)s),
						job_state_label((enum job_state)s), counts[s]));
	return list;
}

static struct json_object *column_list(struct arena *a, const struct wish *w)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < COLUMNS; i++) {
		const struct column *c = &columns[i];
		struct json_object *o = json_object_new_object();
		bool sorted = strcmp(c->id, w->sort) == 0;
		bool next = sorted ? !w->descending : c->descending_first;

		view_str(o, "id", c->id);
		view_str(o, "label", c->label);
		view_str(o, "sort_url", c->sort >= 0 ? list_url(a, w, w->query.state, c->id, next) : NULL);
		view_str(o, "aria_sort", !sorted ? "none" : w->descending ? "descending" : "ascending");
		view_bool(o, "in_table", c->in_table);
		view_bool(o, "is_sorted", sorted);
		json_object_array_add(list, o);
	}
	return list;
}

/* The batches to choose from: the newest ones, and the chosen one. */
static enum err add_batches(struct visit *v, struct json_object *m, const struct wish *w)
{
	struct json_object *list = json_object_new_array();
	struct batch *batches, chosen;
	size_t count = 0, i;
	bool more, seen = w->query.batch_id == 0;
	enum err e = store_batch_list(
	    v->web->db, v->arena, &v->viewer, NULL, 0, BATCHES_OFFERED, &batches, &count, &more);

	for (i = 0; e == ERR_OK && i < count; i++) {
		json_object_array_add(list, batch_option(v->arena, &batches[i], w->query.batch_id));
		seen = seen || batches[i].id == w->query.batch_id;
	}
	if (e == ERR_OK && !seen) {
		e = store_batch_get(v->web->db, v->arena, &v->viewer, w->query.batch_id, &chosen);
		if (e == ERR_OK)
			json_object_array_add(list, batch_option(v->arena, &chosen, chosen.id));
	}
	view_bool(m, "has_batches", json_object_array_length(list) > 0);
	view_add(m, "batches", list);
	return e;
}

static struct json_object *filter_view(struct arena *a, const struct wish *w, const struct job_list *l)
{
	const struct jobs_query *q = &w->query;
	struct json_object *o = json_object_new_object();
	struct json_object *also = jobs_query_also(a, q, l->count > 0 ? l->jobs[0].reason_text : NULL);

	view_str(o, "state", q->state);
	view_add(o, "q", json_object_new_string(q->q));
	view_add(o, "batch_id", q->batch_id ? json_object_new_int64((int64_t)q->batch_id) : NULL);
	view_str(o, "batch_url", q->batch_id ? url_batch(a, q->batch_id, NULL) : NULL);
	view_str(o, "kind", q->kind);
	view_str(o, "reason", q->reason);
	view_bool(o, "latest", q->filter.latest_only);
	view_add(o, "also", also);
	view_bool(o, "has_also", json_object_array_length(also) > 0);
	view_str(o, "sort", w->sort);
	view_str(o, "dir", w->descending ? "desc" : "asc");
	view_bool(o, "is_filtered", jobs_query_is_filtered(q));
	view_str(o, "clear_url", URL_JOBS);
	return o;
}

static struct json_object *paging(struct arena *a, const struct wish *w, const struct job_list *l)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "prev_url", l->prev ? url_with(a, same_url(a, w), "before", l->prev) : NULL);
	view_str(o, "next_url", l->next ? url_with(a, same_url(a, w), "after", l->next) : NULL);
	view_bool(o, "has_pages", l->prev != NULL || l->next != NULL);
	return o;
}

/* Where this page's rows are asked for again: by their ids, so that none leaves while it is looked at. */
static const char *refresh_url(struct arena *a, const struct wish *w, const struct job_list *l)
{
	AUTO_BUF struct buf ids = BUF_INIT;
	size_t i;

	for (i = 0; i < l->count; i++)
		buf_addf(&ids, "%s%llu", i ? "," : "", (unsigned long long)l->jobs[i].id);
	return url_with(a, same_url(a, w), "ids", ids.len > 0 ? ids.data : "0");
}

/* Scripts find the next page where RFC 8288 puts it, too. */
static void tell_next(struct visit *v, const struct wish *w, const struct job_list *l)
{
	const char *next;

	if (!v->rq->is_api || l->next == NULL)
		return;
	next = url_with(v->arena, same_url(v->arena, w), "after", l->next);
	response_header(
	    v->rs, "Link", arena_printf(v->arena, "</api/v1%s>; rel=\"next\"", next + strlen("/migration")));
}

static void add_urls(struct visit *v, struct json_object *m, const struct wish *w, const struct job_list *l)
{
	struct arena *a = v->arena;
	const char *here = same_url(a, w);

	here = url_with(a, here, "after", w->after);
	here = url_with(a, here, "before", w->before);
	view_add(m, "columns", column_list(a, w));
	view_add(m, "filter", filter_view(a, w, l));
	view_add(m, "paging", paging(a, w, l));
	view_str(m, "refresh_url", refresh_url(a, w, l));
	view_str(m, "reload_url", here);
	view_str(m, "auto_refresh_url", url_with(a, here, "refresh", "10"));
	view_str(m, "auto_refresh_off_url", here);
	view_bool(m, "is_auto_refresh", params_get(&v->rq->query, "refresh") != NULL);
	view_str(m, "new_url", URL_JOBS_NEW);
	view_str(m, "action_url", URL_JOBS);
	view_str(m, "bulk_url", URL_JOBS_BULK);
	view_add(m, "bulk_fields", jobs_query_fields(a, &w->query));
}

static enum err load(
    struct visit *v, const struct wish *w, struct job_list *l, uint64_t *counts, bool *has_servers)
{
	struct job_page page = {.sort = w->order,
	    .descending = w->descending,
	    .after = w->after,
	    .before = w->before,
	    .limit = ROWS_PER_PAGE};
	struct job_filter filter = w->query.filter;
	struct server *servers;
	size_t servers_count;
	enum err e;

	memset(l, 0, sizeof(*l));
	if (w->refreshing) {
		/* rows that left the filter since are still on the screen */
		struct job_filter these = {
		    .ids = w->query.filter.ids, .ids_count = w->query.filter.ids_count};

		page.after = page.before = NULL;
		page.limit = JOB_PAGE_MAX;
		e = these.ids_count > 0 ? store_job_list(v->web->db, v->arena, &v->viewer, &these, &page, l)
					: ERR_OK;
		filter.ids = NULL;
		filter.ids_count = 0;
	} else {
		e = store_job_list(v->web->db, v->arena, &v->viewer, &filter, &page, l);
	}
	if (e == ERR_OK)
		e = store_job_counts(v->web->db, &v->viewer, &filter, counts);
	if (e == ERR_OK)
		e = store_server_list(v->web->db, v->arena, &v->viewer, &servers, &servers_count);
	*has_servers = e == ERR_OK && servers_count > 0;
	return e;
}

enum err page_jobs_list(struct visit *v)
{
	struct json_object *m, *rows;
	uint64_t counts[JOB_STATE__MAX] = {0}, total = 0, matching = 0;
	struct job_list l;
	struct wish w;
	bool has_servers, is_first_use;
	size_t i;
	enum err e = read_wish(v, &w);

	if (e == ERR_OK)
		e = load(v, &w, &l, counts, &has_servers);
	if (e != ERR_OK)
		return e;
	e = store_user_jobs_seen(v->web->db, &v->viewer);
	if (e != ERR_OK)
		log_warnx("jobs seen: %s", err_text(e));
	for (i = 0; i < JOB_STATE__MAX; i++) {
		total += counts[i];
		if (w.query.filter.states == 0 || (w.query.filter.states & 1u << i))
			matching += counts[i];
	}
	m = json_object_new_object();
	rows = json_object_new_array();
	for (i = 0; i < l.count; i++)
		json_object_array_add(rows, job_view(v->arena, &l.jobs[i], v->now_s));
	view_add(m, "jobs", rows);
	view_bool(m, "has_jobs", l.count > 0);
	is_first_use = total == 0 && !jobs_query_is_filtered(&w.query);
	view_bool(m, "is_first_use", is_first_use);
	view_bool(m, "is_none_matching", l.count == 0 && !is_first_use);
	view_bool(m, "has_servers", has_servers);
	view_add(m, "chips", chips(v->arena, &w, counts, total));
	view_count(m, v->arena, "matching", matching, true);
	view_str(m, "matching_jobs_text", view_plural_text(v->arena, (uint64_t)matching, "job"));
	add_urls(v, m, &w, &l);
	tell_next(v, &w, &l);
	e = add_batches(v, m, &w);
	if (e != ERR_OK) {
		json_object_put(m);
		return e;
	}
	return page_show(v, 200, "jobs_list", "Jobs", m);
}
