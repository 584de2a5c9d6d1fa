/*
 * What the verification behind a real run found, as view models show it: "verification" of
 * fcgi/VIEWMODELS.md. Pure: the row in, an object out, which is the caller's.
 */
#ifndef MCV_FCGI_VERIFY_VIEW_H
#define MCV_FCGI_VERIFY_VIEW_H

#include <json-c/json.h>

#include "lib/arena.h"
#include "sql/job.h"

/* NULL where there was none. */
struct json_object *verify_view(struct arena *a, const struct job *j);

#endif
