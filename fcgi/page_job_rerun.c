/* Running a job again: at the push of a button, or with passwords where the stored ones were removed, or with
 * other options. */
#include <string.h>

#include "fcgi/form.h"
#include "fcgi/job_form.h"
#include "fcgi/job_seal.h"
#include "fcgi/job_view.h"
#include "fcgi/options_form.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "sql/store_delete2.h"

static const char *const kinds[] = {"0", "1", NULL};
static const struct form_spec specs[] = {
    {.name = "dry_run", .kind = FORM_CHOICE, .choices = kinds, .required = true},
    {.name = "request_key", .kind = FORM_TEXT, .max_bytes = 64},
    {.name = "source_password", .kind = FORM_PASSWORD, .max_bytes = FORM_SECRET_MAX_BYTES},
    {.name = "dest_password", .kind = FORM_PASSWORD, .max_bytes = FORM_SECRET_MAX_BYTES},
    /* said anew with each run: nothing that deletes is carried over unseen */
    {.name = "delete2", .kind = FORM_CHECK},
    {.name = "delete2_present", .kind = FORM_CHECK},
    {.name = REQUEST_NESTED, .kind = FORM_OPTIONS},
};

const struct form_table fields_job_rerun = {FORM_ROWS(specs)};

static enum err refuse_not_ended(struct visit *v)
{
	page_error(v, &(struct page_error){.status = 409,
			  .code = "job_not_ended",
			  .title = "The job has not ended",
			  .detail = "A job can be run again when it has ended.",
			  .action = "Wait until it ends, or cancel it.",
			  .link_url = url_job(v->arena, v->id, NULL),
			  .link_label = "Back to the job"});
	return ERR_OK;
}

static struct json_object *model_of(struct visit *v, const struct job *j, const struct form *f)
{
	struct json_object *m = json_object_new_object();
	bool may = false;

	/* a box that is not offered is the lesser evil */
	if (store_delete2_may(v->web->db, j->account_id, &may) != ERR_OK)
		may = false;
	view_bool(m, "may_delete2", may);

	view_add(m, "job", job_view(v->arena, j, v->now_s));
	view_str(m, "action_url", url_job(v->arena, j->id, "rerun"));
	view_str(m, "back_url", url_job(v->arena, j->id, NULL));
	options_form_view(m, v->arena, f);
	return m;
}

static const char *title_of(struct visit *v, const struct job *j)
{
	return arena_printf(v->arena, "Run %s again", j->label);
}

enum err page_job_rerun_form(struct visit *v)
{
	unsigned count;
	const struct form_spec *all = options_form_specs(v->rq->secret, FORM_ROWS(specs), &count);
	struct json_object *m;
	struct form f;
	struct job j;
	enum err e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, &j);

	if (e != ERR_OK)
		return e;
	if (!job_state_is_ended(j.state))
		return refuse_not_ended(v);
	form_blank(&f, v->rq->secret, all, count);
	options_form_fill(&f, v->rq->secret, j.options);
	form_set(&f, "request_key", job_form_new_key(v->arena));
	form_set_check(&f, "delete2", j.delete2);
	m = model_of(v, &j, &f);
	page_add_form(m, &f);
	return page_show(v, 200, "job_rerun", title_of(v, &j), m);
}

/* What a job without passwords of its own must be given.  Whether it was. */
static bool demand_password(struct form *f, const char *name)
{
	if (form_get(f, name)->state == FORM_VALUE)
		return true;
	form_refuse(f, name, "The stored password was removed: type it again.");
	return false;
}

static enum err refuse_form(struct visit *v, const struct job *j, const struct form *f)
{
	bool needs_passwords =
	    form_get(f, "source_password")->error != NULL || form_get(f, "dest_password")->error != NULL;

	if (v->rq->wants_json && f->error == NULL && j->passwords_removed_at != 0 && needs_passwords) {
		page_error(v, &(struct page_error){.status = 422,
				  .code = "passwords_needed",
				  .title = "The job's passwords were removed",
				  .detail = "To run it again, give source_password and dest_password.",
				  .fields = form_problems(f)});
		return ERR_OK;
	}
	return page_refused(v, "job_rerun", title_of(v, j), model_of(v, j, f), f);
}

/* The store would not: look for the reason. */
static enum err refuse_conflict(struct visit *v, struct form *f)
{
	uint64_t other;
	struct job j;
	enum err e = store_job_busy(v->web->db, &v->viewer, v->id, &other);

	if (e == ERR_OK)
		return job_refuse_busy(v, other, NULL, "Wait until it ends, or cancel it.");
	if (e == ERR_NOT_FOUND)
		e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, &j);
	if (e != ERR_OK)
		return e;
	/* removed since we looked */
	if (job_state_is_ended(j.state) && j.passwords_removed_at != 0) {
		(void)demand_password(f, "source_password");
		(void)demand_password(f, "dest_password");
		return refuse_form(v, &j, f);
	}
	return refuse_not_ended(v);
}

/* A job that is to do with deleting is run again as such, unless it is said that it is not; and dry. */
static bool fix_delete2(struct form *f, const struct job *j)
{
	if (!form_says(f, "delete2"))
		form_set_check(f, "delete2", j->delete2);
	if (!form_get(f, "delete2")->checked || form_get(f, "dry_run")->text[0] != '0')
		return true;
	form_refuse(f, "delete2",
	    "No run is made again that deletes. A new dry run counts what would be deleted now, and is "
	    "confirmed on "
	    "its page; or say that nothing is to be deleted (delete2=0).");
	return false;
}

static enum err rerun(struct visit *v, const struct job *j, struct form *f, const char *options)
{
	unsigned char key[JOB_REQUEST_KEY_BYTES];
	struct job_rerun r = {.dry_run = form_get(f, "dry_run")->text[0] == '1',
	    .request_key = key,
	    .options = options,
	    .delete2 = form_get(f, "delete2")->checked};
	bool existed = false;
	uint64_t id = 0;
	enum err e = job_seal_given(v, j, VAULT_SOURCE, form_get(f, "source_password"), &r.src_sealed);

	if (e == ERR_OK)
		e = job_seal_given(v, j, VAULT_DESTINATION, form_get(f, "dest_password"), &r.dst_sealed);
	if (e != ERR_OK)
		return e;
	job_form_request_key(form_get(f, "request_key")->text, key);
	e = store_job_rerun(v->web->db, &v->viewer, v->id, &r, &id, &existed);
	if (e == ERR_UNCERTAIN && web_db(v->web) == ERR_OK)
		e = store_job_rerun(v->web->db, &v->viewer, v->id, &r, &id, &existed);
	if (e == ERR_CONFLICT)
		return refuse_conflict(v, f);
	if (e == ERR_DENIED) {
		form_refuse(f, "delete2", DELETE2_DENIED_TEXT);
		return refuse_form(v, j, f);
	}
	if (e != ERR_OK)
		return e;
	if (!existed)
		job_note(v, "job_rerun", id,
		    arena_printf(v->arena, "of job %llu, %s", (unsigned long long)v->id,
			r.dry_run ? "dry run" : "real run"));
	return job_made(v, id, existed, existed ? "job_exists" : "job_rerun");
}

enum err page_job_rerun_submit(struct visit *v)
{
	struct form f;
	struct job j;
	unsigned count;
	const struct form_spec *all = options_form_specs(v->rq->secret, FORM_ROWS(specs), &count);
	const char *options = NULL;
	bool complete = form_read(&f, v->rq->secret, &v->rq->body, all, count) == ERR_OK;
	enum err e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, &j);

	if (e != ERR_OK)
		return e;
	complete = options_form_take(&f, v->arena, &v->rq->body, &options) == ERR_OK && complete;
	complete =
	    options_form_check_secrets(&f, v->arena, options != NULL ? options : j.options) == ERR_OK &&
	    complete;
	if (form_get(&f, "dry_run")->state != FORM_VALUE)
		form_refuse(&f, NULL, "Say whether it is a dry run (dry_run=1) or a real one (dry_run=0).");
	if (job_state_is_ended(j.state) && j.passwords_removed_at != 0) {
		complete = demand_password(&f, "source_password") && complete;
		complete = demand_password(&f, "dest_password") && complete;
	}
	complete = fix_delete2(&f, &j) && complete;
	return complete ? rerun(v, &j, &f, options) : refuse_form(v, &j, &f);
}
