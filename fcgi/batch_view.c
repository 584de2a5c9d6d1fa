#include "fcgi/batch_view.h"

#include <string.h>

#include "fcgi/job_view.h"
#include "fcgi/jobs_query.h"
#include "fcgi/options_form.h"
#include "fcgi/url.h"
#include "fcgi/view.h"

enum { BAR_WIDTH = 1000 };

#define STATES_FAILED "failed,interrupted"
#define STATES_OPEN "queued,running"

/* The last runs of the batch that are in these states (NULL: all). */
static struct jobs_query last_runs(const struct batch *b, const char *states)
{
	return (struct jobs_query){
	    .state = states, .q = "", .batch_id = b->id, .filter = {.latest_only = true}};
}

static const char *list_url(struct arena *a, const struct jobs_query *q)
{
	return jobs_query_url(a, URL_JOBS, q);
}

struct json_object *batch_view(struct arena *a, const struct batch *b, int64_t now_s)
{
	struct json_object *o = json_object_new_object();
	struct jobs_query all = {.q = "", .batch_id = b->id};

	view_int(o, "id", (int64_t)b->id);
	view_str(o, "tag", b->tag);
	view_str(o, "account_name", b->account_name);
	view_str(o, "created_by_email", b->created_by_email);
	view_moment(o, a, "created", b->created_at, now_s);
	view_str(o, "url", url_batch(a, b->id, NULL));
	view_str(o, "jobs_url", list_url(a, &all));
	view_str(o, "report_url", url_batch(a, b->id, "report"));
	view_str(o, "csv_url", url_batch(a, b->id, "report.csv"));
	options_view(o, a, b->options);
	return o;
}

static struct json_object *bar_part(struct arena *a, const struct batch *b, enum job_state state,
    uint64_t count, uint64_t before, uint64_t all)
{
	struct json_object *o = json_object_new_object();
	struct jobs_query q = last_runs(b, job_state_name(state));
	int64_t x = (int64_t)(before * BAR_WIDTH / all), end = (int64_t)((before + count) * BAR_WIDTH / all);

	view_str(o, "state", job_state_name(state));
	view_str(o, "label", job_state_label(state));
	view_count(o, a, "count", count, true);
	view_int(o, "x", x);
	view_int(o, "width", end - x);
	view_str(o, "url", list_url(a, &q));
	return o;
}

struct json_object *batch_view_bar(struct arena *a, const struct batch *b, const struct batch_summary *s)
{
	/* from what is settled to what is not, as progress goes */
	static const enum job_state order[] = {
	    JOB_DONE, JOB_FAILED, JOB_INTERRUPTED, JOB_CANCELLED, JOB_RUNNING, JOB_QUEUED};
	struct json_object *o = json_object_new_object(), *parts = json_object_new_array();
	const char *text = NULL;
	uint64_t before = 0;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		uint64_t count = s->states[order[i]];

		if (count == 0)
			continue;
		json_object_array_add(parts, bar_part(a, b, order[i], count, before, s->mailboxes));
		before += count;
		text = arena_printf(a, "%s%s%s %s", text ? text : "", text ? ", " : "",
		    view_number_text(a, count), job_state_name(order[i]));
	}
	view_count(o, a, "mailboxes", s->mailboxes, true);
	view_str(o, "text",
	    arena_printf(a, "%s: %s",
		s->mailboxes == 1 ? "1 mailbox"
				  : arena_printf(a, "%s mailboxes", view_number_text(a, s->mailboxes)),
		text ? text : "none"));
	view_add(o, "parts", parts);
	return o;
}

struct json_object *batch_view_totals(struct arena *a, const struct batch_summary *s, int64_t now_s)
{
	struct json_object *o = json_object_new_object();
	bool any_real = s->real_done > 0 || s->messages_copied > 0 || s->messages_failed > 0;

	view_count(o, a, "mailboxes", s->mailboxes, true);
	view_count(o, a, "runs", s->runs, true);
	view_count(o, a, "moved", s->real_done, true);
	view_count(o, a, "ready", s->dry_done, true);
	view_count(o, a, "messages_total", (uint64_t)s->messages_total, true);
	view_size(o, a, "bytes_total", (uint64_t)s->bytes_total, true);
	view_count(o, a, "messages_to_copy", (uint64_t)s->messages_to_copy, s->dry_done > 0);
	view_count(o, a, "messages_copied", (uint64_t)s->messages_copied, any_real);
	view_size(o, a, "bytes_copied", (uint64_t)s->bytes_copied, any_real);
	view_count(o, a, "messages_skipped", (uint64_t)s->messages_skipped, any_real);
	view_count(o, a, "messages_failed", (uint64_t)s->messages_failed, any_real);
	view_count(o, a, "verify_messages", (uint64_t)s->verify_messages, s->verified > 0);
	view_count(o, a, "verified_messages", (uint64_t)s->verified_messages, s->verified > 0);
	view_count(o, a, "missing", (uint64_t)s->verify_missing, s->verify_missing > 0);
	view_count(o, a, "altered", (uint64_t)s->verify_altered, s->verify_altered > 0);
	view_count(o, a, "doubled", (uint64_t)s->verify_doubled, s->verify_doubled > 0);
	view_count(o, a, "unverified", s->unverified, s->unverified > 0);
	view_moment(o, a, "started", s->started_at, now_s);
	view_moment(o, a, "finished", s->finished_at, now_s);
	return o;
}

static void add_field(struct json_object *fields, const char *name, const char *value)
{
	struct json_object *f = json_object_new_object();

	view_str(f, "name", name);
	view_str(f, "value", value);
	json_object_array_add(fields, f);
}

/* A button that asks for a bulk action on what the query means. */
static struct json_object *bulk_button(
    struct arena *a, const char *label, const char *action, const struct jobs_query *q)
{
	struct json_object *o = json_object_new_object(), *fields = jobs_query_fields(a, q);

	add_field(fields, "scope", "matching");
	add_field(fields, "action", action);
	view_str(o, "label", label);
	view_str(o, "url", URL_JOBS_BULK);
	view_bool(o, "is_post", true);
	view_add(o, "fields", fields);
	return o;
}

static struct json_object *link_button(const char *label, const char *url)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "label", label);
	view_str(o, "url", url);
	view_bool(o, "is_post", false);
	view_add(o, "fields", json_object_new_array());
	return o;
}

/* What to do about a cause, by the worker's word for one job. */
static struct json_object *mend(struct arena *a, const struct batch_cause *c, const struct jobs_query *these)
{
	const char *action = c->action ? c->action : "none", *edit = url_job(a, c->job_id, "edit");
	bool one = c->count == 1;

	if (strcmp(action, "edit_source") == 0 || strcmp(action, "edit_destination") == 0)
		return one ? link_button("Edit the user and password", edit)
			   : link_button("Edit the users and passwords", list_url(a, these));
	if (strcmp(action, "edit_server_source") == 0)
		return link_button("Look at the source server",
		    c->src_server_id ? url_server(a, c->src_server_id, NULL) : URL_SERVERS);
	if (strcmp(action, "edit_server_destination") == 0)
		return link_button("Look at the destination server",
		    c->dst_server_id ? url_server(a, c->dst_server_id, NULL) : URL_SERVERS);
	if (strcmp(action, "free_space") == 0)
		return bulk_button(a, "Make room on the destination, then run again", "retry", these);
	if (strcmp(action, "rerun") == 0)
		return bulk_button(a, "Run again", "retry", these);
	if (strcmp(action, "contact_admin") == 0)
		return link_button(one ? "Read the log, then tell the administrator"
				       : "Read the logs, then tell the administrator",
		    one ? url_job(a, c->job_id, NULL) : list_url(a, these));
	return link_button(
	    one ? "Read the log" : "Read the logs", one ? url_job(a, c->job_id, NULL) : list_url(a, these));
}

struct json_object *batch_view_causes(
    struct arena *a, const struct batch *b, const struct batch_cause *causes, size_t count)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < count; i++) {
		const struct batch_cause *c = &causes[i];
		struct json_object *o = json_object_new_object();
		struct jobs_query these = last_runs(b, STATES_FAILED);

		these.reason = c->reason;
		view_str(o, "reason", c->reason);
		view_str(o, "text", c->text ? c->text : "The run ended without saying why.");
		view_count(o, a, "count", c->count, true);
		view_str(o, "url", c->count == 1 ? url_job(a, c->job_id, NULL) : list_url(a, &these));
		view_add(o, "action", mend(a, c, &these));
		json_object_array_add(list, o);
	}
	return list;
}

struct json_object *batch_view_actions(struct arena *a, const struct batch *b, const struct batch_summary *s)
{
	struct json_object *list = json_object_new_array();
	uint64_t failed = s->states[JOB_FAILED] + s->states[JOB_INTERRUPTED];
	uint64_t open = s->states[JOB_QUEUED] + s->states[JOB_RUNNING];
	const struct {
		const char *id, *action, *states;
		bool dry_only;
		const char *label;
		uint64_t count;
	} rows[] = {
	    {"run_real", "run_real", "done", true, "Run all real", s->dry_done},
	    {"retry", "retry", STATES_FAILED, false, "Retry failed", failed},
	    {"cancel", "cancel", STATES_OPEN, false, "Cancel the rest", open},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct jobs_query q = last_runs(b, rows[i].states);
		struct json_object *o;

		if (rows[i].count == 0)
			continue;
		q.kind = rows[i].dry_only ? "dry" : NULL;
		o = bulk_button(a, rows[i].label, rows[i].action, &q);
		view_str(o, "id", rows[i].id);
		view_count(o, a, "count", rows[i].count, true);
		/* the one next step: nothing is open any more, and nothing waits to be mended before it */
		view_bool(o, "is_primary", i == 0 ? open == 0 : false);
		view_bool(o, "is_dangerous", strcmp(rows[i].action, "cancel") == 0);
		json_object_array_add(list, o);
	}
	return list;
}
