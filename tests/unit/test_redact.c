#include "tests/unit/unit.h"

#include <string.h>

#include "lib/redact.h"

/* Feed text cut in two at every place; each way must give want. */
static void expect(const char *secret, const char *text, const char *want)
{
	size_t len = strlen(text);

	for (size_t cut = 0; cut <= len; cut++) {
		struct redact *r = redact_new();
		AUTO_BUF struct buf out = BUF_INIT;

		redact_add(r, secret, strlen(secret));
		redact_feed(r, text, cut, &out);
		redact_feed(r, text + cut, len - cut, &out);
		redact_end(r, &out);
		redact_free(&r);
		assert_string_equal(out.data, want);
	}
}

static void a_secret_is_masked_wherever_the_stream_is_cut(void **state)
{
	(void)state;
	expect("hunter2!", "a hunter2! b hunter2 hunter2!", "a ******** b hunter2 ********");
}

static void bytes_alone_are_masked_as_well_as_in_one_piece(void **state)
{
	struct redact *r = redact_new();
	AUTO_BUF struct buf out = BUF_INIT;
	const char *text = "xhunterhunter2!x";

	(void)state;
	redact_add(r, "hunter2!", 8);
	for (size_t i = 0; i < strlen(text); i++)
		redact_feed(r, text + i, 1, &out);
	redact_end(r, &out);
	redact_free(&r);
	assert_string_equal(out.data, "xhunter********x");
}

static void base64_of_it_is_masked_at_every_alignment(void **state)
{
	(void)state;
	/* "s3cret-Pass" alone, then after "\0a\0", "\0ab\0" and "\0abc\0" */
	expect("s3cret-Pass", "czNjcmV0LVBhc3M=", "********");
	expect("s3cret-Pass", "AGEAczNjcmV0LVBhc3M=", "AGEA********");
	expect("s3cret-Pass", "AGFiAHMzY3JldC1QYXNz", "AGFiAH********");
	expect("s3cret-Pass", "AGFiYwBzM2NyZXQtUGFzcw==", "AGFiYwB********w==");
}

static void url_and_quoted_forms_are_masked(void **state)
{
	(void)state;
	expect("p\"w\\ \xC3\xA9", "x p\\\"w\\\\ \xC3\xA9 y", "x ******** y");
	expect("p/w\xC3\xA9=", "q=p%2Fw%C3%A9%3D&r", "q=********&r");
	expect("p/w\xC3\xA9=", "q=p%2fw%c3%a9%3d&r", "q=********&r");
}

static void a_short_secret_is_masked_only_when_it_stands_alone(void **state)
{
	(void)state;
	expect("ab", "ab cab abc 'ab' ab", "******** cab abc '********' ********");
}

static void without_secrets_the_stream_passes_unchanged(void **state)
{
	struct redact *r = redact_new();
	AUTO_BUF struct buf out = BUF_INIT;

	(void)state;
	redact_add(r, "", 0);
	redact_feed(r, "a\0b", 3, &out);
	redact_end(r, &out);
	redact_free(&r);
	assert_int_equal(out.len, 3);
	assert_memory_equal(out.data, "a\0b", 3);
}

static void the_longer_of_two_secrets_wins(void **state)
{
	struct redact *r = redact_new();
	AUTO_BUF struct buf out = BUF_INIT;

	(void)state;
	redact_add(r, "pass", 4);
	redact_add(r, "password1", 9);
	redact_feed(r, "password1 password2", 19, &out);
	redact_end(r, &out);
	redact_free(&r);
	assert_string_equal(out.data, "******** ********word2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_secret_is_masked_wherever_the_stream_is_cut),
	    cmocka_unit_test(bytes_alone_are_masked_as_well_as_in_one_piece),
	    cmocka_unit_test(base64_of_it_is_masked_at_every_alignment),
	    cmocka_unit_test(url_and_quoted_forms_are_masked),
	    cmocka_unit_test(a_short_secret_is_masked_only_when_it_stands_alone),
	    cmocka_unit_test(without_secrets_the_stream_passes_unchanged),
	    cmocka_unit_test(the_longer_of_two_secrets_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
