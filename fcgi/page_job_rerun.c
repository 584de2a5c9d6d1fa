/* Running a job again: at the push of a button, or with passwords where the stored ones were removed. */
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
static const struct form_spec specs[] = {
    {.name = "dry_run", .kind = FORM_CHOICE, .choices = kinds, .required = true},
    {.name = "request_key", .kind = FORM_TEXT, .max_bytes = 64},
    {.name = "source_password", .kind = FORM_PASSWORD, .max_bytes = 1024},
    {.name = "dest_password", .kind = FORM_PASSWORD, .max_bytes = 1024},
};

const struct form_table fields_job_rerun = {FORM_ROWS(specs)};

static enum err refuse(struct visit *v, const char *code, const char *title, const char *detail,
    uint64_t other, const char *label)
{
	page_error(v, &(struct page_error){.status = 409,
			  .code = code,
			  .title = title,
			  .detail = detail,
			  .action = "Wait until it ends, or cancel it.",
			  .link_url = url_job(v->arena, other, NULL),
			  .link_label = label});
	return ERR_OK;
}

static enum err refuse_not_ended(struct visit *v)
{
	return refuse(v, "job_not_ended", "The job has not ended",
	    "A job can be run again when it has ended.", v->id, "Back to the job");
}

static enum err refuse_busy(struct visit *v, uint64_t other)
{
	return refuse(v, "mailboxes_busy", "These mailboxes are on their way already",
	    arena_printf(v->arena, "Job %llu copies between the same mailboxes and is queued or running.",
		(unsigned long long)other),
	    other, "Look at that job");
}

static struct json_object *model_of(struct visit *v, const struct job *j)
{
	struct json_object *m = json_object_new_object();

	view_add(m, "job", job_view(v->arena, j, v->now_s));
	view_str(m, "action_url", url_job(v->arena, j->id, "rerun"));
	view_str(m, "back_url", url_job(v->arena, j->id, NULL));
	return m;
}

static const char *title_of(struct visit *v, const struct job *j)
{
	return arena_printf(v->arena, "Run %s again", j->label);
}

enum err page_job_rerun_form(struct visit *v)
{
	struct json_object *m;
	struct form f;
	struct job j;
	enum err e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, &j);

	if (e != ERR_OK)
		return e;
	if (!job_state_is_ended(j.state))
		return refuse_not_ended(v);
	form_blank(&f, v->rq->secret, FORM_ROWS(specs));
	form_set(&f, "request_key", job_form_new_key(v->arena));
	m = model_of(v, &j);
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
	if (v->rq->wants_json && f->error == NULL && j->passwords_removed_at != 0) {
		page_error(v, &(struct page_error){.status = 422,
				  .code = "passwords_needed",
				  .title = "The job's passwords were removed",
				  .detail = "To run it again, give source_password and dest_password.",
				  .fields = form_problems(f)});
		return ERR_OK;
	}
	return page_refused(v, "job_rerun", title_of(v, j), model_of(v, j), f);
}

static enum err seal_given(struct visit *v, const struct job *j, enum vault_side side,
    const struct form_field *fd, struct job_sealed *sealed_r)
{
	return fd->state == FORM_VALUE ? job_seal(v, j->account_id, side, fd->text, sealed_r) : ERR_OK;
}

/* The store would not: look for the reason. */
static enum err refuse_conflict(struct visit *v, struct form *f)
{
	uint64_t other;
	struct job j;
	enum err e = store_job_busy(v->web->db, &v->viewer, v->id, &other);

	if (e == ERR_OK)
		return refuse_busy(v, other);
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

static enum err rerun(struct visit *v, const struct job *j, struct form *f)
{
	unsigned char key[JOB_REQUEST_KEY_BYTES];
	struct job_rerun r = {.dry_run = form_get(f, "dry_run")->text[0] == '1', .request_key = key};
	bool existed = false;
	uint64_t id = 0;
	enum err e = seal_given(v, j, VAULT_SOURCE, form_get(f, "source_password"), &r.src_sealed);

	if (e == ERR_OK)
		e = seal_given(v, j, VAULT_DESTINATION, form_get(f, "dest_password"), &r.dst_sealed);
	if (e != ERR_OK)
		return e;
	job_form_request_key(form_get(f, "request_key")->text, key);
	e = store_job_rerun(v->web->db, &v->viewer, v->id, &r, &id, &existed);
	if (e == ERR_UNCERTAIN && web_db(v->web) == ERR_OK)
		e = store_job_rerun(v->web->db, &v->viewer, v->id, &r, &id, &existed);
	if (e == ERR_CONFLICT)
		return refuse_conflict(v, f);
	if (e != ERR_OK)
		return e;
	return job_made(v, id, existed, existed ? "job_exists" : "job_rerun");
}

enum err page_job_rerun_submit(struct visit *v)
{
	struct form f;
	struct job j;
	bool complete = form_read(&f, v->rq->secret, &v->rq->body, FORM_ROWS(specs)) == ERR_OK;
	enum err e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, &j);

	if (e != ERR_OK)
		return e;
	if (form_get(&f, "dry_run")->state != FORM_VALUE)
		form_refuse(&f, NULL, "Say whether it is a dry run (dry_run=1) or a real one (dry_run=0).");
	if (job_state_is_ended(j.state) && j.passwords_removed_at != 0) {
		complete = demand_password(&f, "source_password") && complete;
		complete = demand_password(&f, "dest_password") && complete;
	}
	return complete ? rerun(v, &j, &f) : refuse_form(v, &j, &f);
}
