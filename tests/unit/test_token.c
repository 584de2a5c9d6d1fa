#include "tests/unit/unit.h"

#include <string.h>

#include "lib/token.h"

static void no_two_tokens_are_the_same(void **state)
{
	char one[TOKEN_HEX_LEN + 1], two[TOKEN_HEX_LEN + 1];

	(void)state;
	token_new(one);
	token_new(two);
	assert_int_equal(strlen(one), TOKEN_HEX_LEN);
	assert_int_equal(strspn(one, "0123456789abcdef"), TOKEN_HEX_LEN);
	assert_string_not_equal(one, two);
}

/* FIPS 180-4: the digest of "abc". */
static void a_token_is_stored_as_its_sha256(void **state)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	char hex[2 * TOKEN_HASH_BYTES + 1];

	(void)state;
	token_hash("abc", 3, hash);
	token_hex(hash, sizeof(hash), hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void hexadecimal_goes_both_ways(void **state)
{
	unsigned char bytes[3];

	(void)state;
	assert_int_equal(token_unhex("00fFa5", bytes, 3), ERR_OK);
	assert_memory_equal(bytes, "\x00\xFF\xA5", 3);
	assert_int_equal(token_unhex("00ffa", bytes, 3), ERR_INVALID);
	assert_int_equal(token_unhex("00ffa5b", bytes, 3), ERR_INVALID);
	assert_int_equal(token_unhex("00ffg5", bytes, 3), ERR_INVALID);
	assert_int_equal(token_unhex("", bytes, 3), ERR_INVALID);
}

static void only_equal_strings_are_equal(void **state)
{
	(void)state;
	assert_true(token_equal("abc", "abc"));
	assert_true(token_equal("", ""));
	assert_false(token_equal("abc", "abd"));
	assert_false(token_equal("abc", "ab"));
	assert_false(token_equal("", "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_two_tokens_are_the_same),
	    cmocka_unit_test(a_token_is_stored_as_its_sha256),
	    cmocka_unit_test(hexadecimal_goes_both_ways),
	    cmocka_unit_test(only_equal_strings_are_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
