/* Changing the four credentials and the options of a job that does not run. */
#include <string.h>

#include "fcgi/form.h"
#include "fcgi/job_seal.h"
#include "fcgi/job_view.h"
#include "fcgi/options_form.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/version.h"
#include "fcgi/view.h"

static const struct form_spec specs[] = {
    {.name = "source_user", .kind = FORM_TEXT, .max_bytes = 255, .required = true},
    {.name = "source_password", .kind = FORM_PASSWORD, .max_bytes = FORM_SECRET_MAX_BYTES},
    {.name = "dest_user", .kind = FORM_TEXT, .max_bytes = 255, .required = true},
    {.name = "dest_password", .kind = FORM_PASSWORD, .max_bytes = FORM_SECRET_MAX_BYTES},
    VERSION_FIELD,
    {.name = REQUEST_NESTED, .kind = FORM_OPTIONS},
};

const struct form_table fields_job_edit = {FORM_ROWS(specs)};

static struct json_object *model_of(struct visit *v, const struct job *j, const struct form *f, bool is_stale)
{
	struct json_object *m = json_object_new_object();

	view_add(m, "job", job_view(v->arena, j, v->now_s));
	view_str(m, "action_url", url_job(v->arena, j->id, "edit"));
	view_str(m, "test_url", URL_SERVERS_TEST);
	view_str(m, "cancel_link_url", url_job(v->arena, j->id, NULL));
	version_add(v, m, version_of_moment(v->arena, j->updated_us), is_stale);
	options_form_view(m, v->arena, f);
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

/* What was confirmed is what is run. */
static enum err refuse_confirmed(struct visit *v)
{
	page_error(
	    v, &(struct page_error){.status = 409,
		   .code = "delete2",
		   .title = "The job is confirmed as it is",
		   .detail = "It is going to delete what was counted in this mailbox, with these options: "
			     "that cannot be changed to another mailbox or other options.",
		   .action = "Cancel it, and begin with a new dry run.",
		   .link_url = url_job(v->arena, v->id, NULL),
		   .link_label = "Back to the job"});
	return ERR_OK;
}

enum err page_job_edit_form(struct visit *v)
{
	unsigned count;
	const struct form_spec *all = options_form_specs(v->rq->secret, FORM_ROWS(specs), &count);
	struct json_object *m;
	struct form f;
	struct job j;
	enum err e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, &j);

	if (e != ERR_OK)
		return e;
	if (j.state == JOB_RUNNING)
		return refuse_running(v);
	if (job_is_confirmed(&j))
		return refuse_confirmed(v);
	form_blank(&f, v->rq->secret, all, count);
	form_set(&f, "source_user", j.source.user);
	form_set(&f, "dest_user", j.destination.user);
	options_form_fill(&f, v->rq->secret, j.options);
	m = model_of(v, &j, &f, false);
	version_tell(v, version_of_moment(v->arena, j.updated_us));
	page_add_form(m, &f);
	return page_show(v, 200, "job_edit", arena_printf(v->arena, "Edit %s", j.label), m);
}

/* Of two passwords that were removed only one was given. */
static enum err refuse_half(struct visit *v, const struct job *j, struct form *f)
{
	static const char *const names[] = {"source_password", "dest_password"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (form_get(f, names[i])->state != FORM_VALUE)
			form_refuse(f, names[i], "The stored passwords were removed: type both, or neither.");
	return page_refused(
	    v, "job_edit", arena_printf(v->arena, "Edit %s", j->label), model_of(v, j, f, false), f);
}

/* Somebody changed the job meanwhile, or set it going. */
static enum err refuse_stale(struct visit *v, struct form *f)
{
	struct job j;
	enum err e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, &j);

	if (e != ERR_OK)
		return e;
	return page_stale(
	    v, "job_edit", arena_printf(v->arena, "Edit %s", j.label), model_of(v, &j, f, true), f);
}

/* What was given, by its names and without its values. */
static const char *edited(
    struct visit *v, const struct job *j, const struct job_credentials *c, const struct form *f)
{
	const struct {
		const char *name;
		bool is_new;
	} all[] = {
	    {"source_user", strcmp(c->src_user, j->source.user) != 0},
	    {"source_password", form_get(f, "source_password")->state == FORM_VALUE},
	    {"dest_user", strcmp(c->dst_user, j->destination.user) != 0},
	    {"dest_password", form_get(f, "dest_password")->state == FORM_VALUE},
	    {"options", c->options != NULL && strcmp(c->options, j->options != NULL ? j->options : "") != 0},
	};
	const char *text = NULL;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].is_new)
			text =
			    text != NULL ? arena_printf(v->arena, "%s, %s", text, all[i].name) : all[i].name;
	return text;
}

enum err page_job_edit_submit(struct visit *v)
{
	unsigned count;
	const struct form_spec *all = options_form_specs(v->rq->secret, FORM_ROWS(specs), &count);
	struct job_credentials c = {0};
	uint64_t other = 0;
	struct form f;
	struct job j;
	enum err e = store_job_get(v->web->db, v->arena, &v->viewer, v->id, &j);

	if (e != ERR_OK)
		return e;
	if (j.state == JOB_RUNNING)
		return refuse_running(v);
	if (job_is_confirmed(&j))
		return refuse_confirmed(v);
	e = form_read(&f, v->rq->secret, &v->rq->body, all, count);
	if (e == ERR_OK || e == ERR_INVALID)
		e = options_form_take(&f, v->arena, &v->rq->body, &c.options);
	if (e == ERR_OK)
		e = options_form_check_secrets(&f, v->arena, c.options != NULL ? c.options : j.options);
	if (e != ERR_OK)
		return page_refused(v, "job_edit", arena_printf(v->arena, "Edit %s", j.label),
		    model_of(v, &j, &f, false), &f);
	c.if_version = version_wanted(v);
	c.src_user = form_get(&f, "source_user")->text;
	c.dst_user = form_get(&f, "dest_user")->text;
	e = job_seal_given(v, &j, VAULT_SOURCE, form_get(&f, "source_password"), &c.src_sealed);
	if (e == ERR_OK)
		e = job_seal_given(v, &j, VAULT_DESTINATION, form_get(&f, "dest_password"), &c.dst_sealed);
	if (e == ERR_OK)
		e = store_job_edit(v->web->db, &v->viewer, v->id, &c, &other);
	if (e == ERR_STALE)
		return refuse_stale(v, &f);
	if (e == ERR_CONFLICT)
		return other != 0 ? job_refuse_busy(v, other, "This job was not changed.",
					"Wait until it ends, or cancel one of the two.")
				  : refuse_running(v);
	if (e == ERR_INVALID && j.passwords_removed_at != 0)
		return refuse_half(v, &j, &f);
	if (e != ERR_OK)
		return e;
	job_note(v, "job_edit", v->id, edited(v, &j, &c, &f));
	return job_changed(v, v->id, j.state == JOB_QUEUED ? "job_changed_queued" : "job_changed");
}
