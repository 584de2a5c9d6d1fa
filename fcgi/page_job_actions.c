/* What can be done with a job: cancel, delete, remove its passwords.  (Run again: page_job_rerun.c.) */
#include <string.h>

#include "fcgi/form.h"
#include "fcgi/job_form.h"
#include "fcgi/job_seal.h"
#include "fcgi/job_view.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/version.h"
#include "fcgi/view.h"

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

static enum err refuse_needed(struct visit *v)
{
	return refuse(v, "job_not_ended", "The job has not ended",
	    "A job that waits or runs needs its passwords.", "Wait until it ends, or cancel it.");
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
	job_note(v, "job_cancel", v->id, s == JOB_CANCELLED ? "it waited" : "it was running");
	return job_changed(v, v->id, s == JOB_CANCELLED ? "job_cancelled" : "job_stopping");
}

enum err page_job_passwords_ask(struct visit *v)
{
	struct page_confirm c = {.button = "Remove the passwords",
	    .effect =
		"The passwords stored with this job are removed for good; the job and its log stay. To run "
		"it again, both must be given again. Other runs of these mailboxes keep theirs.",
	    .action_url = url_job(v->arena, v->id, "remove-passwords"),
	    .back_url = url_job(v->arena, v->id, NULL),
	    .back_label = "Keep them",
	    .is_dangerous = true};
	struct job j;
	enum err e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, &j);

	if (e != ERR_OK)
		return e;
	if (!job_state_is_ended(j.state))
		return refuse_needed(v);
	c.heading = arena_printf(v->arena, "Remove the passwords of “%s”?", j.label);
	return page_confirm(v, 200, &c);
}

enum err page_job_passwords_remove(struct visit *v)
{
	bool had = false;
	enum err e = store_job_remove_passwords(v->web->db, &v->viewer, v->id, &had);

	if (e == ERR_CONFLICT)
		return refuse_needed(v);
	if (e != ERR_OK)
		return e;
	if (had)
		job_note(v, "passwords_remove", v->id, NULL);
	return job_changed(v, v->id, "passwords_removed");
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
	enum err e = store_job_delete(v->web->db, &v->viewer, v->id, version_wanted(v));

	if (e == ERR_CONFLICT)
		return refuse_running_delete(v);
	if (e != ERR_OK)
		return e;
	job_note(v, "job_delete", v->id, NULL);
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
