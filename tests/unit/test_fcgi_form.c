#include "tests/unit/unit.h"

#include <string.h>

#include "fcgi/form.h"

static const char *const colours[] = {"red", "blue", NULL};
static const struct form_spec specs[] = {
    {.name = "name", .kind = FORM_TEXT, .max_bytes = 10, .required = true},
    {.name = "host", .kind = FORM_HOST, .max_bytes = 255},
    {.name = "port", .kind = FORM_NUMBER, .min = 1, .max = 65535},
    {.name = "colour", .kind = FORM_CHOICE, .choices = colours},
    {.name = "on", .kind = FORM_CHECK},
    {.name = "secret", .kind = FORM_PASSWORD, .max_bytes = 100},
    {.name = "email", .kind = FORM_EMAIL, .max_bytes = 100},
    {.name = "next", .kind = FORM_PATH, .max_bytes = 100},
};

/* Reads "name=x&<text>"; returns the field. */
static struct form_field *one(struct arena *a, const char *text, const char *field)
{
	static struct form f;
	struct params ps = {0};
	char *whole = arena_printf(a, "name=x&%s", text);

	assert_int_equal(params_parse(&ps, a, whole, strlen(whole)), ERR_OK);
	if (form_read(&f, a, &ps, FORM_ROWS(specs)) == ERR_OK)
		assert_false(f.has_errors);
	return form_get(&f, field);
}

static void absent_invalid_and_value_are_three_things(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();

	(void)state;
	assert_int_equal(one(a, "", "port")->state, FORM_ABSENT);
	assert_int_equal(one(a, "port=", "port")->state, FORM_ABSENT);
	assert_int_equal(one(a, "port=0", "port")->state, FORM_INVALID);
	assert_non_null(one(a, "port=0", "port")->error);
	assert_int_equal(one(a, "port=993", "port")->state, FORM_VALUE);
	assert_int_equal(one(a, "port=993", "port")->number, 993);
	assert_int_equal(one(a, "port=99999999999999999999", "port")->state, FORM_INVALID);
}

static void a_required_field_of_spaces_is_refused(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct params ps = {0};
	struct form f;

	(void)state;
	assert_int_equal(params_parse(&ps, a, "name=++", 7), ERR_OK);
	assert_int_equal(form_read(&f, a, &ps, FORM_ROWS(specs)), ERR_INVALID);
	assert_int_equal(form_get(&f, "name")->state, FORM_INVALID);
}

static void host_names_and_addresses_are_told_from_junk(void **state)
{
	static const char *const good[] = {
	    "imap.example.org", "localhost", "192.0.2.1", "2001:db8::1", "%5B2001:db8::1%5D", "a-b.c_d"};
	static const char *const wrong[] = {
	    "-a", "a-", "a..b", "a b", "imap://x", "a%0D%0Ab", "x%2F", "%C3%A9.org", ".a", "a%22b"};
	AUTO_ARENA struct arena *a = arena_new();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(one(a, arena_printf(a, "host=%s", good[i]), "host")->state, FORM_VALUE);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(one(a, arena_printf(a, "host=%s", wrong[i]), "host")->state, FORM_INVALID);
	assert_string_equal(one(a, "host=%5B2001:db8::1%5D", "host")->text, "2001:db8::1");
}

static void control_characters_are_refused_in_text(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();

	(void)state;
	assert_int_equal(one(a, "email=a%1B@b", "email")->state, FORM_INVALID);
	assert_int_equal(one(a, "email=a%C2%85@b", "email")->state, FORM_INVALID);
	assert_int_equal(one(a, "email=a@b.example", "email")->state, FORM_VALUE);
	assert_int_equal(one(a, "email=a@b@c", "email")->state, FORM_INVALID);
}

static void a_password_keeps_its_spaces_and_refuses_line_breaks(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();

	(void)state;
	assert_string_equal(one(a, "secret=+x+", "secret")->text, " x ");
	assert_int_equal(one(a, "secret=a%0Ab", "secret")->state, FORM_INVALID);
}

static void a_password_is_never_sent_back(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct params ps = {0};
	struct form f;
	struct json_object *o;

	(void)state;
	assert_int_equal(params_parse(&ps, a, "secret=hunter2&port=x", 21), ERR_OK);
	assert_int_equal(form_read(&f, a, &ps, FORM_ROWS(specs)), ERR_INVALID);
	o = form_json(&f);
	assert_null(strstr(json_object_to_json_string(o), "hunter2"));
	assert_non_null(strstr(json_object_to_json_string(o), "\"x\""));
	json_object_put(o);
}

static void a_next_that_leaves_the_site_counts_as_absent(void **state)
{
	static const char *const wrong[] = {
	    "//evil.example", "https://evil.example", "/%5Cevil", "javascript:1", "%2F%0Ax"};
	AUTO_ARENA struct arena *a = arena_new();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct form_field *fd = one(a, arena_printf(a, "next=%s", wrong[i]), "next");

		assert_int_equal(fd->state, FORM_ABSENT);
		assert_string_equal(fd->text, "");
	}
	assert_string_equal(one(a, "next=/migration/jobs?q=1", "next")->text, "/migration/jobs?q=1");
}

static void a_check_box_is_checked_only_by_a_true_value(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();

	(void)state;
	assert_false(one(a, "", "on")->checked);
	assert_false(one(a, "on=0", "on")->checked);
	assert_true(one(a, "on=1", "on")->checked);
}

static void a_choice_outside_the_list_is_refused(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();

	(void)state;
	assert_int_equal(one(a, "colour=green", "colour")->state, FORM_INVALID);
	assert_int_equal(one(a, "colour=blue", "colour")->state, FORM_VALUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(absent_invalid_and_value_are_three_things),
	    cmocka_unit_test(a_required_field_of_spaces_is_refused),
	    cmocka_unit_test(host_names_and_addresses_are_told_from_junk),
	    cmocka_unit_test(control_characters_are_refused_in_text),
	    cmocka_unit_test(a_password_keeps_its_spaces_and_refuses_line_breaks),
	    cmocka_unit_test(a_password_is_never_sent_back),
	    cmocka_unit_test(a_next_that_leaves_the_site_counts_as_absent),
	    cmocka_unit_test(a_check_box_is_checked_only_by_a_true_value),
	    cmocka_unit_test(a_choice_outside_the_list_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
