/* Templates: the input is a page, a part "p" and a model in JSON, separated by lines of "---". */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "lib/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char separator[] = "\n---\n";
static const char some_model[] =
    "{\"a\":\"<&'\\\">\",\"b\":{\"c\":[1,2.5,true,null,\"x\"]},\"l\":[{\"a\":1},{\"a\":[]}],\"f\":false}";

/* The next part of the input as a JSON string. */
static json_object *take_part(const char **at, const char *end)
{
	size_t left = (size_t)(end - *at);
	const char *stop = memmem(*at, left, separator, sizeof(separator) - 1);
	size_t len = stop ? (size_t)(stop - *at) : left;
	json_object *part = json_object_new_string_len(*at, (int)len);

	*at += stop ? len + sizeof(separator) - 1 : len;
	return part;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	json_object *sources = json_object_new_object(), *text, *model;
	AUTO_BUF struct buf once = BUF_INIT, twice = BUF_INIT;
	struct templates *ts;
	enum err e, again;

	json_object_object_add(sources, "main", take_part(&at, end));
	json_object_object_add(sources, "p", take_part(&at, end));
	text = take_part(&at, end);
	model = json_tokener_parse(json_object_get_string(text));
	if (model == NULL)
		model = json_tokener_parse(some_model);
	ts = templates_new_memory(sources);
	e = template_render(ts, "main", model, &once);
	assert((e == ERR_OK) == (template_error(ts)[0] == '\0'));
	assert(e == ERR_OK || once.len == 0);
	again = template_render(ts, "main", model, &twice);
	assert(again == e && twice.len == once.len && memcmp(once.data, twice.data, once.len) == 0);
	templates_free(&ts);
	json_object_put(model);
	json_object_put(text);
	json_object_put(sources);
	return 0;
}
