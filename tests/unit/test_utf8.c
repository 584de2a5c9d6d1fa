#include "tests/unit/unit.h"

#include <string.h>

#include "lib/utf8.h"

static void shortest_form_is_required(void **state)
{
	(void)state;
	assert_int_equal(utf8_sequence("\xC0\xAF", 2), 0);
	assert_int_equal(utf8_sequence("\xE0\x80\xAF", 3), 0);
	assert_int_equal(utf8_sequence("\xF0\x80\x80\xAF", 4), 0);
	assert_int_equal(utf8_sequence("\xC3\xA9", 2), 2);
}

static void surrogates_and_values_past_10ffff_are_refused(void **state)
{
	(void)state;
	assert_int_equal(utf8_sequence("\xED\xA0\x80", 3), 0);
	assert_int_equal(utf8_sequence("\xF4\x90\x80\x80", 4), 0);
	assert_int_equal(utf8_sequence("\xF4\x8F\xBF\xBF", 4), 4);
}

static void a_cut_character_is_incomplete_but_a_wrong_one_is_not(void **state)
{
	(void)state;
	assert_true(utf8_incomplete("\xE2\x82", 2));
	assert_true(utf8_incomplete("\xF0", 1));
	assert_false(utf8_incomplete("\xE2\x28", 2));
	assert_false(utf8_incomplete("\x80", 1));
	assert_false(utf8_incomplete("a", 1));
	assert_false(utf8_incomplete("", 0));
}

static void c1_controls_are_controls(void **state)
{
	(void)state;
	assert_true(utf8_is_control("\xC2\x9B", 2));
	assert_true(utf8_is_control("\x1B", 1));
	assert_false(utf8_is_control("\xC2\xA0", 2));
}

static void what_is_hidden_is_told_from_what_scripts_need(void **state)
{
	static const char *const hidden[] = {"\xD8\x9C", "\xE2\x80\x8B", "\xE2\x80\x8E", "\xE2\x80\x8F",
	    "\xE2\x80\xA8", "\xE2\x80\xAA", "\xE2\x80\xAE", "\xE2\x81\xA0", "\xE2\x81\xA6", "\xE2\x81\xA9",
	    "\xEF\xBB\xBF", "\xEF\xBF\xB9", "\xF3\xA0\x81\xBF", "\xC2\xAD", "\xCD\x8F", "\xE1\x85\xA0",
	    "\xE3\x85\xA4", "\xEF\xBE\xA0", "\xF3\xA0\x84\x80"};
	static const char *const seen[] = {"a", "\xC3\xA9", "\xE2\x80\x8C", "\xE2\x80\x8D", "\xE2\x80\x93",
	    "\xE2\x80\xAF", "\xD7\x90", "\xEF\xB8\x8F", "\xE3\x85\xA3", "\xF0\x9F\x98\x80", "\xEF\xBF\xBD"};

	(void)state;
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		assert_true(utf8_is_hidden(hidden[i], strlen(hidden[i])));
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		assert_false(utf8_is_hidden(seen[i], strlen(seen[i])));
	assert_int_equal(utf8_code("\xF0\x9F\x98\x80", 4), 0x1F600);
	assert_int_equal(utf8_code("\xE2\x80\xAE", 3), 0x202E);
	assert_int_equal(utf8_code("a", 1), 'a');
}

static void nul_is_a_valid_character(void **state)
{
	(void)state;
	assert_true(utf8_valid("a\0b", 3));
	assert_false(utf8_valid("a\xFF", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shortest_form_is_required),
	    cmocka_unit_test(surrogates_and_values_past_10ffff_are_refused),
	    cmocka_unit_test(a_cut_character_is_incomplete_but_a_wrong_one_is_not),
	    cmocka_unit_test(c1_controls_are_controls),
	    cmocka_unit_test(what_is_hidden_is_told_from_what_scripts_need),
	    cmocka_unit_test(nul_is_a_valid_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
