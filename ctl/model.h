/*
 * Reading what the panel answers (fcgi/VIEWMODELS.md).  A path is names with dots between: "job.source.user".
 */
#ifndef MCV_CTL_MODEL_H
#define MCV_CTL_MODEL_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

/* What stands there, the model's own; NULL when there is nothing. */
struct json_object *model_at(struct json_object *m, const char *path);

/* The text there, the model's own; NULL when there is none. */
const char *model_text(struct json_object *m, const char *path);

/* The number there; -1 when there is none. */
int64_t model_number(struct json_object *m, const char *path);

/* Whether true stands there. */
bool model_is(struct json_object *m, const char *path);

/* How many the list there has, and each of them; 0 and NULL when there is none. */
size_t model_count(struct json_object *m, const char *path);
struct json_object *model_item(struct json_object *m, const char *path, size_t i);

/* Print m to standard output as one line of JSON. */
void model_print(struct json_object *m);

#endif
