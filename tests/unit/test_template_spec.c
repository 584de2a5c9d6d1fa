/*
 * The public Mustache specification's own cases, when its files are at hand: in
 * MCV_SHARED/data/mustache-spec, or in
 * ../shared/data/mustache-spec beside the source tree.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/template.h"

static char spec_dir[4096];

static const char *text_of(json_object *test, const char *key)
{
	json_object *v;

	return json_object_object_get_ex(test, key, &v) ? json_object_get_string(v) : "";
}

static int run_case(const char *module, json_object *test)
{
	AUTO_BUF struct buf out = BUF_INIT;
	json_object *sources = json_object_new_object(), *partials = NULL, *data = NULL;
	struct templates *ts;
	enum err e;
	int same;

	if (json_object_object_get_ex(test, "partials", &partials)) {
		json_object_object_foreach(partials, name, source)
		{
			json_object_object_add(sources, name, json_object_get(source));
		}
	}
	json_object_object_add(sources, "/main", json_object_new_string(text_of(test, "template")));
	json_object_object_get_ex(test, "data", &data);
	ts = templates_new_memory(sources);
	e = template_render(ts, "/main", data, &out);
	same = e == ERR_OK && strcmp(out.data, text_of(test, "expected")) == 0;
	if (!same)
		print_error("%s: %s\n got: %s\nwant: %s\n%s\n", module, text_of(test, "name"), out.data,
		    text_of(test, "expected"), template_error(ts));
	templates_free(&ts);
	json_object_put(sources);
	return same;
}

static void run_module(const char *module)
{
	char path[4200];
	json_object *root, *tests;
	int failed = 0;

	if (access(spec_dir, R_OK) != 0) {
		print_message("the specification's files are not here\n");
		skip();
	}
	(void)snprintf(path, sizeof(path), "%s/%s.json", spec_dir, module);
	root = json_object_from_file(path);
	assert_non_null(root);
	assert_true(json_object_object_get_ex(root, "tests", &tests));
	assert_true(json_object_array_length(tests) > 5);
	for (size_t i = 0; i < json_object_array_length(tests); i++)
		failed += !run_case(module, json_object_array_get_idx(tests, i));
	json_object_put(root);
	assert_int_equal(failed, 0);
}

#define MODULE(name) \
	static void spec_##name(void **state) \
	{ \
		(void)state; \
		run_module(#name); \
	}

MODULE(comments)
MODULE(delimiters)
MODULE(interpolation)
MODULE(inverted)
MODULE(partials)
MODULE(sections)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(spec_comments),
	    cmocka_unit_test(spec_delimiters),
	    cmocka_unit_test(spec_interpolation),
	    cmocka_unit_test(spec_inverted),
	    cmocka_unit_test(spec_partials),
	    cmocka_unit_test(spec_sections),
	};
	const char *shared = getenv("MCV_SHARED"), *src = getenv("MCV_SRCDIR");

	if (shared != NULL)
		(void)snprintf(spec_dir, sizeof(spec_dir), "%s/data/mustache-spec", shared);
	else
		(void)snprintf(
		    spec_dir, sizeof(spec_dir), "%s/../shared/data/mustache-spec", src ? src : ".");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
