#include "fcgi/panel_view.h"

#include "fcgi/view.h"

static struct json_object *answer(const char *url, const char *error)
{
	struct json_object *o = json_object_new_object();

	view_int(o, "status", error == NULL);
	view_str(o, "url", url);
	view_add(o, "messages", NULL);
	view_add(o, "warnings", NULL);
	view_add(o, "metadata", json_object_new_object());
	return o;
}

struct json_object *panel_view_link(const char *url, int64_t expires_at)
{
	struct json_object *o = answer(url, NULL), *data = json_object_new_object();

	view_str(data, "url", url);
	view_int(data, "expires", expires_at);
	view_add(o, "errors", NULL);
	view_add(o, "data", data);
	return o;
}

struct json_object *panel_view_error(const char *sentence)
{
	struct json_object *o = answer(NULL, sentence), *errors = json_object_new_array();

	json_object_array_add(errors, json_object_new_string(sentence));
	view_add(o, "errors", errors);
	view_add(o, "data", NULL);
	return o;
}
