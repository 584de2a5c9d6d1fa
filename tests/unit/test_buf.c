#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/buf.h"

static void a_fresh_buffer_is_an_empty_string(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_string_equal(b.data, "");
	assert_int_equal(b.len, 0);
	buf_free(&b);
	assert_string_equal(b.data, "");
}

static void bytes_of_any_value_are_kept_and_a_nul_follows(void **state)
{
	AUTO_BUF struct buf b = BUF_INIT;

	(void)state;
	buf_add(&b, "a\0b", 3);
	buf_addc(&b, 'c');
	buf_addf(&b, "%d", 42);
	assert_int_equal(b.len, 6);
	assert_memory_equal(b.data, "a\0bc42", 7);
}

static void consume_and_truncate_keep_the_middle(void **state)
{
	AUTO_BUF struct buf b = BUF_INIT;

	(void)state;
	buf_adds(&b, "0123456789");
	buf_consume(&b, 3);
	buf_truncate(&b, 4);
	assert_string_equal(b.data, "3456");
}

static void steal_leaves_an_empty_buffer(void **state)
{
	struct buf b = BUF_INIT;
	char *s;

	(void)state;
	s = buf_steal(&b);
	assert_string_equal(s, "");
	free(s);
	buf_adds(&b, "x");
	s = buf_steal(&b);
	assert_string_equal(s, "x");
	assert_int_equal(b.len, 0);
	free(s);
}

static void a_clean_arena_hands_out_zeroed_memory_again_after_reset(void **state)
{
	AUTO_ARENA struct arena *a = arena_new_clean();
	char *first = arena_strdup(a, "secret");
	char *second;

	(void)state;
	arena_reset(a);
	second = arena_alloc(a, 7);
	assert_ptr_equal(first, second);
	assert_memory_equal(second, "\0\0\0\0\0\0\0", 7);
}

static void an_arena_serves_blocks_larger_than_its_own(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();
	char *big = arena_alloc(a, 1 << 20);

	(void)state;
	memset(big, 'x', 1 << 20);
	assert_string_equal(arena_printf(a, "%s-%d", "n", 7), "n-7");
	assert_true(arena_used(a) >= (1 << 20));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_fresh_buffer_is_an_empty_string),
	    cmocka_unit_test(bytes_of_any_value_are_kept_and_a_nul_follows),
	    cmocka_unit_test(consume_and_truncate_keep_the_middle),
	    cmocka_unit_test(steal_leaves_an_empty_buffer),
	    cmocka_unit_test(a_clean_arena_hands_out_zeroed_memory_again_after_reset),
	    cmocka_unit_test(an_arena_serves_blocks_larger_than_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
