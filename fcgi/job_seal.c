#include "fcgi/job_seal.h"

#include <string.h>

#include "fcgi/job_view.h"
#include "fcgi/page.h"
#include "fcgi/url.h"
#include "fcgi/version.h"
#include "fcgi/view.h"

enum err job_seal(struct visit *v, uint64_t account_id, enum vault_side side, const char *password,
    struct job_sealed *sealed_r)
{
	AUTO_BUF struct buf box = BUF_INIT;
	enum err e =
	    vault_seal(v->web->key, vault_aad(v->arena, account_id, side), password, strlen(password), &box);

	if (e != ERR_OK)
		return e;
	sealed_r->bytes = arena_strndup(v->arena, box.data, box.len);
	sealed_r->len = box.len;
	return ERR_OK;
}

enum err job_seal_given(struct visit *v, const struct job *j, enum vault_side side,
    const struct form_field *field, struct job_sealed *sealed_r)
{
	return field->state == FORM_VALUE ? job_seal(v, j->account_id, side, field->text, sealed_r) : ERR_OK;
}

enum err job_refuse_busy(struct visit *v, uint64_t other, const char *undone, const char *action)
{
	page_error(
	    v, &(struct page_error){.status = 409,
		   .code = "mailboxes_busy",
		   .title = "These mailboxes are on their way already",
		   .detail = arena_printf(v->arena,
		       "Job %llu copies between the same mailboxes and is queued or running.%s%s",
		       (unsigned long long)other, undone != NULL ? " " : "", undone != NULL ? undone : ""),
		   .action = action,
		   .link_url = url_job(v->arena, other, NULL),
		   .link_label = "Look at that job"});
	return ERR_OK;
}

static enum err answer(struct visit *v, unsigned status, uint64_t id, const char *notice)
{
	struct json_object *model = NULL;

	if (v->rq->wants_json) {
		struct job j;
		enum err e = store_job_get(v->web->db, v->arena, &v->viewer, id, &j);

		if (e != ERR_OK)
			return e;
		model = json_object_new_object();
		view_add(model, "job", job_view(v->arena, &j, v->now_s));
		version_tell(v, version_of_moment(v->arena, j.updated_us));
	}
	return page_done(v, status, url_job(v->arena, id, NULL), notice, model);
}

enum err job_made(struct visit *v, uint64_t id, bool existed, const char *notice)
{
	return answer(v, existed ? 200 : 201, id, notice);
}

void job_note(struct visit *v, const char *action, uint64_t id, const char *detail)
{
	visit_audit(v, action, arena_printf(v->arena, "job %llu", (unsigned long long)id), detail);
}

enum err job_changed(struct visit *v, uint64_t id, const char *notice)
{
	return answer(v, 200, id, notice);
}
