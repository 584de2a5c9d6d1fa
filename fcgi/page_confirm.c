/* The question before something dangerous, for browsers without our JavaScript and for delete in any case. */
#include <string.h>

#include "fcgi/page.h"
#include "fcgi/view.h"

enum err page_confirm(struct visit *v, unsigned status, const struct page_confirm *c)
{
	struct json_object *m = json_object_new_object(), *form = json_object_new_object(),
			   *field = json_object_new_object();

	if (v->rq->wants_json && status == 422) {
		struct json_object *fields = json_object_new_object();

		json_object_put(m);
		json_object_put(form);
		json_object_put(field);
		view_str(fields, "confirm", c->error);
		page_error(v, &(struct page_error){.status = 422, .code = "form", .fields = fields});
		return ERR_OK;
	}
	view_str(m, "heading", c->heading);
	view_str(m, "effect", c->effect);
	view_add(m, "effects", json_object_new_array());
	view_str(m, "action_url", c->action_url);
	view_add(m, "fields", json_object_new_array());
	view_str(m, "button", c->button);
	view_bool(m, "is_dangerous", c->is_dangerous);
	view_str(m, "type_word", c->type_word);
	view_add(field, "value", json_object_new_string(""));
	view_str(field, "error", c->error);
	view_add(form, "confirm", field);
	view_add(m, "form", form);
	view_null(m, "form_error");
	view_bool(m, "has_errors", c->error != NULL);
	view_str(m, "back_url", c->back_url);
	view_str(m, "back_label", c->back_label);
	return page_show(v, status, "confirm", c->heading, m);
}

bool page_confirmed(const struct visit *v, const char *word)
{
	const char *typed = params_get(&v->rq->body, "confirm");

	return v->rq->wants_json || (typed != NULL && strcmp(typed, word) == 0);
}
