/* Changing the four credentials of a job that does not run. */
#include <string.h>

#include "fcgi/form.h"
#include "fcgi/job_seal.h"
#include "fcgi/job_view.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"

static const struct form_spec specs[] = {
    {.name = "source_user", .kind = FORM_TEXT, .max_bytes = 255, .required = true},
    {.name = "source_password", .kind = FORM_PASSWORD, .max_bytes = 1024},
    {.name = "dest_user", .kind = FORM_TEXT, .max_bytes = 255, .required = true},
    {.name = "dest_password", .kind = FORM_PASSWORD, .max_bytes = 1024},
};

const struct form_table fields_job_edit = {FORM_ROWS(specs)};

static struct json_object *model_of(struct visit *v, const struct job *j)
{
	struct json_object *m = json_object_new_object();

	view_add(m, "job", job_view(v->arena, j, v->now_s));
	view_str(m, "action_url", url_job(v->arena, j->id, "edit"));
	view_str(m, "test_url", URL_SERVERS_TEST);
	view_str(m, "cancel_link_url", url_job(v->arena, j->id, NULL));
	return m;
}

static enum err refuse_running(struct visit *v)
{
	page_error(v, &(struct page_error){.status = 409,
			  .code = "job_running",
			  .title = "The job is running",
			  .detail = "What a running job uses cannot be changed under it.",
			  .action = "Cancel it or let it end, then change it and run it again.",
			  .link_url = url_job(v->arena, v->id, NULL),
			  .link_label = "Back to the job"});
	return ERR_OK;
}

static enum err refuse_busy(struct visit *v, uint64_t other)
{
	page_error(v,
	    &(struct page_error){.status = 409,
		.code = "mailboxes_busy",
		.title = "These mailboxes are on their way already",
		.detail = arena_printf(v->arena,
		    "Job %llu copies between the same mailboxes and is queued or running. This job was not "
		    "changed.",
		    (unsigned long long)other),
		.action = "Wait until it ends, or cancel one of the two.",
		.link_url = url_job(v->arena, other, NULL),
		.link_label = "Look at that job"});
	return ERR_OK;
}

enum err page_job_edit_form(struct visit *v)
{
	struct json_object *m;
	struct form f;
	struct job j;
	enum err e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, &j);

	if (e != ERR_OK)
		return e;
	if (j.state == JOB_RUNNING)
		return refuse_running(v);
	form_blank(&f, v->rq->secret, FORM_ROWS(specs));
	form_set(&f, "source_user", j.source.user);
	form_set(&f, "dest_user", j.destination.user);
	m = model_of(v, &j);
	page_add_form(m, &f);
	return page_show(v, 200, "job_edit", arena_printf(v->arena, "Edit %s", j.label), m);
}

/* A blank password is "unchanged": not sealed, not sent. */
static enum err seal_given(struct visit *v, const struct job *j, enum vault_side side,
    const struct form_field *fd, struct job_sealed *sealed_r)
{
	if (fd->state != FORM_VALUE)
		return ERR_OK;
	return job_seal(v, j->account_id, side, fd->text, sealed_r);
}

/* Of two passwords that were removed only one was given. */
static enum err refuse_half(struct visit *v, const struct job *j, struct form *f)
{
	static const char *const names[] = {"source_password", "dest_password"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (form_get(f, names[i])->state != FORM_VALUE)
			form_refuse(f, names[i], "The stored passwords were removed: type both, or neither.");
	return page_refused(v, "job_edit", arena_printf(v->arena, "Edit %s", j->label), model_of(v, j), f);
}

enum err page_job_edit_submit(struct visit *v)
{
	struct job_credentials c = {0};
	uint64_t other = 0;
	struct form f;
	struct job j;
	enum err e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, &j);

	if (e != ERR_OK)
		return e;
	if (j.state == JOB_RUNNING)
		return refuse_running(v);
	if (form_read(&f, v->rq->secret, &v->rq->body, FORM_ROWS(specs)) != ERR_OK)
		return page_refused(
		    v, "job_edit", arena_printf(v->arena, "Edit %s", j.label), model_of(v, &j), &f);
	c.src_user = form_get(&f, "source_user")->text;
	c.dst_user = form_get(&f, "dest_user")->text;
	e = seal_given(v, &j, VAULT_SOURCE, form_get(&f, "source_password"), &c.src_sealed);
	if (e == ERR_OK)
		e = seal_given(v, &j, VAULT_DESTINATION, form_get(&f, "dest_password"), &c.dst_sealed);
	if (e == ERR_OK)
		e = store_job_edit(v->web->db, &v->viewer, v->id, &c, &other);
	if (e == ERR_CONFLICT)
		return other != 0 ? refuse_busy(v, other) : refuse_running(v);
	if (e == ERR_INVALID && j.passwords_removed_at != 0)
		return refuse_half(v, &j, &f);
	if (e != ERR_OK)
		return e;
	return job_changed(v, v->id, j.state == JOB_QUEUED ? "job_changed_queued" : "job_changed");
}
