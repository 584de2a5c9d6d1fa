/* Many jobs by one request of a script: a batch from a list. */
#include <string.h>

#include "fcgi/import_options.h"
#include "fcgi/import_stage.h"
#include "fcgi/job_form.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "fcgi/web.h"
#include "lib/log.h"
#include "sql/store_batch.h"
#include "sql/store_import.h"

static const struct form_spec specs[] = {
    {.name = "tag", .kind = FORM_TEXT, .max_bytes = BATCH_TAG_MAX_CHARS, .required = true},
    {.name = "dry_run", .kind = FORM_CHECK},
    {.name = "skip_bad", .kind = FORM_CHECK},
    {.name = "request_key", .kind = FORM_TEXT, .max_bytes = 64},
    {.name = REQUEST_NESTED, .kind = FORM_OPTIONS},
};

const struct form_table fields_batch_new = {FORM_ROWS(specs)};

/* Refused as a whole.  rows is taken; jobs: what is wrong with the list, or NULL. */
static enum err refuse(struct visit *v, struct form *f, const char *jobs, struct json_object *rows)
{
	struct json_object *fields = form_problems(f);

	if (jobs != NULL)
		view_str(fields, REQUEST_ROWS, jobs);
	page_error(v, &(struct page_error){.status = 422,
			  .code = rows != NULL ? "rows" : "form",
			  .detail = rows != NULL ? "Some rows cannot be queued, so nothing was." : f->error,
			  .fields = fields,
			  .rows = rows});
	return ERR_OK;
}

static enum err refuse_outcome(struct visit *v, struct form *f, enum import_outcome why)
{
	switch (why) {
	case IMPORT_TAG_TAKEN:
		form_refuse(f, "tag", "There is a batch of this name already. Choose another.");
		return refuse(v, f, NULL, NULL);
	case IMPORT_QUEUED_ELSEWHERE:
		page_error(v, &(struct page_error){.status = 409,
				  .code = "mailboxes_busy",
				  .title = "These mailboxes are on their way already",
				  .detail = "Some of these mailboxes were queued at this moment by somebody "
					    "else. Nothing was queued now."});
		return ERR_OK;
	default:
		page_error(v, &(struct page_error){.status = 409,
				  .code = "server_gone",
				  .title = "A server is not there any more",
				  .detail = "A server that rows name was deleted at this moment. Nothing was "
					    "queued."});
		return ERR_OK;
	}
}

/* Which job each good row became; jobs that are gone again leave the list as it is. */
static enum err add_jobs(
    struct visit *v, struct json_object *m, uint64_t batch_id, const struct import_list_result *r)
{
	struct json_object *list = json_object_new_array();
	uint64_t *ids;
	size_t count;
	enum err e = store_batch_jobs(v->web->db, v->arena, &v->viewer, batch_id, &ids, &count);

	for (size_t i = 0; e == ERR_OK && count == r->good && i < count; i++) {
		struct json_object *o = json_object_new_object();

		view_int(o, "index", (int64_t)r->indexes[i]);
		view_int(o, "id", (int64_t)ids[i]);
		json_object_array_add(list, o);
	}
	view_add(m, "jobs", list);
	return e;
}

/* r: what was made now; NULL: it had been made before. */
static enum err answer(struct visit *v, uint64_t batch_id, struct import_list_result *r)
{
	struct json_object *m = json_object_new_object(), *o = json_object_new_object();
	struct batch b;
	enum err e = store_batch_get(v->web->db, v->arena, &v->viewer, batch_id, &b);

	if (e == ERR_OK) {
		view_int(o, "id", (int64_t)b.id);
		view_str(o, "tag", b.tag);
		view_str(o, "url", url_batch(v->arena, b.id, NULL));
	}
	view_add(m, "batch", o);
	view_count(m, v->arena, "queued", r != NULL ? r->good : 0, r != NULL);
	view_count(m, v->arena, "skipped", r != NULL ? r->bad : 0, r != NULL);
	if (e == ERR_OK && r != NULL)
		e = add_jobs(v, m, batch_id, r);
	else
		view_null(m, "jobs");
	view_add(m, "rows", r != NULL ? json_object_get(r->problems) : json_object_new_array());
	if (e != ERR_OK) {
		json_object_put(m);
		return e;
	}
	return page_done(v, r != NULL ? 201 : 200, url_batch(v->arena, batch_id, NULL),
	    r != NULL ? "import_queued" : "import_exists", m);
}

static enum err confirm(struct visit *v, const struct form *f, uint64_t import_id, const unsigned char *key,
    enum import_outcome *outcome_r, uint64_t *batch_r)
{
	const char *tag = form_get(f, "tag")->text;
	bool dry = form_get(f, "dry_run")->checked;
	enum err e = store_import_confirm_once(
	    v->web->db, &v->viewer, import_id, tag, key, dry, true, outcome_r, batch_r);

	/* a second confirmation is harmless, and tells what became of the first */
	if (e == ERR_UNCERTAIN && web_db(v->web) == ERR_OK)
		e = store_import_confirm_once(
		    v->web->db, &v->viewer, import_id, tag, key, dry, true, outcome_r, batch_r);
	return e;
}

/* Judge, keep, queue.  r->problems stays the caller's. */
static enum err make(struct visit *v, struct form *f, const char *options, const unsigned char *key,
    struct import_list_result *r)
{
	enum import_outcome outcome = IMPORT_DONE;
	uint64_t import_id = 0, batch_id = 0;
	enum err e =
	    import_stage_list(v, v->rq->rows, options, form_get(f, "skip_bad")->checked, r, &import_id);

	if (e == ERR_CONFLICT)
		return refuse(v, f, NULL, json_object_get(r->problems));
	if (e == ERR_OK)
		e = confirm(v, f, import_id, key, &outcome, &batch_id);
	if ((e != ERR_OK || (outcome != IMPORT_DONE && outcome != IMPORT_DONE_BEFORE)) && import_id != 0 &&
	    store_import_discard(v->web->db, &v->viewer, import_id) != ERR_OK)
		log_warnx("import %llu stays until its hour is over", (unsigned long long)import_id);
	if (e != ERR_OK)
		return e;
	/* sent twice at the same moment, with the same key */
	if (outcome == IMPORT_TAG_TAKEN &&
	    store_batch_by_key(v->web->db, &v->viewer, key, &batch_id) == ERR_OK)
		return answer(v, batch_id, NULL);
	if (outcome != IMPORT_DONE && outcome != IMPORT_DONE_BEFORE)
		return refuse_outcome(v, f, outcome);
	visit_audit(v, "import", arena_printf(v->arena, "batch %llu", (unsigned long long)batch_id),
	    view_plural_text(v->arena, r->good, "job"));
	return answer(v, batch_id, r);
}

static const char *judge_list(struct visit *v)
{
	size_t count = v->rq->rows != NULL ? json_object_array_length(v->rq->rows) : 0;

	if (v->rq->rows == NULL)
		return "Give a list of jobs, as JSON.";
	if (count == 0)
		return "There is no job in it.";
	if (count > IMPORT_LIST_MAX)
		return arena_printf(v->arena, "There are more than %s in it: send it in parts.",
		    view_plural_text(v->arena, IMPORT_LIST_MAX, "job"));
	return NULL;
}

enum err page_batch_create(struct visit *v)
{
	struct import_list_result r = {0};
	unsigned char key[JOB_REQUEST_KEY_BYTES];
	const char *list_problem = judge_list(v), *options;
	struct form f;
	uint64_t id;
	enum err e = import_options_read(v, &f, FORM_ROWS(specs), &options);

	/* a script that says nothing of it gets the careful kind */
	if (form_get(&f, "dry_run")->state == FORM_ABSENT)
		form_set_check(&f, "dry_run", true);
	if (e == ERR_OK && !batch_tag_fits(form_get(&f, "tag")->text))
		form_refuse(&f, "tag",
		    "Use letters from A to Z, digits, - _ . and single blanks, 64 characters at most.");
	if (f.has_errors || list_problem != NULL)
		return refuse(v, &f, list_problem, NULL);
	job_form_request_key(form_get(&f, "request_key")->text, key);
	e = store_batch_by_key(v->web->db, &v->viewer, key, &id);
	if (e == ERR_OK)
		return answer(v, id, NULL);
	if (e != ERR_NOT_FOUND)
		return e;
	e = make(v, &f, options, key, &r);
	json_object_put(r.problems);
	return e;
}
