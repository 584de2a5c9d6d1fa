/*
 * What the description of /api/v1 is put together from, and what stands in it once for all: the problem
 * object, and what can go wrong.  Pure; the caller owns what is returned.
 */
#ifndef MCV_FCGI_OPENAPI_PARTS_H
#define MCV_FCGI_OPENAPI_PARTS_H

#include <stdbool.h>
#include <json-c/json.h>

/* A list of one text. */
struct json_object *openapi_list_of(const char *s);
/* A schema of that type alone. */
struct json_object *openapi_typed(const char *type);
struct json_object *openapi_reference(const char *to);
/* {"application/json": {"schema": …}}; schema is taken. */
struct json_object *openapi_content(const char *type, struct json_object *schema);
/* type NULL: without a body, schema is then NULL; else schema is taken. */
struct json_object *openapi_answer(const char *description, const char *type, struct json_object *schema);
/* in: "path" (then required), "query" or "header"; schema is taken. */
struct json_object *openapi_parameter(const char *name, const char *in, struct json_object *schema);

/* What can go wrong, and where; the last one's status is NULL.  Each is a component of its own. */
struct openapi_failure {
	const char *status, *description;
	unsigned methods; /* set of enum method */
	bool needs_id, needs_version, tells_wait;
};
extern const struct openapi_failure openapi_failures[];

/* "components": they hold what openapi.c refers to. */
struct json_object *openapi_components(void);

#endif
