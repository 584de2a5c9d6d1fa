#include "fcgi/import_options.h"

#include <string.h>

#include "fcgi/options_form.h"
#include "fcgi/view.h"
#include "fcgi/web.h"
#include "sql/store_import.h"

enum err import_options_read(
    struct visit *v, struct form *f, const struct form_spec *specs, unsigned count, const char **options_r)
{
	unsigned all_count;
	const struct form_spec *all = options_form_specs(v->rq->secret, specs, count, &all_count);
	enum err read = form_read(f, v->rq->secret, &v->rq->body, all, all_count);
	enum err e = options_form_take(f, v->arena, &v->rq->body, options_r);

	if (e == ERR_OK && *options_r != NULL && strlen(*options_r) > IMPORT_OPTIONS_MAX_BYTES) {
		form_refuse(f, NULL,
		    arena_printf(v->arena,
			"Together the options are longer than %s bytes, which is too much for many jobs: "
			"name "
			"fewer folders.",
			view_number_text(v->arena, IMPORT_OPTIONS_MAX_BYTES)));
		e = ERR_INVALID;
	}
	return read != ERR_OK ? read : e;
}

void import_options_blank(
    struct visit *v, struct form *f, const struct form_spec *specs, unsigned count, const char *stored)
{
	unsigned all_count;
	const struct form_spec *all = options_form_specs(v->rq->secret, specs, count, &all_count);

	form_blank(f, v->rq->secret, all, all_count);
	options_form_fill(f, v->arena, stored);
}

bool import_options_are_given(const struct params *body)
{
	size_t len = strlen(REQUEST_NESTED);

	for (unsigned i = 0; i < body->count; i++)
		if (strncmp(body->list[i].name, REQUEST_NESTED, len) == 0 &&
		    (body->list[i].name[len] == '\0' || body->list[i].name[len] == '.'))
			return true;
	return false;
}
