#include "tests/unit/unit.h"

#include <string.h>

#include "lib/buf.h"
#include "lib/password.h"

static void a_password_verifies_against_its_own_hash_only(void **state)
{
	char hash[PASSWORD_HASH_MAX], again[PASSWORD_HASH_MAX];

	(void)state;
	assert_int_equal(password_hash("correct horse", hash), ERR_OK);
	assert_int_equal(password_hash("correct horse", again), ERR_OK);
	assert_string_not_equal(hash, again);
	assert_memory_equal(hash, "$y$", 3);
	assert_true(password_verify("correct horse", hash));
	assert_false(password_verify("correct hors", hash));
	assert_false(password_verify("nobody has this password", NULL));
}

static void a_short_password_is_refused(void **state)
{
	char hash[PASSWORD_HASH_MAX];

	(void)state;
	assert_int_equal(password_hash("short", hash), ERR_INVALID);
}

static void a_password_too_long_or_of_two_lines_is_refused(void **state)
{
	AUTO_BUF struct buf plain = BUF_INIT;
	char hash[PASSWORD_HASH_MAX];

	(void)state;
	assert_int_equal(password_hash("first line\nsecond", hash), ERR_INVALID);
	for (int i = 0; i < PASSWORD_MAX_BYTES; i++)
		buf_addc(&plain, 'x');
	assert_int_equal(password_hash(plain.data, hash), ERR_OK);
	assert_true(password_verify(plain.data, hash));
	buf_addc(&plain, 'x');
	assert_int_equal(password_hash(plain.data, hash), ERR_INVALID);
	assert_false(password_verify(plain.data, hash));
}

static void a_hash_that_is_none_verifies_nothing(void **state)
{
	static const char *const bad[] = {"", "*0", "*1", "x", "$y$", "$9$abc$def"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(password_verify("correct horse", bad[i]));
}

static void random_passwords_can_be_read_aloud_and_used(void **state)
{
	char one[21], two[21];

	(void)state;
	password_random(one);
	password_random(two);
	assert_string_not_equal(one, two);
	assert_int_equal(strlen(one), 20);
	assert_null(strpbrk(one, "0O1lI5S"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_password_verifies_against_its_own_hash_only),
	    cmocka_unit_test(a_short_password_is_refused),
	    cmocka_unit_test(a_password_too_long_or_of_two_lines_is_refused),
	    cmocka_unit_test(a_hash_that_is_none_verifies_nothing),
	    cmocka_unit_test(random_passwords_can_be_read_aloud_and_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
