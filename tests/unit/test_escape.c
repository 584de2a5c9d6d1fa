#include "tests/unit/unit.h"

#include <string.h>

#include "lib/escape.h"

typedef void escape_fn(struct buf *out, const char *s, size_t len);

static void expect(escape_fn *escape, const char *s, const char *want)
{
	AUTO_BUF struct buf out = BUF_INIT;

	escape(&out, s, strlen(s));
	assert_string_equal(out.data, want);
}

static void all_five_html_characters_are_replaced_and_nothing_else(void **state)
{
	(void)state;
	expect(escape_html, "<a b=\"c\" d='e'>&amp;</a>",
	    "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;&lt;/a&gt;");
	expect(escape_html, "pl\xC3\xA4in = / `", "pl\xC3\xA4in = / `");
	expect(escape_html, "", "");
}

static void only_unreserved_characters_stay_in_a_url(void **state)
{
	(void)state;
	expect(escape_url, "Az09-._~", "Az09-._~");
	expect(escape_url, "a b+c&d=e/f?g#h%\xFF\n", "a%20b%2Bc%26d%3De%2Ff%3Fg%23h%25%FF%0A");
}

static void a_plain_file_name_needs_no_second_form(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT;

	(void)state;
	escape_attachment(&out, "job-17_dry.log");
	assert_string_equal(out.data, "attachment; filename=\"job-17_dry.log\"");
}

static void a_file_name_cannot_end_its_header(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT;

	(void)state;
	escape_attachment(&out, "a\"; x\r\nSet-Cookie: \xC3\xA4");
	assert_string_equal(out.data, "attachment; filename=\"a___x__Set-Cookie____\"; "
				      "filename*=UTF-8''a%22%3B%20x%0D%0ASet-Cookie%3A%20%C3%A4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_five_html_characters_are_replaced_and_nothing_else),
	    cmocka_unit_test(only_unreserved_characters_stay_in_a_url),
	    cmocka_unit_test(a_plain_file_name_needs_no_second_form),
	    cmocka_unit_test(a_file_name_cannot_end_its_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
