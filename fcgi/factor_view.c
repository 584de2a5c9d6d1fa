#include "fcgi/factor_view.h"

#include "fcgi/page.h"
#include "fcgi/qr.h"
#include "fcgi/view.h"

const char factor_wrong_text[] =
    "This code is wrong or was used already. Wait for the next one; is the phone's clock right?";

const char *factor_busy(struct visit *v, unsigned wait_s)
{
	response_header(v->rs, "Retry-After", arena_printf(v->arena, "%u", wait_s));
	return arena_printf(v->arena,
	    "There were too many attempts. Try again in %s, or use a recovery code.",
	    view_duration_text(v->arena, wait_s));
}

enum err factor_show_no_key(struct visit *v)
{
	page_error(v,
	    &(struct page_error){.status = 503,
		.code = "second_factor_key",
		.title = "Codes cannot be checked",
		.detail =
		    "The server does not have the key of the second factors, so nobody who has one can sign "
		    "in.",
		.action = "Ask the administrator: mailconvoyctl doctor says what is missing."});
	return ERR_OK;
}

void factor_add_setup(struct visit *v, struct json_object *m, const struct factor_setup *s)
{
	struct json_object *setup = json_object_new_object(), *qr = NULL;
	const char *path;
	unsigned size;

	view_str(setup, "box", s->box);
	view_str(setup, "secret", s->secret_text);
	/* one that is too long is typed */
	if (qr_path(v->rq->secret, s->uri, &path, &size) == ERR_OK) {
		qr = json_object_new_object();
		view_int(qr, "size", size);
		view_str(qr, "path", path);
	}
	view_add(m, "setup", setup);
	view_add(m, "qr", qr);
}

struct json_object *factor_codes_view(const struct factor_codes *codes)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < RECOVERY_CODES; i++)
		json_object_array_add(list, json_object_new_string(codes->text[i]));
	return list;
}
