/* The jobs list: everything that decides what is seen stands in the address. */
#include <string.h>

#include "fcgi/form.h"
#include "fcgi/job_view.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "lib/log.h"
#include "sql/store_job.h"
#include "sql/store_server.h"
#include "sql/store_user.h"

enum { ROWS_PER_PAGE = 50 };

/* What the address asks for, checked. */
struct wish {
	const char *state; /* name of a state, or NULL for all */
	const char *q;     /* never NULL */
	const char *sort;  /* id of a column */
	bool descending;
	const char *after, *before;
	bool refreshing; /* with ids: the rows of a page that is open */
	struct job_filter filter;
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

static enum err read_ids(struct visit *v, const char *text, struct job_filter *f)
{
	char *copy = arena_strdup(v->arena, text), *save = NULL, *one;
	uint64_t *ids = arena_array(v->arena, JOB_IDS_MAX, sizeof(*ids));

	for (one = strtok_r(copy, ",", &save); one != NULL; one = strtok_r(NULL, ",", &save)) {
		if (f->ids_count == JOB_IDS_MAX || !form_id(one, &ids[f->ids_count]))
			return ERR_INVALID;
		f->ids_count++;
	}
	f->ids = ids;
	return ERR_OK;
}

static enum err read_wish(struct visit *v, struct wish *w)
{
	const struct params *q = &v->rq->query;
	const char *state = params_get(q, "state"), *dir = params_get(q, "dir"), *ids = params_get(q, "ids");
	const struct column *column = column_named(params_get(q, "sort"));
	enum job_state s;

	memset(w, 0, sizeof(*w));
	if (state != NULL && state[0] != '\0' && strcmp(state, "all") != 0) {
		if (job_state_parse(state, &s) != ERR_OK)
			return ERR_INVALID;
		w->state = job_state_name(s);
		w->filter.states = 1u << s;
	}
	w->q = params_get(q, "q") ? params_get(q, "q") : "";
	if (strlen(w->q) > JOB_TEXT_MAX_BYTES)
		return ERR_INVALID;
	w->filter.text = w->q;
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
		return read_ids(v, ids, &w->filter);
	}
	return ERR_OK;
}

/* The list's address with this state, order and direction, from the first page on. */
static const char *list_url(
    struct arena *a, const struct wish *w, const char *state, const char *sort, bool descending)
{
	const char *u = url_with(a, URL_JOBS, "state", state);

	u = url_with(a, u, "q", w->q[0] != '\0' ? w->q : NULL);
	u = url_with(a, u, "sort", sort);
	return url_with(a, u, "dir", descending ? "desc" : "asc");
}

static const char *same_url(struct arena *a, const struct wish *w)
{
	return list_url(a, w, w->state, w->sort, w->descending);
}

static struct json_object *chip(
    struct arena *a, const struct wish *w, const char *state, const char *label, uint64_t count)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "state", state ? state : "all");
	view_str(o, "label", label);
	view_count(o, a, "count", count, true);
	view_str(o, "url", list_url(a, w, state, w->sort, w->descending));
	view_bool(o, "current", state == NULL ? w->state == NULL : w->state && strcmp(w->state, state) == 0);
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
		view_str(o, "sort_url", c->sort >= 0 ? list_url(a, w, w->state, c->id, next) : NULL);
		view_str(o, "aria_sort", !sorted ? "none" : w->descending ? "descending" : "ascending");
		view_bool(o, "in_table", c->in_table);
		view_bool(o, "is_sorted", sorted);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *filter_view(const struct wish *w)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "state", w->state);
	view_add(o, "q", json_object_new_string(w->q));
	view_str(o, "sort", w->sort);
	view_str(o, "dir", w->descending ? "desc" : "asc");
	view_bool(o, "is_filtered", w->state != NULL || w->q[0] != '\0');
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

static void add_urls(struct visit *v, struct json_object *m, const struct wish *w, const struct job_list *l)
{
	struct arena *a = v->arena;
	const char *here = same_url(a, w);

	here = url_with(a, here, "after", w->after);
	here = url_with(a, here, "before", w->before);
	view_add(m, "columns", column_list(a, w));
	view_add(m, "filter", filter_view(w));
	view_add(m, "paging", paging(a, w, l));
	view_str(m, "refresh_url", refresh_url(a, w, l));
	view_str(m, "reload_url", here);
	view_str(m, "auto_refresh_url", url_with(a, here, "refresh", "10"));
	view_str(m, "auto_refresh_off_url", here);
	view_bool(m, "is_auto_refresh", params_get(&v->rq->query, "refresh") != NULL);
	view_str(m, "new_url", URL_JOBS_NEW);
	view_str(m, "action_url", URL_JOBS);
}

static enum err load(
    struct visit *v, const struct wish *w, struct job_list *l, uint64_t *counts, bool *has_servers)
{
	struct job_page page = {.sort = w->order,
	    .descending = w->descending,
	    .after = w->after,
	    .before = w->before,
	    .limit = ROWS_PER_PAGE};
	struct job_filter filter = w->filter;
	struct server *servers;
	size_t servers_count;
	enum err e;

	memset(l, 0, sizeof(*l));
	if (w->refreshing) {
		/* rows that left the filter since are still on the screen */
		struct job_filter these = {.ids = w->filter.ids, .ids_count = w->filter.ids_count};

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
	bool has_servers;
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
		if (w.filter.states == 0 || (w.filter.states & 1u << i))
			matching += counts[i];
	}
	m = json_object_new_object();
	rows = json_object_new_array();
	for (i = 0; i < l.count; i++)
		json_object_array_add(rows, job_view(v->arena, &l.jobs[i], v->now_s));
	view_add(m, "jobs", rows);
	view_bool(m, "has_jobs", l.count > 0);
	view_bool(m, "is_first_use", total == 0 && w.q[0] == '\0');
	view_bool(m, "is_none_matching", l.count == 0 && !(total == 0 && w.q[0] == '\0'));
	view_bool(m, "has_servers", has_servers);
	view_add(m, "chips", chips(v->arena, &w, counts, total));
	view_count(m, v->arena, "matching", matching, true);
	view_str(m, "matching_jobs_text", view_plural_text(v->arena, (uint64_t)matching, "job"));
	add_urls(v, m, &w, &l);
	return page_show(v, 200, "jobs_list", "Jobs", m);
}
