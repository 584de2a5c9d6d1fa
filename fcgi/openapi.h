/*
 * The description of /api/v1 (OpenAPI 3.1.0), made of the same tables that serve it: what a token may ask for
 * is a route's row, what a body holds a form's.  Pure.
 */
#ifndef MCV_FCGI_OPENAPI_H
#define MCV_FCGI_OPENAPI_H

#include <json-c/json.h>

#include "fcgi/route.h"

#include "lib/arena.h"

/* Of every row that a token with some scope may use; texts live in a until it returns.  The caller owns it.
 */
struct json_object *openapi_describe(struct arena *a, const struct route *table, const char *version);

#endif
