#include "fcgi/jobs_query.h"

#include <string.h>

#include "fcgi/form.h"
#include "fcgi/url.h"
#include "fcgi/view.h"

static const char *not_empty(const struct params *ps, const char *name)
{
	const char *s = params_get(ps, name);

	return s != NULL && s[0] != '\0' ? s : NULL;
}

static enum err read_states(struct arena *a, const char *text, struct jobs_query *q)
{
	char *copy, *save = NULL, *one;
	enum job_state s;

	if (text == NULL || strcmp(text, "all") == 0)
		return ERR_OK;
	q->state = text;
	copy = arena_strdup(a, text);
	for (one = strtok_r(copy, ",", &save); one != NULL; one = strtok_r(NULL, ",", &save)) {
		if (job_state_parse(one, &s) != ERR_OK)
			return ERR_INVALID;
		q->filter.states |= 1u << s;
	}
	return q->filter.states != 0 ? ERR_OK : ERR_INVALID;
}

static enum err read_kind(const char *kind, struct jobs_query *q)
{
	if (kind == NULL)
		return ERR_OK;
	q->kind = kind;
	q->filter.kind = strcmp(kind, "dry") == 0 ? JOB_KIND_DRY : JOB_KIND_REAL;
	return strcmp(kind, "dry") == 0 || strcmp(kind, "real") == 0 ? ERR_OK : ERR_INVALID;
}

enum err jobs_query_read(struct arena *a, const struct params *ps, struct jobs_query *q)
{
	const char *batch = not_empty(ps, "batch"), *latest = not_empty(ps, "latest");
	enum err e;

	memset(q, 0, sizeof(*q));
	e = read_states(a, not_empty(ps, "state"), q);
	if (e == ERR_OK)
		e = read_kind(not_empty(ps, "kind"), q);
	if (e != ERR_OK)
		return e;
	q->q = params_get(ps, "q") ? params_get(ps, "q") : "";
	q->reason = not_empty(ps, "reason");
	if (strlen(q->q) > JOB_TEXT_MAX_BYTES || (batch != NULL && !form_id(batch, &q->batch_id)))
		return ERR_INVALID;
	q->filter.text = q->q;
	q->filter.batch_id = q->batch_id;
	q->filter.reason = q->reason;
	q->filter.latest_only = latest != NULL && strcmp(latest, "0") != 0;
	return ERR_OK;
}

enum err jobs_query_ids(struct arena *a, const char *text, struct job_filter *f)
{
	char *copy = arena_strdup(a, text), *save = NULL, *one;
	uint64_t *ids = arena_array(a, JOB_IDS_MAX, sizeof(*ids));

	if (f->ids_count > 0)
		memcpy(ids, f->ids, f->ids_count * sizeof(*ids));
	for (one = strtok_r(copy, ",", &save); one != NULL; one = strtok_r(NULL, ",", &save)) {
		if (f->ids_count == JOB_IDS_MAX || !form_id(one, &ids[f->ids_count]))
			return ERR_INVALID;
		f->ids_count++;
	}
	f->ids = ids;
	return ERR_OK;
}

/* The query's words, one after the other: name and value, NULL when it is not asked. */
struct word {
	const char *name, *value;
};
enum { WORDS = 6 };

static void words(struct arena *a, const struct jobs_query *q, struct word w[WORDS])
{
	w[0] = (struct word){"state", q->state};
	w[1] = (struct word){"q", q->q[0] != '\0' ? q->q : NULL};
	w[2] = (struct word){
	    "batch", q->batch_id ? arena_printf(a, "%llu", (unsigned long long)q->batch_id) : NULL};
	w[3] = (struct word){"kind", q->kind};
	w[4] = (struct word){"reason", q->reason};
	w[5] = (struct word){"latest", q->filter.latest_only ? "1" : NULL};
}

/* without: a word to be left out, or NULL. */
static const char *url_without(
    struct arena *a, const char *base, const struct jobs_query *q, const char *without)
{
	struct word w[WORDS];
	size_t i;

	words(a, q, w);
	for (i = 0; i < WORDS; i++) {
		if (without == NULL || strcmp(w[i].name, without) != 0)
			base = url_with(a, base, w[i].name, w[i].value);
	}
	return base;
}

const char *jobs_query_url(struct arena *a, const char *base, const struct jobs_query *q)
{
	return url_without(a, base, q, NULL);
}

bool jobs_query_is_filtered(const struct jobs_query *q)
{
	return q->state != NULL || q->q[0] != '\0' || q->batch_id != 0 || q->kind != NULL ||
	       q->reason != NULL || q->filter.latest_only;
}

struct json_object *jobs_query_fields(struct arena *a, const struct jobs_query *q)
{
	struct json_object *list = json_object_new_array();
	struct word w[WORDS];
	size_t i;

	words(a, q, w);
	for (i = 0; i < WORDS; i++) {
		struct json_object *o;

		if (w[i].value == NULL)
			continue;
		o = json_object_new_object();
		view_str(o, "name", w[i].name);
		view_str(o, "value", w[i].value);
		json_object_array_add(list, o);
	}
	return list;
}

static void also(struct json_object *list, struct arena *a, const struct jobs_query *q, const char *name,
    const char *value, const char *label)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "name", name);
	view_str(o, "value", value);
	view_str(o, "label", label);
	view_str(o, "remove_url", url_without(a, URL_JOBS, q, name));
	json_object_array_add(list, o);
}

struct json_object *jobs_query_also(struct arena *a, const struct jobs_query *q, const char *reason_text)
{
	struct json_object *list = json_object_new_array();

	if (q->kind != NULL)
		also(list, a, q, "kind", q->kind,
		    q->filter.kind == JOB_KIND_DRY ? "Dry runs only" : "Real runs only");
	if (q->reason != NULL)
		also(list, a, q, "reason", q->reason, reason_text ? reason_text : q->reason);
	if (q->filter.latest_only)
		also(list, a, q, "latest", "1", "Only the last run of each mailbox");
	return list;
}
