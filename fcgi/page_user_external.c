/* What issuers call a user, for administrators: by that, links sign in. */
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/user_view.h"
#include "fcgi/view.h"
#include "sql/store_external.h"
#include "sql/store_user.h"

enum { NAMES_MAX_BYTES = 8000 };

static const struct form_spec specs[] = {
    {.name = "external_ids", .kind = FORM_LINES, .max_bytes = NAMES_MAX_BYTES},
};

static enum err refuse(struct visit *v, const struct form *f, const char *why)
{
	page_error(v, &(struct page_error){.status = 422,
			  .code = "form",
			  .title = "The external ids were not changed",
			  .detail = why,
			  .link_url = url_user(v->arena, v->id, NULL),
			  .link_label = "Back to the user",
			  .fields = form_problems(f)});
	return ERR_OK;
}

enum err page_user_external_ids(struct visit *v)
{
	const char *bad = NULL, *why = "These are no lines of text.";
	struct external *list = NULL;
	struct json_object *m;
	struct user u;
	struct form f;
	size_t count = 0;
	enum err e = form_read(&f, v->arena, &v->rq->body, FORM_ROWS(specs));

	if (e == ERR_OK) {
		why = "A line is not an issuer and an id with a blank between, or there are too many.";
		e = external_parse(v->arena, form_get(&f, "external_ids")->text, &list, &count, &bad);
	}
	if (e == ERR_OK) {
		why = "Another user is called so, or one issuer stands in two lines.";
		e = store_external_save_user(v->web->db, &v->viewer, v->id, list, count);
	}
	if (e == ERR_INVALID || e == ERR_CONFLICT) {
		form_refuse(&f, "external_ids", why);
		return refuse(v, &f, why);
	}
	if (e == ERR_OK)
		e = store_user_get(v->web->db, v->arena, v->id, &u);
	if (e != ERR_OK)
		return e;
	visit_audit(v, "user_external_ids", arena_printf(v->arena, "user %llu", (unsigned long long)u.id),
	    form_get(&f, "external_ids")->text);
	m = json_object_new_object();
	view_add(m, "user", user_view(v, &u));
	return page_done(v, 200, url_user(v->arena, u.id, NULL), "user_external_ids", m);
}
