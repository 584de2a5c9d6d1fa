/* What can be done with a job: cancel, run again, delete. */
#include <string.h>

#include "fcgi/form.h"
#include "fcgi/job_form.h"
#include "fcgi/job_seal.h"
#include "fcgi/job_view.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"

static const char *const kinds[] = {"0", "1", NULL};
static const struct form_spec rerun_specs[] = {
    {.name = "dry_run", .kind = FORM_CHOICE, .choices = kinds, .required = true},
    {.name = "request_key", .kind = FORM_TEXT, .max_bytes = 64},
};

const struct form_table fields_job_rerun = {FORM_ROWS(rerun_specs)};

static enum err refuse(
    struct visit *v, const char *code, const char *title, const char *detail, const char *action)
{
	page_error(v, &(struct page_error){.status = 409,
			  .code = code,
			  .title = title,
			  .detail = detail,
			  .action = action,
			  .link_url = url_job(v->arena, v->id, NULL),
			  .link_label = "Back to the job"});
	return ERR_OK;
}

static enum err refuse_ended(struct visit *v, enum job_state s)
{
	return refuse(v, "job_ended", "The job has ended already",
	    arena_printf(v->arena, "Its state is “%s”: there is nothing left to cancel.", job_state_label(s)),
	    "Look at its page for what became of it.");
}

static enum err refuse_running_delete(struct visit *v)
{
	return refuse(v, "job_running", "The job is running", "A running job and its log cannot be deleted.",
	    "Cancel it first, and delete it when it has stopped.");
}

enum err page_job_cancel_ask(struct visit *v)
{
	struct page_confirm c = {.button = "Cancel the job", .is_dangerous = true, .back_label = "Let it be"};
	struct job j;
	enum err e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, &j);

	if (e != ERR_OK)
		return e;
	if (job_state_is_ended(j.state))
		return refuse_ended(v, j.state);
	c.heading = arena_printf(v->arena, "Cancel “%s”?", j.label);
	c.effect =
	    j.state == JOB_QUEUED ? "It is waiting and will not start."
	    : j.dry_run
		? "It is running and will be stopped. A dry run changes nothing anywhere."
		: "It is running and will be stopped. Messages already copied stay; a later run goes on "
		  "from there.";
	c.action_url = url_job(v->arena, v->id, "cancel");
	c.back_url = url_job(v->arena, v->id, NULL);
	return page_confirm(v, 200, &c);
}

enum err page_job_cancel_submit(struct visit *v)
{
	enum job_state s;
	enum err e = store_job_cancel(v->web->db, &v->viewer, v->id, &s);

	if (e == ERR_CONFLICT)
		return refuse_ended(v, s);
	if (e != ERR_OK)
		return e;
	return job_changed(v, v->id, s == JOB_CANCELLED ? "job_cancelled" : "job_stopping");
}

static enum err refuse_rerun(struct visit *v)
{
	uint64_t other;
	enum err e = store_job_busy(v->web->db, &v->viewer, v->id, &other);
	struct job j;

	if (e == ERR_OK)
		e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, &j);
	if (e == ERR_NOT_FOUND || (e == ERR_OK && !job_state_is_ended(j.state)))
		return refuse(v, "job_not_ended", "The job has not ended",
		    "A job can be run again when it has ended.", "Wait until it ends, or cancel it.");
	if (e != ERR_OK)
		return e;
	page_error(v, &(struct page_error){.status = 409,
			  .code = "mailboxes_busy",
			  .title = "These mailboxes are on their way already",
			  .detail = arena_printf(v->arena,
			      "Job %llu copies between the same mailboxes and is queued or running.",
			      (unsigned long long)other),
			  .action = "Wait until it ends, or cancel it.",
			  .link_url = url_job(v->arena, other, NULL),
			  .link_label = "Look at that job"});
	return ERR_OK;
}

enum err page_job_rerun_submit(struct visit *v)
{
	unsigned char key[JOB_REQUEST_KEY_BYTES];
	struct form f;
	uint64_t id = 0;
	bool existed = false, dry;
	enum err e;

	if (form_read(&f, v->arena, &v->rq->body, FORM_ROWS(rerun_specs)) != ERR_OK) {
		page_error(
		    v, &(struct page_error){.status = 422,
			   .code = "form",
			   .detail = "Say whether it is a dry run (dry_run=1) or a real one (dry_run=0).",
			   .fields = form_problems(&f)});
		return ERR_OK;
	}
	dry = form_get(&f, "dry_run")->text[0] == '1';
	job_form_request_key(form_get(&f, "request_key")->text, key);
	e = store_job_rerun(v->web->db, &v->viewer, v->id, dry, key, &id, &existed);
	if (e == ERR_UNCERTAIN && web_db(v->web) == ERR_OK)
		e = store_job_rerun(v->web->db, &v->viewer, v->id, dry, key, &id, &existed);
	if (e == ERR_CONFLICT)
		return refuse_rerun(v);
	if (e != ERR_OK)
		return e;
	return job_made(v, id, existed, existed ? "job_exists" : "job_rerun");
}

static enum err ask_delete(struct visit *v, unsigned status, const struct job *j, const char *error)
{
	struct page_confirm c = {.heading = arena_printf(v->arena, "Delete “%s”?", j->label),
	    .effect = j->state == JOB_QUEUED
			  ? "It is waiting and will not start. It is gone for good."
			  : "The job and its log are gone for good. Mail is not touched on either side.",
	    .button = "Delete",
	    .action_url = url_job(v->arena, j->id, "delete"),
	    .type_word = "delete",
	    .is_dangerous = true,
	    .error = error,
	    .back_url = url_job(v->arena, j->id, NULL),
	    .back_label = "Keep it"};

	return page_confirm(v, status, &c);
}

enum err page_job_delete_ask(struct visit *v)
{
	struct job j;
	enum err e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, &j);

	if (e != ERR_OK)
		return e;
	return j.state == JOB_RUNNING ? refuse_running_delete(v) : ask_delete(v, 200, &j, NULL);
}

static enum err delete_now(struct visit *v)
{
	enum err e = store_job_delete(v->web->db, &v->viewer, v->id);

	if (e == ERR_CONFLICT)
		return refuse_running_delete(v);
	if (e != ERR_OK)
		return e;
	visit_audit(v, "job_delete", arena_printf(v->arena, "job %llu", (unsigned long long)v->id), NULL);
	return page_done(v, 204, URL_JOBS, "job_deleted", NULL);
}

enum err page_job_delete_submit(struct visit *v)
{
	struct job j;
	enum err e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, &j);

	if (e != ERR_OK)
		return e;
	if (j.state == JOB_RUNNING)
		return refuse_running_delete(v);
	if (!page_confirmed(v, "delete"))
		return ask_delete(v, 422, &j, "Type “delete” to confirm.");
	return delete_now(v);
}

enum err page_job_delete_hard(struct visit *v)
{
	const char *hard = params_get(&v->rq->query, "hard");

	if (hard == NULL || strcmp(hard, "true") != 0) {
		page_error(
		    v, &(struct page_error){.status = 400,
			   .detail = "A job is deleted for good, with its log: say so with “?hard=true”."});
		return ERR_OK;
	}
	return delete_now(v);
}
