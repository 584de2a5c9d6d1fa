#include "fcgi/job_view.h"

#include <string.h>

#include "fcgi/options_form.h"
#include "fcgi/security_view.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "sql/job_say.h"

static const char *const labels[JOB_STATE__MAX] = {
    [JOB_QUEUED] = "Queued",
    [JOB_RUNNING] = "Running",
    [JOB_DONE] = "Done",
    [JOB_FAILED] = "Failed",
    [JOB_CANCELLED] = "Cancelled",
    [JOB_INTERRUPTED] = "Interrupted",
};

const char *job_state_label(enum job_state s)
{
	return labels[s];
}

static bool is_stopping(const struct job *j)
{
	return j->state == JOB_RUNNING && j->cancel_requested_at > 0;
}

const char *job_state_text(const struct job *j)
{
	if (is_stopping(j))
		return "Stopping";
	return j->state == JOB_RUNNING && j->verify.state == VERIFY_RUNNING ? "Verifying" : labels[j->state];
}

/* 0 to 100, or -1 while unknown.  A run that is not over never shows 100. */
static int percent(const struct job *j)
{
	const struct job_counters *c = &j->counters;
	int64_t p;

	if (j->state == JOB_DONE)
		return 100;
	if (c->messages_total <= 0 || c->messages_done < 0)
		return j->state == JOB_QUEUED ? 0 : -1;
	/* a mail server may claim any number: no product of it fits for sure */
	p = c->messages_done >= c->messages_total
		? 100
		: (int64_t)((double)c->messages_done / (double)c->messages_total * 100);
	return p > 99 && j->state != JOB_DONE ? 99 : (int)p;
}

/* A dry run copies nothing: what was counted is what it has to show. */
static const char *dry_progress_text(struct arena *a, const struct job *j)
{
	const struct job_counters *c = &j->counters;
	const char *text;

	if (c->messages_total < 0)
		return arena_printf(
		    a, "%s counted", view_plural_text(a, (uint64_t)c->messages_done, "message"));
	text = view_plural_text(a, (uint64_t)c->messages_total, "message");
	if (j->state != JOB_DONE)
		return arena_printf(
		    a, "%s of %s counted", view_number_text(a, (uint64_t)c->messages_done), text);
	if (c->bytes_total < 0)
		return arena_printf(a, "%s counted", text);
	return arena_printf(a, "%s counted, %s", text, view_size_text(a, (uint64_t)c->bytes_total));
}

static const char *progress_text(struct arena *a, const struct job *j)
{
	const struct job_counters *c = &j->counters;
	const char *text;

	if (c->messages_done < 0)
		return NULL;
	if (j->dry_run)
		return dry_progress_text(a, j);
	text = c->messages_total >= 0
		   ? arena_printf(a, "%s of %s", view_number_text(a, (uint64_t)c->messages_done),
			 view_plural_text(a, (uint64_t)c->messages_total, "message"))
		   : view_plural_text(a, (uint64_t)c->messages_done, "message");
	if (c->bytes_copied >= 0)
		text = arena_printf(a, "%s, %s", text, view_size_text(a, (uint64_t)c->bytes_copied));
	return text;
}

static struct json_object *side(struct arena *a, const struct job_side *s)
{
	struct json_object *o = json_object_new_object();

	view_add(o, "server_id", s->server_id ? json_object_new_int64((int64_t)s->server_id) : NULL);
	view_str(o, "server_name", s->server_name);
	view_str(o, "server_url", s->server_id ? url_server(a, s->server_id, NULL) : NULL);
	view_str(o, "host", s->host);
	view_int(o, "port", s->port);
	view_str(o, "security", security_name(s->security));
	view_str(o, "security_text", security_text(s->security));
	view_str(o, "user", s->user);
	return o;
}

static void add_state(struct json_object *o, const struct job *j)
{
	static const char *const flags[JOB_STATE__MAX] = {
	    "is_queued", "is_running", "is_done", "is_failed", "is_cancelled", "is_interrupted"};
	unsigned i;

	view_str(o, "state", job_state_name(j->state));
	view_str(o, "state_text", job_state_text(j));
	for (i = 0; i < JOB_STATE__MAX; i++)
		view_bool(o, flags[i], j->state == (enum job_state)i);
	view_bool(o, "is_ended", job_state_is_ended(j->state));
	view_bool(o, "is_stopping", is_stopping(j));
}

static bool has_passwords(const struct job *j)
{
	return j->passwords_removed_at == 0;
}

static void add_actions(struct json_object *o, struct arena *a, const struct job *j)
{
	bool running = j->state == JOB_RUNNING, ended = job_state_is_ended(j->state);
	bool confirmed = job_is_confirmed(j);

	view_str(o, "edit_url", url_job(a, j->id, "edit"));
	view_str(o, "cancel_url", url_job(a, j->id, "cancel"));
	view_str(o, "rerun_url", url_job(a, j->id, "rerun"));
	view_str(o, "delete_url", url_job(a, j->id, "delete"));
	view_str(o, "log_url", url_job(a, j->id, "log"));
	view_str(o, "log_links_url", url_job(a, j->id, "log-links"));
	view_str(o, "tail_url", url_job(a, j->id, "tail"));
	view_bool(o, "can_edit", !running && !confirmed);
	view_str(o, "why_not_edit",
	    running     ? "It is running: what it uses cannot be changed under it."
	    : confirmed ? "What it deletes was confirmed for this mailbox and these options."
			: NULL);
	view_bool(o, "can_cancel", !ended && !is_stopping(j));
	view_str(o, "why_not_cancel",
	    ended            ? "It has ended."
	    : is_stopping(j) ? "It is being stopped already."
			     : NULL);
	view_bool(o, "can_rerun", ended);
	view_str(o, "why_not_rerun", ended ? NULL : "It has not ended yet.");
	view_str(o, "remove_passwords_url", url_job(a, j->id, "remove-passwords"));
	view_bool(o, "needs_passwords", ended && !has_passwords(j));
	view_bool(o, "can_remove_passwords", ended && has_passwords(j));
	view_str(o, "why_not_remove_passwords",
	    !ended              ? "It has not ended yet and needs them."
	    : !has_passwords(j) ? "There are none any more."
				: NULL);
	view_bool(o, "can_delete", !running);
	view_str(o, "why_not_delete", running ? "It is running: cancel it first." : NULL);
}

static void count(struct json_object *o, struct arena *a, const char *key, int64_t n)
{
	view_count(o, a, key, n < 0 ? 0 : (uint64_t)n, n >= 0);
}

static const char *delete2_text(struct arena *a, const struct job *j)
{
	if (!j->delete2)
		return NULL;
	if (j->dry_run)
		return j->delete2_confirmed_at > 0 ? "Messages that only the destination has are counted; a "
						     "run to delete them was made"
						   : "Messages that only the destination has are counted";
	return arena_printf(a, "Messages that only the destination has: %s at most, else none",
	    view_number_text(a, (uint64_t)j->max_delete));
}

static void add_delete2(struct json_object *o, struct arena *a, const struct job *j)
{
	view_bool(o, "delete2", j->delete2);
	view_str(o, "delete2_text", delete2_text(a, j));
	view_add(o, "max_delete", j->max_delete > 0 ? json_object_new_int64(j->max_delete) : NULL);
	count(o, a, "messages_to_delete", j->delete2 ? j->counters.messages_to_delete : -1);
	count(o, a, "messages_deleted", j->max_delete > 0 ? j->counters.messages_deleted : -1);
	view_bool(o, "is_delete2_confirmed", j->delete2_confirmed_at > 0);
	view_str(o, "confirm_deletion_url",
	    j->delete2 && j->dry_run ? url_job(a, j->id, "confirm-deletion") : NULL);
}

struct json_object *job_view(struct arena *a, const struct job *j, int64_t now_s)
{
	struct json_object *o = json_object_new_object();
	int p = percent(j);

	view_int(o, "id", (int64_t)j->id);
	view_str(o, "name", j->name);
	view_str(o, "label", j->label);
	view_str(o, "url", url_job(a, j->id, NULL));
	add_state(o, j);
	view_bool(o, "dry_run", j->dry_run);
	view_str(o, "kind_text", j->dry_run ? "Dry run" : "Real run");
	options_view(o, a, j->options);
	add_delete2(o, a, j);
	view_str(o, "batch", j->batch_tag);
	view_str(o, "batch_url", j->batch_id ? url_batch(a, j->batch_id, NULL) : NULL);
	view_str(o, "owner_email", j->owner_email);
	view_str(o, "account_name", j->account_name);
	view_add(o, "source", side(a, &j->source));
	view_add(o, "destination", side(a, &j->destination));
	view_add(o, "percent", p >= 0 ? json_object_new_int(p) : NULL);
	view_str(o, "percent_text", p >= 0 ? arena_printf(a, "%d%%", p) : NULL);
	view_bool(o, "is_estimating", j->state == JOB_RUNNING && p < 0);
	view_str(o, "progress_text", progress_text(a, j));
	view_moment(o, a, "created", j->queued_at, now_s);
	view_moment(o, a, "started", j->started_at, now_s);
	view_moment(o, a, "ended", j->finished_at, now_s);
	view_bool(o, "has_passwords", has_passwords(j));
	view_moment(o, a, "passwords_removed", j->passwords_removed_at, now_s);
	view_moment(o, a, "log_removed", j->log_removed_at, now_s);
	view_add(o, "duration_s", j->duration_ms >= 0 ? json_object_new_int64(j->duration_ms / 1000) : NULL);
	view_str(
	    o, "duration_text", j->duration_ms >= 0 ? view_duration_text(a, j->duration_ms / 1000) : NULL);
	view_str(o, "reason", j->reason);
	view_str(o, "reason_text", j->reason_text);
	add_actions(o, a, j);
	return o;
}

struct json_object *job_view_link(struct arena *a, const struct job *j)
{
	struct json_object *o = json_object_new_object();

	view_int(o, "id", (int64_t)j->id);
	view_str(o, "label", j->label);
	view_str(o, "url", url_job(a, j->id, NULL));
	view_str(o, "kind_text", j->dry_run ? "Dry run" : "Real run");
	view_str(o, "state", job_state_name(j->state));
	view_str(o, "state_text", job_state_text(j));
	return o;
}

static void size(struct json_object *o, struct arena *a, const char *key, int64_t n)
{
	view_size(o, a, key, n < 0 ? 0 : (uint64_t)n, n >= 0);
}

static const char *quota_text(struct arena *a, const struct job_counters *c)
{
	if (c->quota_limit_bytes < 0)
		return NULL;
	if (c->quota_limit_bytes == 0)
		return "no limit";
	return arena_printf(a, "%s of %s used",
	    view_size_text(a, c->quota_used_bytes < 0 ? 0 : (uint64_t)c->quota_used_bytes),
	    view_size_text(a, (uint64_t)c->quota_limit_bytes));
}

static const char *rate_text(struct arena *a, const struct job_counters *c)
{
	if (c->rate_bytes <= 0 && c->rate_milli_messages <= 0)
		return NULL;
	if (c->rate_milli_messages < 0)
		return arena_printf(a, "%s/s", view_size_text(a, (uint64_t)c->rate_bytes));
	return arena_printf(a, "%s/s, %.1f messages/s",
	    view_size_text(a, c->rate_bytes < 0 ? 0 : (uint64_t)c->rate_bytes),
	    (double)c->rate_milli_messages / 1000);
}

struct json_object *job_view_progress(struct arena *a, const struct job *j)
{
	struct json_object *o = json_object_new_object();
	const struct job_counters *c = &j->counters;
	bool running = j->state == JOB_RUNNING;
	/* nobody can tell how long that takes */
	bool verifying = running && j->verify.state == VERIFY_RUNNING;
	int p = percent(j);

	count(o, a, "messages_done", c->messages_done);
	count(o, a, "messages_total", c->messages_total);
	count(o, a, "messages_copied", c->messages_copied);
	count(o, a, "messages_skipped", c->messages_skipped);
	count(o, a, "messages_failed", c->messages_failed);
	count(o, a, "messages_to_copy", c->messages_to_copy);
	count(o, a, "folders_done", c->folders_done);
	count(o, a, "folders_total", c->folders_total);
	size(o, a, "bytes_total", c->bytes_total);
	size(o, a, "bytes_copied", c->bytes_copied);
	size(o, a, "biggest_bytes", c->biggest_bytes);
	view_str(o, "folder_current", running ? c->folder_current : NULL);
	view_str(o, "rate_text", verifying ? NULL : rate_text(a, c));
	view_str(o, "eta_text",
	    !running || verifying ? NULL
	    : c->eta_s >= 0       ? view_eta_text(a, c->eta_s)
				  : "estimating");
	view_str(o, "quota_text", quota_text(a, c));
	view_add(o, "percent", p >= 0 ? json_object_new_int(p) : NULL);
	return o;
}

struct json_object *job_view_dry_result(struct arena *a, const struct job *j)
{
	const struct job_counters *c = &j->counters;
	struct json_object *o;
	int64_t n = c->messages_to_copy >= 0 ? c->messages_to_copy : c->messages_total;

	if (!j->dry_run || j->state != JOB_DONE)
		return NULL;
	o = json_object_new_object();
	view_str(o, "folders_text",
	    c->folders_total >= 0 ? view_number_text(a, (uint64_t)c->folders_total) : NULL);
	view_str(o, "messages_text", n >= 0 ? view_number_text(a, (uint64_t)n) : NULL);
	view_str(o, "bytes_text", c->bytes_total >= 0 ? view_size_text(a, (uint64_t)c->bytes_total) : NULL);
	view_str(o, "to_delete_text",
	    j->delete2 && c->messages_to_delete >= 0 ? view_number_text(a, (uint64_t)c->messages_to_delete)
						     : NULL);
	view_str(
	    o, "biggest_text", c->biggest_bytes >= 0 ? view_size_text(a, (uint64_t)c->biggest_bytes) : NULL);
	view_str(o, "quota_text", quota_text(a, c));
	return o;
}

/* The one next step by its code (the worker's word): where the button leads. */
struct step {
	const char *code, *label, *url;
	int dry_run; /* -1: not a rerun */
};

static void add_field(struct json_object *fields, const char *name, const char *value)
{
	struct json_object *f = json_object_new_object();

	view_str(f, "name", name);
	view_str(f, "value", value);
	json_object_array_add(fields, f);
}

/* A rerun of a job without passwords begins with the page that asks for them. */
static struct json_object *step_object(const struct step *s, const struct job *j, const char *request_key)
{
	struct json_object *o = json_object_new_object(), *fields = json_object_new_array();
	bool post = s->dry_run >= 0 && has_passwords(j);

	view_str(o, "code", s->code);
	view_str(o, "label", s->label);
	view_str(o, "url", s->url);
	view_str(o, "method", post ? "post" : "get");
	view_bool(o, "is_post", post);
	if (post) {
		add_field(fields, "dry_run", s->dry_run ? "1" : "0");
		add_field(fields, "request_key", request_key);
		if (j->delete2)
			add_field(fields, "delete2", s->dry_run ? "1" : "0");
	}
	view_add(o, "fields", fields);
	return o;
}

static struct json_object *copy_step(struct arena *a, const struct job *j, const char *request_key)
{
	const struct step copy = {"run_real", "Run real, delete nothing", url_job(a, j->id, "rerun"), 0};

	return step_object(&copy, j, request_key);
}

/* A dry run that has counted leads to the page that asks; and no other run deletes. */
static struct json_object *delete2_step(struct arena *a, const struct job *j, const char *request_key)
{
	int64_t n = j->counters.messages_to_delete;
	struct step ask = {"confirm_deletion", NULL, url_job(a, j->id, "confirm-deletion"), -1};

	if (j->delete2_confirmed_at > 0)
		return NULL;
	if (n <= 0)
		return copy_step(a, j, request_key);
	ask.label = arena_printf(a, "Run real, and delete %s…", view_plural_text(a, (uint64_t)n, "message"));
	return step_object(&ask, j, request_key);
}

static struct json_object *next_step(struct arena *a, const struct job *j, const char *request_key)
{
	const char *rerun = url_job(a, j->id, "rerun"), *edit = url_job(a, j->id, "edit");
	uint64_t src = j->source.server_id, dst = j->destination.server_id;
	/* what deletes is not run again: it is counted again */
	int again = j->delete2 || j->dry_run;
	const struct step steps[] = {
	    {"rerun", j->delete2 ? "Count again, dry" : "Run again", rerun, again},
	    {"run_real", "Run real", rerun, 0},
	    {"edit_source", "Edit the source's user and password", edit, -1},
	    {"edit_destination", "Edit the destination's user and password", edit, -1},
	    {"edit_server_source", "Look at the source server", src ? url_server(a, src, NULL) : URL_SERVERS,
		-1},
	    {"edit_server_destination", "Look at the destination server",
		dst ? url_server(a, dst, NULL) : URL_SERVERS, -1},
	    {"change_options", "Run with other options", rerun, -1},
	    {"free_space", "Make room in the destination mailbox, then run again", rerun, again},
	    {"view_log", "Read the log", "#log", -1},
	    {"contact_admin", "Read the log, then tell the administrator", "#log", -1},
	};
	size_t i;

	for (i = 0; j->reason_action != NULL && i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (j->delete2 && strcmp(j->reason_action, "run_real") == 0)
			return delete2_step(a, j, request_key);
		/* what is missing comes first */
		if (j->delete2 && j->verify.state == VERIFY_FAULTS && strcmp(j->reason_action, "rerun") == 0)
			return copy_step(a, j, request_key);
		if (strcmp(steps[i].code, j->reason_action) == 0)
			return step_object(&steps[i], j, request_key);
	}
	return NULL;
}

struct json_object *job_view_outcome(struct arena *a, const struct job *j, const char *request_key)
{
	struct json_object *o;
	bool good = j->state == JOB_DONE;

	if (!job_state_is_ended(j->state))
		return NULL;
	o = json_object_new_object();
	view_str(o, "sentence", job_say_outcome(a, j));
	view_str(o, "cause", good ? (j->reason_text ? j->reason_text : NULL) : j->reason_detail);
	view_bool(o, "is_good", good);
	view_add(o, "action", next_step(a, j, request_key));
	return o;
}
