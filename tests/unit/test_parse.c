#include "tests/unit/unit.h"

#include <string.h>

#include "lib/buf.h"
#include "lib/parse.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void a_number_is_digits_and_nothing_else(void **state)
{
	static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "0x1", "1.0", "1e3", "1\n",
	    "18446744073709551616", "99999999999999999999"};
	uint64_t n = 7;

	(void)state;
	assert_int_equal(parse_u64("18446744073709551615", 0, UINT64_MAX, &n), ERR_OK);
	assert_true(n == UINT64_MAX);
	assert_int_equal(parse_u64("0", 0, 0, &n), ERR_OK);
	assert_true(n == 0);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (parse_u64(bad[i], 0, UINT64_MAX, &n) != ERR_INVALID)
			fail_msg("\"%s\" was taken", bad[i]);
	assert_int_equal(parse_u64(NULL, 0, UINT64_MAX, &n), ERR_INVALID);
	assert_true(n == 0);
}

static void a_number_outside_its_limits_is_refused(void **state)
{
	uint64_t n;

	(void)state;
	assert_int_equal(parse_u64("4", 5, 9, &n), ERR_INVALID);
	assert_int_equal(parse_u64("5", 5, 9, &n), ERR_OK);
	assert_int_equal(parse_u64("9", 5, 9, &n), ERR_OK);
	assert_int_equal(parse_u64("10", 5, 9, &n), ERR_INVALID);
}

static void a_signed_number_reaches_both_ends(void **state)
{
	int64_t n;

	(void)state;
	assert_int_equal(parse_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &n), ERR_OK);
	assert_true(n == INT64_MIN);
	assert_int_equal(parse_i64("9223372036854775807", INT64_MIN, INT64_MAX, &n), ERR_OK);
	assert_true(n == INT64_MAX);
	assert_int_equal(parse_i64("9223372036854775808", INT64_MIN, INT64_MAX, &n), ERR_INVALID);
	assert_int_equal(parse_i64("-9223372036854775809", INT64_MIN, INT64_MAX, &n), ERR_INVALID);
	assert_int_equal(parse_i64("--1", INT64_MIN, INT64_MAX, &n), ERR_INVALID);
	assert_int_equal(parse_i64("-", INT64_MIN, INT64_MAX, &n), ERR_INVALID);
	assert_int_equal(parse_i64("-1", 0, 5, &n), ERR_INVALID);
}

static void addresses_are_known_from_names(void **state)
{
	(void)state;
	assert_true(parse_is_address("192.0.2.1"));
	assert_true(parse_is_address("2001:db8::1"));
	assert_false(parse_is_address("[2001:db8::1]"));
	assert_false(parse_is_address("192.0.2"));
	assert_false(parse_is_address("imap.example.org"));
}

static void a_host_name_keeps_the_rules_of_dns(void **state)
{
	static const char *const good[] = {"localhost", "imap.example.org", "a-b.c", "3com.example", "_x.y"};
	static const char *const bad[] = {"", ".", "a.", ".a", "a..b", "-a", "a-", "a-.b", "a.-b", "a b",
	    "a/b", "a:1", "a\r\nb", "\xC3\xA4.example", "imap://a"};
	AUTO_BUF struct buf label = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!parse_is_hostname(good[i]))
			fail_msg("\"%s\" was refused", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (parse_is_hostname(bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
	for (int i = 0; i < 63; i++)
		buf_addc(&label, 'a');
	assert_true(parse_is_hostname(label.data));
	buf_addc(&label, 'a');
	assert_false(parse_is_hostname(label.data));
}

static void an_email_address_cannot_break_a_protocol_line(void **state)
{
	static const char *const good[] = {
	    "a@example.org", "first.last+tag@mail.example.org", "\xC3\xA4@example.org"};
	static const char *const bad[] = {"", "a", "@example.org", "a@", "a@b@c", "a b@example.org",
	    "a@example.org>", "<a@example.org>", "a\r\n@example.org", "a@exam\nple.org",
	    "a@\xC3\xA4.example"};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!parse_is_email(good[i]))
			fail_msg("\"%s\" was refused", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (parse_is_email(bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
}

static void only_this_machine_is_loopback(void **state)
{
	static const char *const own[] = {"localhost", "127.0.0.1", "127.8.9.10", "::1", "0:0:0:0:0:0:0:1"};
	static const char *const others[] = {"127.0.0.1.example.org", "127.example.org", "127.1",
	    "localhost.example.org", "128.0.0.1", "::2", "::ffff:192.0.2.1", "", "db.example.org"};

	(void)state;
	for (size_t i = 0; i < COUNT(own); i++)
		if (!parse_is_loopback(own[i]))
			fail_msg("\"%s\" is this machine", own[i]);
	for (size_t i = 0; i < COUNT(others); i++)
		if (parse_is_loopback(others[i]))
			fail_msg("\"%s\" may be any machine", others[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_number_is_digits_and_nothing_else),
	    cmocka_unit_test(a_number_outside_its_limits_is_refused),
	    cmocka_unit_test(a_signed_number_reaches_both_ends),
	    cmocka_unit_test(addresses_are_known_from_names),
	    cmocka_unit_test(only_this_machine_is_loopback),
	    cmocka_unit_test(a_host_name_keeps_the_rules_of_dns),
	    cmocka_unit_test(an_email_address_cannot_break_a_protocol_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
