#include "fcgi/openapi_parts.h"

#include <stdio.h>
#include <string.h>

#include "fcgi/request.h"
#include "fcgi/view.h"

struct json_object *openapi_list_of(const char *s)
{
	struct json_object *list = json_object_new_array();

	json_object_array_add(list, json_object_new_string(s));
	return list;
}

struct json_object *openapi_typed(const char *type)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "type", type);
	return o;
}

struct json_object *openapi_reference(const char *to)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "$ref", to);
	return o;
}

/* {"application/json": {"schema": …}}; schema is taken. */
struct json_object *openapi_content(const char *type, struct json_object *schema)
{
	struct json_object *o = json_object_new_object(), *media = json_object_new_object();

	view_add(media, "schema", schema);
	view_add(o, type, media);
	return o;
}

struct json_object *openapi_answer(const char *description, const char *type, struct json_object *schema)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "description", description);
	if (type != NULL)
		view_add(o, "content", openapi_content(type, schema));
	return o;
}

struct json_object *openapi_parameter(const char *name, const char *in, struct json_object *schema)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "name", name);
	view_str(o, "in", in);
	view_bool(o, "required", strcmp(in, "path") == 0);
	view_add(o, "schema", schema);
	return o;
}

static struct json_object *header(const char *description)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "description", description);
	view_add(o, "schema", openapi_typed("string"));
	return o;
}

const struct openapi_failure openapi_failures[] = {
    {"400", "Malformed", METHOD_GET | METHOD_POST | METHOD_DELETE, false, false, false},
    {"401", "No token, or none that is accepted", METHOD_GET | METHOD_POST | METHOD_DELETE, false, false,
	false},
    {"403", "The token, its user or a suspended account may not", METHOD_GET | METHOD_POST | METHOD_DELETE,
	false, false, false},
    {"404", "There is nothing of this id, or not for you", METHOD_GET | METHOD_POST | METHOD_DELETE, true,
	false, false},
    {"409", "Its present state, or a limit of the account, forbids it", METHOD_POST | METHOD_DELETE, false,
	false, false},
    {"412", "It was changed meanwhile", METHOD_POST | METHOD_DELETE, false, true, false},
    {"413", "Too large", METHOD_POST, false, false, false},
    {"415", "Not a kind of body that is taken here", METHOD_POST, false, false, false},
    {"422", "Fields or rows are refused, each with its reason", METHOD_POST, false, false, false},
    {"429", "Too many requests; Retry-After says when to come again",
	METHOD_GET | METHOD_POST | METHOD_DELETE, false, false, true},
    {"503", "The database cannot be reached, or is busy", METHOD_GET | METHOD_POST | METHOD_DELETE, false,
	false, false},
    {.status = NULL},
};

/* Every type there is.  They stay what they are: scripts go by them. */
static const char *const problem_types[] = {"account", "account_closed", "bulk_empty", "bulk_expired",
    "bulk_too_many", "changed", "code_over", "csrf", "delete2", "delete2_changed", "delete2_denied",
    "delete2_nothing", "delete2_old", "delete2_uncounted", "delete2_used", "form", "if_match", "import",
    "import_over", "job_ended", "job_not_ended", "job_running", "last_admin", "limit", "link_over", "login",
    "mail_limit", "mailboxes_busy", "own_account", "own_second_factor", "passwords_needed", "rows", "scope",
    "second_factor", "second_factor_key", "server_gone", "server_in_use", "setup_over", "sso", "storage_full",
    "support", "suspended", "tail_offset", "test_limit", "token", "too_many"};

static struct json_object *type_schema(void)
{
	struct json_object *o = openapi_typed("string"), *list = openapi_list_of("about:blank");

	for (size_t i = 0; i < sizeof(problem_types) / sizeof(problem_types[0]); i++) {
		char text[100];

		(void)snprintf(text, sizeof(text), "urn:mailconvoy:%s", problem_types[i]);
		json_object_array_add(list, json_object_new_string(text));
	}
	view_add(o, "enum", list);
	return o;
}

/* What is wrong with the rows of a list. */
static struct json_object *rows_schema(void)
{
	struct json_object *o = openapi_typed("array"), *one = openapi_typed("object"),
			   *props = json_object_new_object();
	struct json_object *field = json_object_new_object(), *types = openapi_list_of("string");

	json_object_array_add(types, json_object_new_string("null"));
	view_add(field, "type", types);
	view_add(props, "index", openapi_typed("integer"));
	view_add(props, "field", field);
	view_add(props, "reason", openapi_typed("string"));
	view_add(one, "properties", props);
	view_add(o, "items", one);
	return o;
}

/* RFC 9457 section 3. */
static struct json_object *problem_schema(void)
{
	static const char *const texts[] = {"title", "request_id"};
	struct json_object *o = openapi_typed("object"), *props = json_object_new_object(),
			   *fields = openapi_typed("object");
	struct json_object *detail = json_object_new_object(), *types = openapi_list_of("string");

	json_object_array_add(types, json_object_new_string("null"));
	view_add(detail, "type", types);
	view_add(props, "type", type_schema());
	view_add(props, "detail", detail);
	view_add(props, "rows", rows_schema());

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		view_add(props, texts[i], openapi_typed("string"));
	view_add(props, "status", openapi_typed("integer"));
	view_add(fields, "additionalProperties", openapi_typed("string"));
	view_add(props, "fields", fields);
	view_add(o, "properties", props);
	return o;
}

static struct json_object *problem_answer(const char *description, bool tells_wait)
{
	struct json_object *o = openapi_answer(
	    description, "application/problem+json", openapi_reference("#/components/schemas/Problem"));
	struct json_object *headers;

	if (tells_wait) {
		headers = json_object_new_object();
		view_add(headers, "Retry-After", header("Seconds to wait"));
		view_add(o, "headers", headers);
	}
	return o;
}

static struct json_object *described(struct json_object *parameter, const char *description)
{
	view_str(parameter, "description", description);
	return parameter;
}

static struct json_object *component_parameters(void)
{
	struct json_object *o = json_object_new_object();

	view_add(o, "RequestId",
	    described(openapi_parameter("X-Request-Id", "header", openapi_typed("string")),
		"1 to 64 letters, digits, dots, underscores and hyphens of your own: answered as it is, and "
		"noted in "
		"our log."));
	view_add(o, "Account",
	    described(openapi_parameter(REQUEST_ACCOUNT_HEADER, "header", openapi_typed("string")),
		"Whom a token of the installation acts for: the account's name, or id: and what the token's "
		"issuer calls it. Without, it reaches all accounts, and what it makes is its user's own."));
	view_add(o, "IfMatch",
	    described(openapi_parameter("If-Match", "header", openapi_typed("string")),
		"The ETag of what is to be changed; 412 where somebody changed it since."));
	view_add(o, "IfNoneMatch",
	    described(openapi_parameter("If-None-Match", "header", openapi_typed("string")),
		"The ETag you have; 304 where it is the same."));
	view_add(o, "IdempotencyKey",
	    described(openapi_parameter("Idempotency-Key", "header", openapi_typed("string")),
		"At most 255 bytes. The same again makes nothing again, and answers with what the first "
		"made."));
	return o;
}

struct json_object *openapi_components(void)
{
	struct json_object *o = json_object_new_object(), *schemas = json_object_new_object();
	struct json_object *schemes = json_object_new_object(), *token = openapi_typed("http");
	struct json_object *responses = json_object_new_object(), *headers = json_object_new_object();

	view_add(schemas, "Problem", problem_schema());
	view_add(o, "schemas", schemas);
	for (const struct openapi_failure *f = openapi_failures; f->status != NULL; f++)
		view_add(responses, f->status, problem_answer(f->description, f->tells_wait));
	view_add(responses, "416", problem_answer("Beyond the log's end", false));
	view_add(responses, "default", problem_answer("What else went wrong", false));
	view_add(o, "responses", responses);
	view_add(headers, "ETag", header("Its version, for If-Match and If-None-Match."));
	view_add(o, "headers", headers);
	view_add(o, "parameters", component_parameters());
	view_str(token, "scheme", "bearer");
	view_str(token, "description", "A token made on the page “API” or by mailconvoyctl token.");
	view_add(schemes, "token", token);
	view_add(o, "securitySchemes", schemes);
	return o;
}
