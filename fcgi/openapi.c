#include "fcgi/openapi.h"

#include <string.h>

#include "fcgi/form.h"
#include "fcgi/view.h"
#include "lib/scope.h"

static struct json_object *list_of(const char *s)
{
	struct json_object *list = json_object_new_array();

	json_object_array_add(list, json_object_new_string(s));
	return list;
}

static struct json_object *typed(const char *type)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "type", type);
	return o;
}

static struct json_object *reference(const char *to)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "$ref", to);
	return o;
}

/* {"application/json": {"schema": …}}; schema is taken. */
static struct json_object *content(const char *type, struct json_object *schema)
{
	struct json_object *o = json_object_new_object(), *media = json_object_new_object();

	view_add(media, "schema", schema);
	view_add(o, type, media);
	return o;
}

static struct json_object *answer(const char *description, const char *type, struct json_object *schema)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "description", description);
	if (type != NULL)
		view_add(o, "content", content(type, schema));
	return o;
}

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
	case FORM_CHECK: return typed("boolean");
	case FORM_NUMBER:
		o = typed("integer");
		view_int(o, "minimum", (int64_t)f->min);
		view_int(o, "maximum", (int64_t)f->max);
		return o;
	case FORM_CHOICE:
		o = typed("string");
		list = json_object_new_array();
		for (size_t i = 0; f->choices[i] != NULL; i++)
			json_object_array_add(list, json_object_new_string(f->choices[i]));
		view_add(o, "enum", list);
		return o;
	default:
		o = typed("string");
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
	struct json_object *o = typed("object"), *props = json_object_new_object();
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

static struct json_object *file_schema(void)
{
	struct json_object *o = typed("object"), *props = json_object_new_object(), *file = typed("string");

	view_str(file, "contentMediaType", "text/csv");
	view_add(props, REQUEST_FILE_UPLOAD, file);
	view_add(props, REQUEST_FILE_PASTED, typed("string"));
	view_add(o, "properties", props);
	return o;
}

static struct json_object *request_body(const struct route *r)
{
	struct json_object *o = json_object_new_object();

	if (strcmp(r->pattern, REQUEST_FILES_PATH) == 0) {
		view_add(o, "content", content("multipart/form-data", file_schema()));
		view_bool(o, "required", true);
	} else {
		view_add(o, "content",
		    content("application/json", r->fields ? form_schema(r->fields) : typed("object")));
		view_bool(o, "required", r->fields != NULL);
	}
	return o;
}

static struct json_object *parameter(const char *name, const char *in, struct json_object *schema)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "name", name);
	view_str(o, "in", in);
	view_bool(o, "required", strcmp(in, "path") == 0);
	view_add(o, "schema", schema);
	return o;
}

static struct json_object *parameters(struct arena *a, const struct route *r)
{
	struct json_object *list = json_object_new_array();
	char *words = arena_strdup(a, r->query ? r->query : ""), *save = NULL;

	if (strstr(r->pattern, ":id") != NULL) {
		struct json_object *id = typed("integer");

		view_str(id, "format", "int64");
		view_int(id, "minimum", 1);
		json_object_array_add(list, parameter("id", "path", id));
	}
	for (char *one = strtok_r(words, " ", &save); one != NULL; one = strtok_r(NULL, " ", &save))
		json_object_array_add(list, parameter(one, "query", typed("string")));
	return list;
}

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static struct json_object *answers(const struct route *r)
{
	struct json_object *o = json_object_new_object();

	if (ends_in(r->pattern, "/log"))
		view_add(
		    o, "200", answer("The log, or with Range a part of it", "text/plain", typed("string")));
	else if (ends_in(r->pattern, ".csv"))
		view_add(o, "200", answer("CSV", "text/csv", typed("string")));
	else if (r->method == METHOD_GET)
		view_add(o, "200", answer("The object", "application/json", typed("object")));
	else
		view_add(o, "2XX",
		    answer("Done: 201 made, 200 changed, 204 nothing to show", "application/json",
			typed("object")));
	view_add(o, "default",
	    answer("What went wrong", "application/problem+json", reference("#/components/schemas/Problem")));
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
	view_add(o, "tags", list_of(arena_strndup(a, path + 1, strcspn(path + 1, "/."))));
	view_add(o, "parameters", parameters(a, r));
	if (r->method == METHOD_POST)
		view_add(o, "requestBody", request_body(r));
	view_add(o, "responses", answers(r));
	view_add(bearer, "token", json_object_new_array());
	json_object_array_add(security, bearer);
	view_add(o, "security", security);
	return o;
}

/* RFC 9457 section 3. */
static struct json_object *problem_schema(void)
{
	static const char *const texts[] = {"type", "title", "detail", "request_id"};
	struct json_object *o = typed("object"), *props = json_object_new_object(), *fields = typed("object");

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		view_add(props, texts[i], typed("string"));
	view_add(props, "status", typed("integer"));
	view_add(fields, "additionalProperties", typed("string"));
	view_add(props, "fields", fields);
	view_add(o, "properties", props);
	return o;
}

static struct json_object *components(void)
{
	struct json_object *o = json_object_new_object(), *schemas = json_object_new_object();
	struct json_object *schemes = json_object_new_object(), *token = typed("http");

	view_add(schemas, "Problem", problem_schema());
	view_add(o, "schemas", schemas);
	view_str(token, "scheme", "bearer");
	view_str(token, "description", "A token made on the page “API” or by mailconvoyctl token.");
	view_add(schemes, "token", token);
	view_add(o, "securitySchemes", schemes);
	return o;
}

struct json_object *openapi_describe(struct arena *a, const struct route *table, const char *version)
{
	struct json_object *o = json_object_new_object(), *info = json_object_new_object();
	struct json_object *paths = json_object_new_object(), *servers = json_object_new_array();
	struct json_object *server = json_object_new_object();

	view_str(o, "openapi", "3.1.0");
	view_str(info, "title", "mailconvoy");
	view_str(info, "description", "Migrations of mailboxes. The same addresses serve the pages.");
	view_str(info, "version", version);
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
	view_add(o, "components", components());
	return o;
}
