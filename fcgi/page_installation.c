/* The installation, for administrators: slots and workers, and the audit trail. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fcgi/csv_write.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "sql/store_audit.h"
#include "sql/store_queue.h"
#include "sql/store_worker.h"

enum { ROWS_PER_PAGE = 100, SILENT_MS = 60000, DAY_S = 86400 };

static struct json_object *worker_view(const struct visit *v, const struct worker *w)
{
	struct json_object *o = json_object_new_object();
	bool alive = strcmp(w->state, "running") == 0 || strcmp(w->state, "stopping") == 0;
	bool silent = alive && w->silent_ms > SILENT_MS;

	view_int(o, "id", (int64_t)w->id);
	view_str(o, "host", w->host);
	view_int(o, "pid", w->pid);
	view_str(o, "version", w->version);
	view_str(o, "state", silent ? "silent" : w->state);
	view_str(o, "state_text",
	    silent                              ? "No sign of life"
	    : strcmp(w->state, "running") == 0  ? "Works"
	    : strcmp(w->state, "stopping") == 0 ? "Stopping"
	    : strcmp(w->state, "stopped") == 0  ? "Stopped"
						: "Died");
	view_bool(o, "is_well", alive && !silent);
	view_bool(o, "is_bad", silent || strcmp(w->state, "dead") == 0);
	view_count(o, v->arena, "jobs", w->jobs, true);
	view_moment(o, v->arena, "started", w->started_at, v->now_s);
	view_moment(o, v->arena, "heartbeat", w->heartbeat_at, v->now_s);
	view_moment(o, v->arena, "stopped", w->stopped_at, v->now_s);
	return o;
}

enum err page_workers_list(struct visit *v)
{
	struct json_object *m, *list;
	unsigned total = 0, used = 0;
	struct queue_depth depth;
	struct worker *workers;
	size_t count, alive = 0;
	enum err e = store_queue_slots(v->web->db, &total, &used);

	if (e == ERR_OK)
		e = store_queue_depth(v->web->db, &depth);
	if (e == ERR_OK)
		e = store_worker_list(v->web->db, v->arena, &workers, &count);
	if (e != ERR_OK)
		return e;
	m = json_object_new_object();
	list = json_object_new_array();
	for (size_t i = 0; i < count; i++) {
		struct json_object *o = worker_view(v, &workers[i]);

		alive += json_object_get_boolean(json_object_object_get(o, "is_well"));
		json_object_array_add(list, o);
	}
	view_add(m, "workers", list);
	view_bool(m, "has_workers", count > 0);
	view_bool(m, "has_alive", alive > 0);
	view_count(m, v->arena, "slots", total, true);
	view_count(m, v->arena, "slots_used", used, true);
	view_count(m, v->arena, "queued", depth.queued, true);
	view_count(m, v->arena, "held", depth.held, true);
	view_str(m, "oldest_text", depth.queued > 0 ? view_duration_text(v->arena, depth.oldest_s) : NULL);
	return page_show(v, 200, "workers_list", "Workers", m);
}

/* Words of the address that make a filter, in the order in which they are asked for. */
static const char *const filter_names[] = {
    "account", "user", "action", "object", "email", "address", "from", "to"};
enum { FILTERS = sizeof(filter_names) / sizeof(filter_names[0]) };

/* "2026-01-31", a day that there is: its beginning, UTC.  Nothing: 0. */
static enum err read_day(const char *text, int64_t *at_s_r)
{
	struct tm tm = {0}, back;
	time_t t;

	*at_s_r = 0;
	if (text == NULL || text[0] == '\0')
		return ERR_OK;
	if (strlen(text) != 10 || strspn(text, "0123456789-") != 10 ||
	    sscanf(text, "%4d-%2d-%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday) != 3 || tm.tm_year < 1971 ||
	    tm.tm_year > 9998)
		return ERR_INVALID;
	back = tm = (struct tm){.tm_year = tm.tm_year - 1900, .tm_mon = tm.tm_mon - 1, .tm_mday = tm.tm_mday};
	t = timegm(&back);
	if (back.tm_mon != tm.tm_mon || back.tm_mday != tm.tm_mday || text[4] != '-' || text[7] != '-')
		return ERR_INVALID;
	*at_s_r = t;
	return ERR_OK;
}

/* account and user are ids, from and to days (both whole), before the id of an entry. */
static enum err read_filter(const struct visit *v, struct audit_filter *f)
{
	const struct params *q = &v->rq->query;
	const struct {
		const char *name;
		uint64_t *to;
	} ids[] = {{"account", &f->account_id}, {"user", &f->user_id}, {"before", &f->before}};

	enum err e;

	*f = (struct audit_filter){.action = params_get(q, "action"),
	    .object = params_get(q, "object"),
	    .email = params_get(q, "email"),
	    .address = params_get(q, "address")};
	e = read_day(params_get(q, "from"), &f->from_s);
	if (e == ERR_OK)
		e = read_day(params_get(q, "to"), &f->until_s);
	if (e != ERR_OK)
		return e;
	if (f->until_s != 0)
		f->until_s += DAY_S;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		const char *s = params_get(q, ids[i].name);

		if (s != NULL && s[0] != '\0' && !form_id(s, ids[i].to))
			return ERR_INVALID;
	}
	return ERR_OK;
}

static const char *filtered(struct visit *v, const char *base)
{
	for (size_t i = 0; i < FILTERS; i++) {
		const char *s = params_get(&v->rq->query, filter_names[i]);

		base = url_with(v->arena, base, filter_names[i], s != NULL && s[0] != '\0' ? s : NULL);
	}
	return base;
}

static struct json_object *audit_view(const struct visit *v, const struct audit *x)
{
	struct json_object *o = json_object_new_object();
	const char *here = URL_AUDIT;

	view_int(o, "id", (int64_t)x->id);
	view_moment(o, v->arena, "at", x->at, v->now_s);
	view_str(o, "action", x->action);
	view_str(o, "action_url", url_with(v->arena, here, "action", x->action));
	view_str(o, "object", x->object);
	view_str(o, "object_url", x->object ? url_with(v->arena, here, "object", x->object) : NULL);
	view_str(o, "detail", x->detail);
	view_str(o, "address", x->address);
	view_str(o, "email", x->email);
	view_str(o, "support", x->support);
	view_str(o, "account_name", x->account_name);
	view_add(o, "user_id", x->user_id ? json_object_new_int64((int64_t)x->user_id) : NULL);
	view_str(o, "user_url", x->user_id ? url_with_number(v->arena, here, "user", x->user_id) : NULL);
	view_add(o, "account_id", x->account_id ? json_object_new_int64((int64_t)x->account_id) : NULL);
	view_add(o, "token_id", x->token_id ? json_object_new_int64((int64_t)x->token_id) : NULL);
	return o;
}

static void add_filter_view(const struct visit *v, struct json_object *m)
{
	struct json_object *o = json_object_new_object();
	bool any = false;

	for (size_t i = 0; i < FILTERS; i++) {
		const char *s = params_get(&v->rq->query, filter_names[i]);

		view_str(o, filter_names[i], s);
		any = any || (s != NULL && s[0] != '\0');
	}
	view_add(m, "filter", o);
	view_bool(m, "is_filtered", any);
}

enum err page_audit_list(struct visit *v)
{
	struct json_object *m, *list;
	struct audit_filter f;
	struct audit *rows;
	size_t count;
	enum err e = read_filter(v, &f);

	if (e == ERR_OK)
		e = store_audit_list(v->web->db, v->arena, &v->viewer, &f, ROWS_PER_PAGE + 1, &rows, &count);
	if (e != ERR_OK)
		return e;
	m = json_object_new_object();
	list = json_object_new_array();
	for (size_t i = 0; i < count && i < ROWS_PER_PAGE; i++)
		json_object_array_add(list, audit_view(v, &rows[i]));
	view_add(m, "entries", list);
	view_bool(m, "has_entries", count > 0);
	add_filter_view(v, m);
	view_str(m, "action_url", URL_AUDIT);
	view_str(m, "clear_url", URL_AUDIT);
	view_str(m, "csv_url", filtered(v, URL_AUDIT ".csv"));
	view_str(m, "first_url", f.before != 0 ? filtered(v, URL_AUDIT) : NULL);
	view_str(m, "next_url",
	    count > ROWS_PER_PAGE
		? url_with_number(v->arena, filtered(v, URL_AUDIT), "before", rows[ROWS_PER_PAGE - 1].id)
		: NULL);
	return page_show(v, 200, "audit_list", "Audit log", m);
}

struct export
{
	struct visit *v;
	struct audit_filter filter;
};

static void write_entry(struct buf *b, struct arena *a, const struct audit *x)
{
	struct json_object *o = json_object_new_object();
	const char *fields[7];

	view_moment(o, a, "at", x->at, x->at);
	fields[0] = json_object_get_string(json_object_object_get(o, "at_iso"));
	fields[1] = x->account_name;
	fields[2] = x->email;
	fields[3] = x->address;
	fields[4] = x->action;
	fields[5] = x->object;
	fields[6] = x->detail;
	buf_addf(b, "%llu,", (unsigned long long)x->id);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		csv_write_field(b, fields[i] != NULL ? fields[i] : "");
		buf_adds(b, ",");
	}
	if (x->token_id != 0)
		buf_addf(b, "%llu", (unsigned long long)x->token_id);
	buf_adds(b, ",");
	csv_write_field(b, x->support != NULL ? x->support : "");
	buf_adds(b, "\r\n");
	json_object_put(o);
}

static enum err send_csv(void *arg, struct response_sink *sink)
{
	AUTO_BUF struct buf text = BUF_INIT;
	AUTO_ARENA struct arena *a = arena_new();
	struct export *x = arg;
	struct audit *rows;
	size_t count;
	enum err e;

	buf_adds(&text, "id,at,account,user,address,action,object,detail,token,support\r\n");
	do {
		arena_reset(a);
		e = store_audit_list(
		    x->v->web->db, a, &x->v->viewer, &x->filter, AUDIT_PAGE_MAX, &rows, &count);
		for (size_t i = 0; e == ERR_OK && i < count; i++) {
			write_entry(&text, a, &rows[i]);
			x->filter.before = rows[i].id;
		}
		if (e == ERR_OK)
			e = sink->write(sink->arg, text.data, text.len);
		buf_clear(&text);
	} while (e == ERR_OK && count == AUDIT_PAGE_MAX);
	return e;
}

enum err page_audit_csv(struct visit *v)
{
	struct export *x = arena_alloc(v->arena, sizeof(*x));
	enum err e = read_filter(v, &x->filter);

	if (e != ERR_OK)
		return e;
	x->v = v;
	response_attachment(v->rs, "mailconvoy-audit.csv");
	v->rs->content_type = "text/csv; charset=utf-8";
	v->rs->status = 200;
	v->rs->stream = send_csv;
	v->rs->stream_arg = x;
	v->rs->is_length_unknown = true;
	return ERR_OK;
}
