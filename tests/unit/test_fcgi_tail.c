#include "tests/unit/unit.h"

#include <string.h>

#include "fcgi/tail.h"
#include "lib/visible.h"

#define FFFD "\xEF\xBF\xBD"

static void expect(const char *raw, size_t len, enum tail_end end, size_t taken, const char *text)
{
	AUTO_BUF struct buf b = BUF_INIT;

	assert_int_equal(tail_text(raw, len, end, &b), taken);
	assert_string_equal(b.data, text);
}

static void a_cut_character_waits_for_the_next_piece(void **state)
{
	(void)state;
	expect("ab\xC3", 3, TAIL_MORE_LATER, 2, "ab");
	expect("ab\xE2\x82", 4, TAIL_CUT, 2, "ab");
	expect("\xF0\x9F\x98", 3, TAIL_MORE_LATER, 0, "");
	expect("ab\xC3\xA9", 4, TAIL_MORE_LATER, 4, "ab\xC3\xA9");
}

static void a_cut_character_at_the_very_end_is_replaced(void **state)
{
	(void)state;
	expect("ab\xE2\x82", 4, TAIL_LAST, 4, "ab" FFFD);
}

static void a_piece_too_small_for_a_character_still_moves_on(void **state)
{
	(void)state;
	expect("\xE2", 1, TAIL_CUT, 1, FFFD);
}

static void invalid_bytes_are_replaced_as_browsers_do(void **state)
{
	(void)state;
	expect("a\xFF\xFE"
	       "b",
	    4, TAIL_MORE_LATER, 4, "a" FFFD FFFD "b");
	expect("\xE2\x82x", 3, TAIL_MORE_LATER, 3, FFFD "x");
	expect("\xF0\x9F\x98x", 4, TAIL_MORE_LATER, 4, FFFD "x");
	expect("\xED\xA0\x80", 3, TAIL_MORE_LATER, 3, FFFD FFFD FFFD);
	expect("\xC0\xAF", 2, TAIL_MORE_LATER, 2, FFFD FFFD);
}

static void pieces_of_any_size_add_up_to_the_whole(void **state)
{
	static const char raw[] = "a\xC3\xA9\xFF\xE2\x82\xAC\xE2\x82\xF0\x9F\x98\x80\xED\xA0\x80z\xF0\x9F";
	const size_t len = sizeof(raw) - 1;
	AUTO_BUF struct buf whole = BUF_INIT;
	size_t piece;

	(void)state;
	assert_int_equal(tail_text(raw, len, TAIL_LAST, &whole), len);
	for (piece = 4; piece <= len; piece++) {
		AUTO_BUF struct buf b = BUF_INIT;
		size_t at = 0;

		while (at < len) {
			size_t n = len - at < piece ? len - at : piece;
			size_t took = tail_text(raw + at, n, at + n == len ? TAIL_LAST : TAIL_CUT, &b);

			assert_true(took > 0);
			at += took;
		}
		assert_string_equal(b.data, whole.data);
	}
}

static void nul_bytes_are_kept(void **state)
{
	AUTO_BUF struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(tail_text("a\0b", 3, TAIL_MORE_LATER, &b), 3);
	assert_int_equal(b.len, 3);
}

static void control_and_direction_characters_are_made_visible(void **state)
{
	static const char s[] = "a\tb\r\nc\x1B[1m\0\x7F\xC2\x9B\xE2\x80\xAE<b>";
	AUTO_BUF struct buf b = BUF_INIT;

	(void)state;
	visible_text(s, sizeof(s) - 1, &b);
	assert_string_equal(b.data, "a\tb\nc\xE2\x90\x9B[1m\xE2\x90\x80\xE2\x90\xA1" FFFD FFFD "<b>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_cut_character_waits_for_the_next_piece),
	    cmocka_unit_test(a_cut_character_at_the_very_end_is_replaced),
	    cmocka_unit_test(a_piece_too_small_for_a_character_still_moves_on),
	    cmocka_unit_test(invalid_bytes_are_replaced_as_browsers_do),
	    cmocka_unit_test(pieces_of_any_size_add_up_to_the_whole),
	    cmocka_unit_test(nul_bytes_are_kept),
	    cmocka_unit_test(control_and_direction_characters_are_made_visible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
