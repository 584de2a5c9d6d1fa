#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "imap/mutf7.h"
#include "lib/utf8.h"

static const struct {
	const char *raw;
	const char *utf8;
} vectors[] = {
    {"", ""},
    {"INBOX", "INBOX"},
    {"a&-b", "a&b"},
    {"&-&-", "&&"},
    {"~peter/mail/&U,BTFw-/&ZeVnLIqe-",
	"~peter/mail/\xE5\x8F\xB0\xE5\x8C\x97/\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E"},
    {"Entw&APw-rfe", "Entw\xC3\xBCrfe"},
    {"&2D3eAA-", "\xF0\x9F\x98\x80"},
    {"&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-",
	"\xD0\x9E\xD1\x82\xD0\xBF\xD1\x80\xD0\xB0\xD0\xB2\xD0\xBB\xD0\xB5\xD0\xBD\xD0\xBD\xD1\x8B\xD0\xB5"},
    {"&AAk-", "\t"},
};

static void known_names_translate_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct buf out = BUF_INIT;
		assert_int_equal(mutf7_decode(vectors[i].raw, strlen(vectors[i].raw), &out), ERR_OK);
		assert_string_equal(out.data, vectors[i].utf8);
		buf_clear(&out);
		assert_int_equal(mutf7_encode(vectors[i].utf8, strlen(vectors[i].utf8), &out), ERR_OK);
		assert_string_equal(out.data, vectors[i].raw);
		buf_free(&out);
	}
}

static void second_spellings_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
	    "&",          /* unfinished */
	    "&AOQ",       /* unfinished */
	    "&AGE-",      /* a printable character encoded */
	    "&AOR-",      /* unused bits set */
	    "&AOQA-",     /* a needless sextet */
	    "&AOQ-&APY-", /* two runs that are one */
	    "&2D0-",      /* high surrogate alone */
	    "&3gA-",      /* low surrogate alone */
	    "&A/w-",      /* "/" instead of "," */
	    "&A-",        /* less than a unit */
	    "\xC3\xA4",   /* raw UTF-8 */
	    "a\tb",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf out = BUF_INIT;
		buf_adds(&out, "kept");
		assert_int_equal(mutf7_decode(bad[i], strlen(bad[i]), &out), ERR_INVALID);
		assert_string_equal(out.data, "kept");
		buf_free(&out);
	}
}

static void what_decodes_encodes_to_the_same_bytes(void **state)
{
	(void)state;
	static const char letters[] = "&-AaO9+,Q2D/ ";
	unsigned seed = 1;
	unsigned decoded = 0;

	for (int round = 0; round < 200000; round++) {
		char raw[12];
		size_t len = 0;
		struct buf out = BUF_INIT, back = BUF_INIT;
		while (len < sizeof(raw)) {
			seed = seed * 1103515245u + 12345u;
			raw[len++] = letters[(seed >> 16) % (sizeof(letters) - 1)];
			if ((seed >> 8 & 7) == 0)
				break;
		}
		if (mutf7_decode(raw, len, &out) == ERR_OK) {
			decoded++;
			assert_true(utf8_valid(out.data, out.len));
			assert_int_equal(mutf7_encode(out.data, out.len, &back), ERR_OK);
			assert_int_equal(back.len, len);
			assert_memory_equal(back.data, raw, len);
		}
		buf_free(&out);
		buf_free(&back);
	}
	assert_true(decoded > 1000);
}

static void every_code_point_survives_the_round_trip(void **state)
{
	(void)state;
	for (uint32_t u = 0; u <= 0x10FFFF; u += u < 0x3000 ? 1 : 37) {
		char s[8];
		size_t n = 0;
		struct buf out = BUF_INIT, back = BUF_INIT;
		if (u >= 0xD800 && u <= 0xDFFF)
			continue;
		if (u < 0x80) {
			s[n++] = (char)u;
		} else if (u < 0x800) {
			s[n++] = (char)(0xC0 | u >> 6);
			s[n++] = (char)(0x80 | (u & 63));
		} else if (u < 0x10000) {
			s[n++] = (char)(0xE0 | u >> 12);
			s[n++] = (char)(0x80 | (u >> 6 & 63));
			s[n++] = (char)(0x80 | (u & 63));
		} else {
			s[n++] = (char)(0xF0 | u >> 18);
			s[n++] = (char)(0x80 | (u >> 12 & 63));
			s[n++] = (char)(0x80 | (u >> 6 & 63));
			s[n++] = (char)(0x80 | (u & 63));
		}
		assert_int_equal(mutf7_encode(s, n, &out), ERR_OK);
		assert_int_equal(mutf7_decode(out.data, out.len, &back), ERR_OK);
		assert_int_equal(back.len, n);
		assert_memory_equal(back.data, s, n);
		buf_free(&out);
		buf_free(&back);
	}
}

static void invalid_utf8_is_not_encoded(void **state)
{
	(void)state;
	struct buf out = BUF_INIT;

	assert_int_equal(mutf7_encode("a\xFF", 2, &out), ERR_INVALID);
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

static void display_is_always_utf8(void **state)
{
	(void)state;
	struct buf out = BUF_INIT;

	mutf7_display("Entw&APw-rfe", 12, &out);
	assert_string_equal(out.data, "Entw\xC3\xBCrfe");
	buf_clear(&out);
	mutf7_display("\xC3\xA4&", 3, &out);
	assert_string_equal(out.data, "\xC3\xA4&");
	buf_clear(&out);
	mutf7_display("\xE4&", 2, &out);
	assert_string_equal(out.data, "\xEF\xBF\xBD&");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_names_translate_both_ways),
	    cmocka_unit_test(second_spellings_are_refused),
	    cmocka_unit_test(what_decodes_encodes_to_the_same_bytes),
	    cmocka_unit_test(every_code_point_survives_the_round_trip),
	    cmocka_unit_test(invalid_utf8_is_not_encoded),
	    cmocka_unit_test(display_is_always_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
