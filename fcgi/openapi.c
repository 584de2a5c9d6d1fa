#include "fcgi/openapi.h"

#include <string.h>

#include "fcgi/form.h"
#include "fcgi/openapi_parts.h"
#include "fcgi/options_form.h"
#include "fcgi/view.h"
#include "lib/scope.h"

static void add_length(struct json_object *o, const struct form_spec *f)
{
	/* a character has one byte at least */
	view_int(o, "maxLength", (int64_t)f->max_bytes);
	if (f->required)
		view_int(o, "minLength", 1);
}

static struct json_object *field_schema(const struct form_spec *f)
{
	struct json_object *o, *list;

	switch (f->kind) {
	case FORM_CHECK: return openapi_typed("boolean");
	case FORM_OPTIONS: return options_schema();
	case FORM_NUMBER:
		o = openapi_typed("integer");
		view_int(o, "minimum", (int64_t)f->min);
		view_int(o, "maximum", (int64_t)f->max);
		return o;
	case FORM_CHOICE:
		o = openapi_typed("string");
		list = json_object_new_array();
		for (size_t i = 0; f->choices[i] != NULL; i++)
			json_object_array_add(list, json_object_new_string(f->choices[i]));
		view_add(o, "enum", list);
		return o;
	default:
		o = openapi_typed("string");
		add_length(o, f);
		if (f->kind == FORM_EMAIL)
			view_str(o, "format", "email");
		if (f->kind == FORM_PASSWORD) {
			view_str(o, "format", "password");
			view_bool(o, "writeOnly", true);
		}
		return o;
	}
}

static struct json_object *form_schema(const struct form_table *t)
{
	struct json_object *o = openapi_typed("object"), *props = json_object_new_object();
	struct json_object *required = json_object_new_array();

	for (unsigned i = 0; i < t->count; i++) {
		view_add(props, t->specs[i].name, field_schema(&t->specs[i]));
		if (t->specs[i].required)
			json_object_array_add(required, json_object_new_string(t->specs[i].name));
	}
	view_add(o, "properties", props);
	if (json_object_array_length(required) > 0)
		view_add(o, "required", required);
	else
		json_object_put(required);
	return o;
}

static struct json_object *list_schema(const struct form_table *rows)
{
	struct json_object *o = openapi_typed("array");

	view_add(o, "items", form_schema(rows));
	view_int(o, "minItems", 1);
	return o;
}

static struct json_object *body_schema(const struct route *r)
{
	struct json_object *o = r->fields ? form_schema(r->fields) : openapi_typed("object"), *at = NULL;

	if (r->rows == NULL)
		return o;
	if (json_object_object_get_ex(o, "properties", &at))
		view_add(at, REQUEST_ROWS, list_schema(r->rows));
	if (json_object_object_get_ex(o, "required", &at))
		json_object_array_add(at, json_object_new_string(REQUEST_ROWS));
	return o;
}

static struct json_object *file_schema(void)
{
	struct json_object *o = openapi_typed("object"), *props = json_object_new_object(),
			   *file = openapi_typed("string");

	view_str(file, "contentMediaType", "text/csv");
	view_add(props, REQUEST_FILE_UPLOAD, file);
	view_add(props, REQUEST_FILE_PASTED, openapi_typed("string"));
	view_add(props, REQUEST_NESTED, options_schema());
	view_add(o, "properties", props);
	return o;
}

static bool demands_fields(const struct form_table *t)
{
	for (unsigned i = 0; t != NULL && i < t->count; i++)
		if (t->specs[i].required)
			return true;
	return false;
}

static struct json_object *request_body(const struct route *r)
{
	struct json_object *o = json_object_new_object();

	if (strcmp(r->pattern, REQUEST_FILES_PATH) == 0) {
		struct json_object *kinds = openapi_content("multipart/form-data", file_schema()),
				   *csv = NULL;

		csv = json_object_new_object();
		view_add(csv, "schema", openapi_typed("string"));
		view_add(kinds, "text/csv", csv);
		view_add(o, "content", kinds);
		view_bool(o, "required", true);
	} else {
		view_add(o, "content", openapi_content("application/json", body_schema(r)));
		view_bool(o, "required", demands_fields(r->fields) || r->rows != NULL);
	}
	return o;
}

static bool takes_key(const struct route *r)
{
	for (unsigned i = 0; r->fields != NULL && i < r->fields->count; i++)
		if (strcmp(r->fields->specs[i].name, "request_key") == 0)
			return true;
	return false;
}

/* Header fields, by the names of their components. */
static void add_headers(struct json_object *list, const struct route *r)
{
	json_object_array_add(list, openapi_reference("#/components/parameters/RequestId"));
	/* what administrators alone do a token does as itself */
	if (r->need == ROUTE_MEMBER)
		json_object_array_add(list, openapi_reference("#/components/parameters/Account"));
	if (r->is_versioned)
		json_object_array_add(
		    list, openapi_reference(r->method == METHOD_GET ? "#/components/parameters/IfNoneMatch"
								    : "#/components/parameters/IfMatch"));
	if (takes_key(r))
		json_object_array_add(list, openapi_reference("#/components/parameters/IdempotencyKey"));
}

static struct json_object *parameters(struct arena *a, const struct route *r)
{
	struct json_object *list = json_object_new_array();
	char *words = arena_strdup(a, r->query ? r->query : ""), *save = NULL;

	if (strstr(r->pattern, ":id") != NULL) {
		struct json_object *id = openapi_typed("integer");

		view_str(id, "format", "int64");
		view_int(id, "minimum", 1);
		json_object_array_add(list, openapi_parameter("id", "path", id));
	}
	for (char *one = strtok_r(words, " ", &save); one != NULL; one = strtok_r(NULL, " ", &save))
		json_object_array_add(list, openapi_parameter(one, "query", openapi_typed("string")));
	add_headers(list, r);
	return list;
}

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static bool can_fail_so(const struct openapi_failure *f, const struct route *r)
{
	return (f->methods & r->method) && (!f->needs_id || strstr(r->pattern, ":id") != NULL) &&
	       (!f->needs_version || r->is_versioned);
}

static struct json_object *with_etag(const struct route *r, struct json_object *answer)
{
	struct json_object *headers;

	if (!r->is_versioned || r->method == METHOD_DELETE)
		return answer;
	headers = json_object_new_object();
	view_add(headers, "ETag", openapi_reference("#/components/headers/ETag"));
	view_add(answer, "headers", headers);
	return answer;
}

static void add_success(struct json_object *o, const struct route *r)
{
	if (ends_in(r->pattern, "/log")) {
		view_add(o, "200", openapi_answer("The log", "text/plain", openapi_typed("string")));
		view_add(o, "206",
		    openapi_answer("The part of it that Range names", "text/plain", openapi_typed("string")));
		view_add(o, "416", openapi_reference("#/components/responses/416"));
	} else if (ends_in(r->pattern, "/tail")) {
		view_add(o, "200",
		    openapi_answer("A piece of the log", "application/json", openapi_typed("object")));
		view_add(o, "416", openapi_reference("#/components/responses/416"));
	} else if (ends_in(r->pattern, ".csv")) {
		view_add(o, "200", openapi_answer("CSV", "text/csv", openapi_typed("string")));
	} else if (r->method == METHOD_GET) {
		view_add(o, "200",
		    with_etag(r, openapi_answer("The object", "application/json", openapi_typed("object"))));
		if (r->is_versioned)
			view_add(o, "304", openapi_answer("You have it already", NULL, NULL));
	} else if (r->method == METHOD_DELETE) {
		view_add(o, "204", openapi_answer("Deleted", NULL, NULL));
	} else {
		view_add(o, "200",
		    with_etag(r, openapi_answer("Changed, or done before", "application/json",
				     openapi_typed("object"))));
		view_add(o, "201",
		    with_etag(r, openapi_answer("Made", "application/json", openapi_typed("object"))));
		view_add(o, "204", openapi_answer("Done: nothing to show", NULL, NULL));
	}
}

/* One shape for all, refusals too (panel_view.h). */
static struct json_object *panel_answers(const struct route *r)
{
	static const char type[] = "application/json";
	struct json_object *o = json_object_new_object();

	view_add(o, "200", openapi_answer("The link; status is 1", type, openapi_typed("object")));
	for (const struct openapi_failure *f = openapi_failures; f->status != NULL; f++)
		if (can_fail_so(f, r))
			view_add(o, f->status, openapi_answer(f->description, type, openapi_typed("object")));
	view_add(o, "default", openapi_answer("No link; status is 0", type, openapi_typed("object")));
	return o;
}

static struct json_object *answers(struct arena *a, const struct route *r)
{
	struct json_object *o;

	if (r->is_panel_call)
		return panel_answers(r);
	o = json_object_new_object();
	add_success(o, r);
	for (const struct openapi_failure *f = openapi_failures; f->status != NULL; f++)
		if (can_fail_so(f, r))
			view_add(o, f->status,
			    openapi_reference(arena_printf(a, "#/components/responses/%s", f->status)));
	view_add(o, "default", openapi_reference("#/components/responses/default"));
	return o;
}

/* "/migration/jobs/:id/tail" is asked for as "/jobs/{id}/tail". */
static const char *api_path(struct arena *a, const char *pattern)
{
	static const char pages[] = "/migration";
	const char *id;

	if (strncmp(pattern, pages, sizeof(pages) - 1) == 0)
		pattern += sizeof(pages) - 1;
	id = strstr(pattern, ":id");
	if (id == NULL)
		return pattern;
	return arena_printf(a, "%.*s{id}%s", (int)(id - pattern), pattern, id + 3);
}

static const char *verb(const struct route *r)
{
	return r->method == METHOD_GET ? "get" : r->method == METHOD_POST ? "post" : "delete";
}

/* "get_jobs_id_tail" */
static const char *operation_id(struct arena *a, const struct route *r, const char *path)
{
	char *s = arena_strdup(a, arena_printf(a, "%s%s", verb(r), path)), *to = s;

	for (const char *from = s; *from != '\0'; from++) {
		if (*from == '{' || *from == '}')
			continue;
		*to++ = strchr("/.-", *from) != NULL ? '_' : *from;
	}
	*to = '\0';
	return s;
}

static struct json_object *operation(struct arena *a, const struct route *r, const char *path)
{
	struct json_object *o = json_object_new_object(), *security = json_object_new_array();
	struct json_object *bearer = json_object_new_object();

	view_str(o, "operationId", operation_id(a, r, path));
	view_str(o, "description",
	    arena_printf(a, "Needs one of these scopes: %s.%s", scope_list(a, r->scopes),
		r->need == ROUTE_ADMIN ? " For tokens of the whole installation." : ""));
	view_add(o, "tags", openapi_list_of(arena_strndup(a, path + 1, strcspn(path + 1, "/."))));
	view_add(o, "parameters", parameters(a, r));
	if (r->method == METHOD_POST)
		view_add(o, "requestBody", request_body(r));
	view_add(o, "responses", answers(a, r));
	view_add(bearer, "token", json_object_new_array());
	json_object_array_add(security, bearer);
	view_add(o, "security", security);
	return o;
}

struct json_object *openapi_describe(struct arena *a, const struct route *table, const char *version)
{
	struct json_object *o = json_object_new_object(), *info = json_object_new_object();
	struct json_object *paths = json_object_new_object(), *servers = json_object_new_array();
	struct json_object *server = json_object_new_object(), *license = json_object_new_object();

	view_str(o, "openapi", "3.1.0");
	view_str(info, "title", "mailconvoy");
	view_str(info, "description", "Migrations of mailboxes. The same addresses serve the pages.");
	view_str(info, "version", version);
	view_str(license, "name", "MIT");
	view_str(license, "identifier", "MIT");
	view_add(info, "license", license);
	view_add(o, "info", info);
	view_str(server, "url", "/api/v1");
	json_object_array_add(servers, server);
	view_add(o, "servers", servers);
	for (; table->pattern != NULL; table++) {
		const char *path;
		struct json_object *item;

		if (table->scopes & ROUTE_NO_TOKEN)
			continue;
		path = api_path(a, table->pattern);
		if (!json_object_object_get_ex(paths, path, &item)) {
			item = json_object_new_object();
			view_add(paths, path, item);
		}
		view_add(item, verb(table), operation(a, table, path));
	}
	view_add(o, "paths", paths);
	view_add(o, "components", openapi_components());
	return o;
}
