/* A new job: its form, and queueing it. */
#include <string.h>

#include "fcgi/job_form.h"
#include "fcgi/job_seal.h"
#include "fcgi/job_view.h"
#include "fcgi/limit_view.h"
#include "fcgi/options_form.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "sql/store_job.h"
#include "sql/store_server.h"

enum err page_job_new(struct visit *v)
{
	struct form f;

	job_form_blank(v, &f);
	return job_form_show(v, 200, &f, NULL, NULL);
}

/* Refuse f where a chosen server is not one the viewer may use. */
static enum err check_servers(struct visit *v, struct form *f)
{
	static const char *const names[] = {"source_server_id", "dest_server_id"};
	struct server s;
	size_t i;

	for (i = 0; i < 2; i++) {
		enum err e =
		    store_server_get(v->web->db, v->arena, &v->viewer, form_get(f, names[i])->number, &s);

		if (e == ERR_NOT_FOUND)
			form_refuse(f, names[i], "This server is not there any more. Choose another.");
		else if (e != ERR_OK)
			return e;
	}
	return f->has_errors ? ERR_INVALID : ERR_OK;
}

/* Deleting begins with a dry run that counts (page_delete2.c). */
static enum err check_delete2(struct form *f)
{
	if (!form_get(f, "delete2")->checked || form_get(f, "dry_run")->checked)
		return ERR_OK;
	form_refuse(f, "delete2",
	    "Deleting begins with a dry run, which counts: what it counted is confirmed on its page.");
	return ERR_INVALID;
}

static enum err queue(
    struct visit *v, const struct form *f, const char *options, uint64_t *id_r, bool *existed_r)
{
	unsigned char key[JOB_REQUEST_KEY_BYTES];
	struct job_new n = {.name = form_get(f, "name")->text,
	    .dry_run = form_get(f, "dry_run")->checked,
	    .request_key = key,
	    .src_server_id = form_get(f, "source_server_id")->number,
	    .dst_server_id = form_get(f, "dest_server_id")->number,
	    .src_user = form_get(f, "source_user")->text,
	    .dst_user = form_get(f, "dest_user")->text,
	    .delete2 = form_get(f, "delete2")->checked,
	    .options = options != NULL && *options != '\0' ? options : NULL};
	enum err e;

	job_form_request_key(form_get(f, "request_key")->text, key);
	e = job_seal(
	    v, v->viewer.account_id, VAULT_SOURCE, form_get(f, "source_password")->text, &n.src_sealed);
	if (e == ERR_OK)
		e = job_seal(v, v->viewer.account_id, VAULT_DESTINATION, form_get(f, "dest_password")->text,
		    &n.dst_sealed);
	if (e != ERR_OK)
		return e;
	e = store_job_create(v->web->db, &v->viewer, &n, id_r, existed_r);
	/* the same key makes a second call harmless, and tells what became of the first */
	if (e == ERR_UNCERTAIN && web_db(v->web) == ERR_OK)
		e = store_job_create(v->web->db, &v->viewer, &n, id_r, existed_r);
	return e;
}

enum err page_job_create(struct visit *v)
{
	struct form f;
	uint64_t id = 0;
	bool existed = false;
	const char *options = NULL;
	enum err e = job_form_read(v, &f);

	if (e == ERR_OK || e == ERR_INVALID)
		e = options_form_take(&f, v->arena, &v->rq->body, &options);
	if (e == ERR_OK)
		e = options_form_check_secrets(&f, v->arena, options);
	if (e == ERR_OK)
		e = check_delete2(&f);
	if (e == ERR_OK)
		e = check_servers(v, &f);
	if (e == ERR_INVALID)
		return job_form_refused(v, &f);
	if (e == ERR_OK)
		e = queue(v, &f, options, &id, &existed);
	if (e == ERR_INVALID || e == ERR_NOT_FOUND || e == ERR_TOO_BIG) {
		form_refuse(
		    &f, NULL, "One of the values is out of range, or a server was deleted meanwhile.");
		return job_form_refused(v, &f);
	}
	if (e == ERR_DENIED) {
		form_refuse(&f, "delete2", DELETE2_DENIED_TEXT);
		return job_form_refused(v, &f);
	}
	if (e == ERR_LIMIT) {
		form_refuse(&f, NULL, limit_text(v));
		return job_form_refused(v, &f);
	}
	if (e != ERR_OK)
		return e;
	if (!existed)
		job_note(v, "job_create", id, form_get(&f, "dry_run")->checked ? "dry run" : "real run");
	return job_made(v, id, existed, existed ? "job_exists" : "job_created");
}
