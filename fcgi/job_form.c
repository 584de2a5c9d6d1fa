#include "fcgi/job_form.h"

#include <string.h>

#include "fcgi/options_form.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/security_view.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "lib/token.h"
#include "sql/job.h"
#include "sql/store_delete2.h"
#include "sql/store_server.h"

#define ID_MAX ((uint64_t)INT64_MAX)

static const struct form_spec specs[] = {
    {.name = "source_server_id", .kind = FORM_NUMBER, .min = 1, .max = ID_MAX, .required = true},
    {.name = "source_user", .kind = FORM_TEXT, .max_bytes = 255, .required = true},
    {.name = "source_password", .kind = FORM_PASSWORD, .max_bytes = FORM_SECRET_MAX_BYTES, .required = true},
    {.name = "dest_server_id", .kind = FORM_NUMBER, .min = 1, .max = ID_MAX, .required = true},
    {.name = "dest_user", .kind = FORM_TEXT, .max_bytes = 255, .required = true},
    {.name = "dest_password", .kind = FORM_PASSWORD, .max_bytes = FORM_SECRET_MAX_BYTES, .required = true},
    {.name = "name", .kind = FORM_TEXT, .max_bytes = 200},
    {.name = "dry_run", .kind = FORM_CHECK},
    {.name = "dry_run_present", .kind = FORM_CHECK},
    {.name = "delete2", .kind = FORM_CHECK},
    {.name = "request_key", .kind = FORM_TEXT, .max_bytes = 64},
    {.name = REQUEST_NESTED, .kind = FORM_OPTIONS},
};
enum { OF_FORM_ALONE = 3 };

/* one of many: the key is the list's, and what it says of a dry run it says; and none of many deletes */
const struct form_table fields_job_new = {FORM_ROWS(specs)},
			fields_job_row = {specs, FORM_COUNT(specs) - OF_FORM_ALONE};

const char *job_form_new_key(struct arena *a)
{
	unsigned char key[JOB_REQUEST_KEY_BYTES];
	char *hex = arena_alloc(a, 2 * sizeof(key) + 1);

	token_random(key, sizeof(key));
	token_hex(key, sizeof(key), hex);
	return hex;
}

void job_form_request_key(const char *text, unsigned char key_r[16])
{
	if (text == NULL || token_unhex(text, key_r, JOB_REQUEST_KEY_BYTES) != ERR_OK)
		token_random(key_r, JOB_REQUEST_KEY_BYTES);
}

void job_form_blank(struct visit *v, struct form *f)
{
	unsigned count;
	const struct form_spec *all = options_form_specs(v->rq->secret, FORM_ROWS(specs), &count);

	form_blank(f, v->rq->secret, all, count);
	form_set_check(f, "dry_run", true);
	form_set(f, "request_key", job_form_new_key(v->arena));
	form_set(f, "source_server_id", params_get(&v->rq->query, "source"));
	form_set(f, "dest_server_id", params_get(&v->rq->query, "dest"));
}

enum err job_form_read(struct visit *v, struct form *f)
{
	unsigned count;
	const struct form_spec *all = options_form_specs(v->rq->secret, FORM_ROWS(specs), &count);
	enum err e = form_read(f, v->rq->secret, &v->rq->body, all, count);
	struct form_field *key = form_get(f, "request_key");

	/* a script that says nothing of it gets the careful kind */
	if (!form_says(f, "dry_run"))
		form_set_check(f, "dry_run", true);
	if (key->state == FORM_ABSENT)
		form_set(f, "request_key", job_form_new_key(v->arena));
	return e;
}

enum err job_form_read_side(struct visit *v, struct form *f, bool is_source)
{
	const char *side = is_source ? "source_" : "dest_";
	enum err e = job_form_read(v, f);
	unsigned i;

	for (i = 0; i < f->count; i++) {
		const char *name = f->fields[i].spec->name;

		if (f->fields[i].error != NULL && strncmp(name, side, strlen(side)) != 0)
			form_forgive(f, name);
	}
	return e == ERR_OK || f->has_errors ? e : ERR_OK;
}

/* The servers as options; value is the chosen one's id as text. */
static struct json_object *options(
    struct arena *a, const struct server *servers, size_t count, const char *value)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < count; i++) {
		const struct server *s = &servers[i];
		struct json_object *o = json_object_new_object();
		const char *id = arena_printf(a, "%llu", (unsigned long long)s->id);

		view_str(o, "value", id);
		view_str(o, "label", s->name);
		view_str(
		    o, "hint", arena_printf(a, "%s:%u, %s", s->host, s->port, security_text(s->security)));
		view_bool(o, "selected", strcmp(id, value) == 0);
		json_object_array_add(list, o);
	}
	return list;
}

static enum err model_of(struct visit *v, const struct form *f, struct json_object **m_r)
{
	struct server *servers;
	size_t count;
	bool may_delete2 = false;
	enum err e = store_server_list(v->web->db, v->arena, &v->viewer, &servers, &count);
	struct json_object *m;

	if (e == ERR_OK)
		e = store_delete2_may(v->web->db, v->viewer.account_id, &may_delete2);
	if (e != ERR_OK)
		return e;
	m = json_object_new_object();
	view_add(
	    m, "source_servers", options(v->arena, servers, count, form_get(f, "source_server_id")->text));
	view_add(m, "dest_servers", options(v->arena, servers, count, form_get(f, "dest_server_id")->text));
	view_bool(m, "has_servers", count > 0);
	view_str(m, "servers_new_url", URL_SERVERS_NEW);
	view_str(m, "action_url", URL_JOBS);
	view_str(m, "test_url", URL_SERVERS_TEST);
	view_str(m, "list_url", URL_JOBS);
	view_bool(m, "is_new", true);
	view_bool(m, "may_delete2", may_delete2);
	view_null(m, "source_test");
	view_null(m, "dest_test");
	*m_r = m;
	return ERR_OK;
}

enum err job_form_show(struct visit *v, unsigned status, const struct form *f,
    struct json_object *source_test, struct json_object *dest_test)
{
	struct json_object *m;
	enum err e = model_of(v, f, &m);

	if (e != ERR_OK) {
		json_object_put(source_test);
		json_object_put(dest_test);
		return e;
	}
	page_add_form(m, f);
	options_form_view(m, v->arena, f);
	view_add(m, "source_test", source_test);
	view_add(m, "dest_test", dest_test);
	return page_show(v, status, "job_new", "New job", m);
}

enum err job_form_refused(struct visit *v, const struct form *f)
{
	struct json_object *m;
	enum err e = model_of(v, f, &m);

	if (e != ERR_OK)
		return e;
	options_form_view(m, v->arena, f);
	return page_refused(v, "job_new", "New job", m, f);
}
