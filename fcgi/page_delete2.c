/* The second step of deleting on a destination: what a dry run counted is shown, and confirmed
 * (sql/store_delete2.h). */
#include <string.h>

#include "fcgi/form.h"
#include "fcgi/job_form.h"
#include "fcgi/job_seal.h"
#include "fcgi/job_view.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "sql/store_delete2.h"

static const struct form_spec specs[] = {
    {.name = "count", .kind = FORM_NUMBER, .min = 0, .max = DELETE2_COUNT_MAX, .required = true},
    {.name = "understood", .kind = FORM_CHECK},
    {.name = "request_key", .kind = FORM_TEXT, .max_bytes = 64},
    {.name = "source_password", .kind = FORM_PASSWORD, .max_bytes = FORM_SECRET_MAX_BYTES},
    {.name = "dest_password", .kind = FORM_PASSWORD, .max_bytes = FORM_SECRET_MAX_BYTES},
};

const struct form_table fields_delete2 = {FORM_ROWS(specs)};

static enum err refuse(struct visit *v, enum delete2_state why)
{
	static const struct page_error words[DELETE2_STATE__MAX] = {
	    [DELETE2_UNCOUNTED] = {.status = 409,
		.code = "delete2_uncounted",
		.detail =
		    "It is no dry run that counted what could be deleted and ended well, or it was changed "
		    "since.",
		.action = "Make a dry run that counts what only the destination has."},
	    [DELETE2_DENIED] = {.status = 403,
		.code = "delete2_denied",
		.detail = "The job's account may not, or no longer, have messages deleted on a destination.",
		.action = "An administrator can allow it."},
	    [DELETE2_USED] = {.status = 409,
		.code = "delete2_used",
		.detail = "What it counted was confirmed before: a count is used once.",
		.action = "Look at the run it led to. To delete more, make a new dry run."},
	    [DELETE2_NOTHING] = {.status = 409,
		.code = "delete2_nothing",
		.detail =
		    "The destination has no message that the source has not: there is nothing to delete.",
		.action = "Run it for real without deleting."},
	    [DELETE2_OLD] = {.status = 409,
		.code = "delete2_old",
		.detail = "It ended more than 24 hours ago: the mailbox may be another by now.",
		.action = "Make a new dry run."},
	    [DELETE2_CHANGED] = {.status = 409,
		.code = "delete2_changed",
		.detail = "One of its servers was changed since: what it counted may lie elsewhere.",
		.action = "Make a new dry run."},
	    [DELETE2_SUSPENDED] = {.status = 403,
		.code = "suspended",
		.detail = "The job's account is suspended: nothing is started for it.",
		.action = "Resume it first."},
	};
	struct page_error pe = words[why];

	pe.title = "This cannot be confirmed";
	pe.link_url = url_job(v->arena, v->id, NULL);
	pe.link_label = "Back to the job";
	page_error(v, &pe);
	return ERR_OK;
}

static const char *count_text(struct visit *v, const struct job *j)
{
	return view_plural_text(v->arena, (uint64_t)j->counters.messages_to_delete, "message");
}

static struct json_object *model_of(struct visit *v, const struct job *j)
{
	struct json_object *m = json_object_new_object();

	view_add(m, "job", job_view(v->arena, j, v->now_s));
	view_int(m, "count", j->counters.messages_to_delete);
	view_str(m, "count_text", count_text(v, j));
	view_moment(m, v->arena, "until", j->finished_at + DELETE2_FRESH_S, v->now_s);
	view_str(m, "action_url", url_job(v->arena, j->id, "confirm-deletion"));
	view_str(m, "back_url", url_job(v->arena, j->id, NULL));
	return m;
}

static const char *title_of(struct visit *v, const struct job *j)
{
	return arena_printf(v->arena, "Delete %s?", count_text(v, j));
}

/*
 * The dry run, and that it may be confirmed; where it may not, the answer is made and *ready_r false.  Who is
 * suspended looks, and starts nothing (visit.h).
 */
static enum err find(struct visit *v, struct job *j, bool *ready_r)
{
	enum delete2_state state = DELETE2_READY;
	enum err e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, j);

	if (e == ERR_OK)
		e = store_delete2_look(v->web->db, &v->viewer, v->id, &state);
	if (state == DELETE2_SUSPENDED && v->rq->method == METHOD_GET)
		state = DELETE2_READY;
	*ready_r = e == ERR_OK && state == DELETE2_READY;
	return e == ERR_OK && !*ready_r ? refuse(v, state) : e;
}

enum err page_delete2_form(struct visit *v)
{
	struct json_object *m;
	struct form f;
	struct job j;
	bool ready = false;
	enum err e = find(v, &j, &ready);

	if (e != ERR_OK || !ready)
		return e;
	form_blank(&f, v->rq->secret, FORM_ROWS(specs));
	form_set(&f, "request_key", job_form_new_key(v->arena));
	m = model_of(v, &j);
	page_add_form(m, &f);
	return page_show(v, 200, "job_delete2", title_of(v, &j), m);
}

/* Everything is the dry run's: passwords are taken where it has none any more, and nowhere else. */
static void check_password(struct form *f, const struct job *j, const char *name)
{
	bool given = form_get(f, name)->state == FORM_VALUE;

	if (j->passwords_removed_at != 0 && !given)
		form_refuse(f, name, "The stored password was removed: type it again.");
	if (j->passwords_removed_at == 0 && given)
		form_refuse(f, name, "The password stored with the dry run is used: give none.");
}

static void check(struct visit *v, struct form *f, const struct job *j)
{
	const struct form_field *count = form_get(f, "count");

	if (count->error == NULL && (int64_t)count->number != j->counters.messages_to_delete)
		form_refuse(f, "count",
		    arena_printf(v->arena, "The dry run counted %lld. Type exactly that number.",
			(long long)j->counters.messages_to_delete));
	if (!form_get(f, "understood")->checked)
		form_refuse(f, "understood", "Say that they are to be deleted for good.");
	check_password(f, j, "source_password");
	check_password(f, j, "dest_password");
}

static enum err refuse_form(struct visit *v, const struct job *j, const struct form *f)
{
	return page_refused(v, "job_delete2", title_of(v, j), model_of(v, j), f);
}

static enum err refuse_conflict(struct visit *v, struct form *f, enum delete2_state why)
{
	uint64_t other;
	struct job j;
	enum err e;

	if (why == DELETE2_READY) {
		e = store_job_busy(v->web->db, &v->viewer, v->id, &other);
		if (e == ERR_OK)
			return job_refuse_busy(
			    v, other, "Nothing was confirmed.", "Wait until it ends, or cancel it.");
		if (e != ERR_NOT_FOUND)
			return e;
	} else if (why != DELETE2_OTHER)
		return refuse(v, why);
	/* its count, or its passwords, went since we looked */
	e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, &j);
	if (e != ERR_OK)
		return e;
	check(v, f, &j);
	return f->has_errors ? refuse_form(v, &j, f) : refuse(v, DELETE2_USED);
}

static enum err confirm(struct visit *v, const struct job *j, struct form *f)
{
	unsigned char key[JOB_REQUEST_KEY_BYTES];
	struct delete2_confirmation c = {.count = form_get(f, "count")->number, .request_key = key};
	enum delete2_state why = DELETE2_READY;
	bool existed = false;
	uint64_t id = 0;
	enum err e = job_seal_given(v, j, VAULT_SOURCE, form_get(f, "source_password"), &c.src_sealed);

	if (e == ERR_OK)
		e = job_seal_given(v, j, VAULT_DESTINATION, form_get(f, "dest_password"), &c.dst_sealed);
	if (e != ERR_OK)
		return e;
	job_form_request_key(form_get(f, "request_key")->text, key);
	e = store_delete2_confirm(v->web->db, &v->viewer, v->id, &c, &id, &existed, &why);
	if (e == ERR_UNCERTAIN && web_db(v->web) == ERR_OK)
		e = store_delete2_confirm(v->web->db, &v->viewer, v->id, &c, &id, &existed, &why);
	if (e == ERR_CONFLICT)
		return refuse_conflict(v, f, why);
	if (e != ERR_OK)
		return e;
	if (!existed)
		visit_audit(v, "delete2_confirm", arena_printf(v->arena, "job %llu", (unsigned long long)id),
		    arena_printf(v->arena, "%s at most, of %s on %s:%u, counted by job %llu",
			count_text(v, j), j->destination.user, j->destination.host, j->destination.port,
			(unsigned long long)j->id));
	return job_made(v, id, existed, existed ? "job_exists" : "delete2_confirmed");
}

/* Sent twice, the second finds the count used, by itself. */
static enum err find_made(struct visit *v, const struct form *f, uint64_t *id_r)
{
	unsigned char key[JOB_REQUEST_KEY_BYTES];

	job_form_request_key(form_get(f, "request_key")->text, key);
	return store_delete2_made(v->web->db, &v->viewer, v->id, key, id_r);
}

enum err page_delete2_submit(struct visit *v)
{
	struct form f;
	struct job j;
	uint64_t id;
	bool ready = false;
	bool readable = form_read(&f, v->rq->secret, &v->rq->body, FORM_ROWS(specs)) == ERR_OK;
	enum err e = find_made(v, &f, &id);

	if (e == ERR_OK)
		return job_made(v, id, true, "job_exists");
	if (e == ERR_NOT_FOUND)
		e = find(v, &j, &ready);
	if (e != ERR_OK || !ready)
		return e;
	check(v, &f, &j);
	return readable && !f.has_errors ? confirm(v, &j, &f) : refuse_form(v, &j, &f);
}
