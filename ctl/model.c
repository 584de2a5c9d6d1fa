#include "ctl/model.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64 };

struct json_object *model_at(struct json_object *m, const char *path)
{
	char name[NAME_MAX_BYTES];

	while (m != NULL && *path != '\0') {
		size_t n = strcspn(path, ".");

		if (n >= sizeof(name) || !json_object_is_type(m, json_type_object))
			return NULL;
		memcpy(name, path, n);
		name[n] = '\0';
		if (!json_object_object_get_ex(m, name, &m))
			return NULL;
		path += n + (path[n] == '.');
	}
	return m;
}

const char *model_text(struct json_object *m, const char *path)
{
	struct json_object *o = model_at(m, path);

	return json_object_is_type(o, json_type_string) ? json_object_get_string(o) : NULL;
}

int64_t model_number(struct json_object *m, const char *path)
{
	struct json_object *o = model_at(m, path);

	return json_object_is_type(o, json_type_int) ? json_object_get_int64(o) : -1;
}

bool model_is(struct json_object *m, const char *path)
{
	struct json_object *o = model_at(m, path);

	return json_object_is_type(o, json_type_boolean) && json_object_get_boolean(o);
}

size_t model_count(struct json_object *m, const char *path)
{
	struct json_object *o = model_at(m, path);

	return json_object_is_type(o, json_type_array) ? json_object_array_length(o) : 0;
}

struct json_object *model_item(struct json_object *m, const char *path, size_t i)
{
	return i < model_count(m, path) ? json_object_array_get_idx(model_at(m, path), i) : NULL;
}

void model_print(struct json_object *m)
{
	puts(json_object_to_json_string_ext(m, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}
