#include "fcgi/visit.h"

#include "lib/log.h"
#include "sql/store_audit.h"

void visit_audit(struct visit *v, const char *action, const char *object, const char *detail)
{
	struct audit entry = {.account_id = v->signed_in ? v->viewer.account_id : 0,
	    .user_id = v->signed_in ? v->viewer.user_id : 0,
	    .token_id = v->token_id,
	    .support = v->support,
	    .address = v->rq->client,
	    .action = action,
	    .object = object,
	    .detail = detail};
	enum err e = store_audit_add(v->web->db, &entry);

	v->is_noted = true;
	if (e != ERR_OK)
		log_warnx("audit %s: %s", action, err_text(e));
}

const char *visit_path(const struct visit *v)
{
	if (v->token == NULL)
		return v->rq->path;
	return arena_printf(v->arena, "%.*s…", (int)(v->token - v->rq->path), v->rq->path);
}
