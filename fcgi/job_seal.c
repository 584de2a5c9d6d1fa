#include "fcgi/job_seal.h"

#include <string.h>

#include "fcgi/job_view.h"
#include "fcgi/page.h"
#include "fcgi/url.h"
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
	}
	return page_done(v, status, url_job(v->arena, id, NULL), notice, model);
}

enum err job_made(struct visit *v, uint64_t id, bool existed, const char *notice)
{
	return answer(v, existed ? 200 : 201, id, notice);
}

enum err job_changed(struct visit *v, uint64_t id, const char *notice)
{
	return answer(v, 200, id, notice);
}
