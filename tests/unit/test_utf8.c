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
	    cmocka_unit_test(nul_is_a_valid_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
