#include "tests/unit/unit.h"

#include <string.h>

#include "lib/origin.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void an_origin_is_https_and_a_host(void **state)
{
	static const char *const good[] = {"https://panel.example.org", "https://panel.example.org:2222",
	    "https://192.0.2.7:8443", "https://p", "http://127.0.0.1:8080", "http://localhost"};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		AUTO_BUF struct buf list = BUF_INIT;

		assert_int_equal(origin_list_add(&list, good[i]), ERR_OK);
		assert_string_equal(list.data, good[i]);
	}
}

static void what_could_let_others_in_is_refused(void **state)
{
	static const char *const bad[] = {"*", "https:", "https://", "https://*", "https://*.example.org",
	    "panel.example.org", "http://panel.example.org", "http://127.0.0.1.example.org", "'self'",
	    "data:", "https://panel.example.org/", "https://panel.example.org/x",
	    "https://a@panel.example.org", "https://panel.example.org:", "https://panel.example.org:0",
	    "https://panel.example.org:08", "https://panel.example.org:65536", "https://panel.example.org:*",
	    "https://panel.example.org?x", "https://[2001:db8::1]", "https://under_score.example.org",
	    "https://-a.example.org", "https://a\"b", "https://a'b", "ftp://a",
	    "https://\xC3\xA4.example.org",
	    "https://a\x01"
	    "b",
	    "https://a:1:2", "null"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		AUTO_BUF struct buf list = BUF_INIT;

		if (origin_list_add(&list, bad[i]) != ERR_INVALID || list.len != 0)
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

static void a_list_is_parted_in_any_usual_way_and_says_each_once(void **state)
{
	AUTO_BUF struct buf list = BUF_INIT;

	(void)state;
	assert_int_equal(
	    origin_list_add(&list, "https://A.example.org, https://b;https://b:1\t https://a.example.org"),
	    ERR_OK);
	assert_int_equal(origin_list_add(&list, "https://b https://c"), ERR_OK);
	assert_string_equal(list.data, "https://a.example.org https://b https://b:1 https://c");
	assert_int_equal(origin_list_add(&list, NULL), ERR_OK);
	assert_int_equal(origin_list_add(&list, " , "), ERR_OK);
}

static void a_list_fits_a_header(void **state)
{
	AUTO_BUF struct buf list = BUF_INIT, one = BUF_INIT;
	enum err e = ERR_OK;

	(void)state;
	for (unsigned i = 0; e == ERR_OK; i++) {
		buf_clear(&one);
		buf_addf(&one, "https://panel%u.example.org", i);
		e = origin_list_add(&list, one.data);
	}
	assert_int_equal(e, ERR_TOO_BIG);
	assert_in_range(list.len, ORIGIN_LIST_MAX_BYTES - 32, ORIGIN_LIST_MAX_BYTES);
	buf_clear(&one);
	for (unsigned i = 0; i < 2000; i++)
		buf_addc(&one, 'a');
	assert_int_equal(origin_list_add(&list, one.data), ERR_TOO_BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_origin_is_https_and_a_host),
	    cmocka_unit_test(what_could_let_others_in_is_refused),
	    cmocka_unit_test(a_list_is_parted_in_any_usual_way_and_says_each_once),
	    cmocka_unit_test(a_list_fits_a_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
