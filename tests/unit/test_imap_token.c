#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "imap/token.h"

/* Tokens written as text, one after the other; pieces of a literal joined. */
static void tokenize(struct imap_lexer *lx, const char *data, size_t len, struct buf *out)
{
	struct imap_token t;
	size_t used;

	do {
		imap_lexer_next(lx, data, len, &used, &t);
		assert_true(used <= len);
		data += used;
		len -= used;
		switch (t.type) {
		case IMAP_TOKEN_MORE: assert_int_equal(len, 0); break;
		case IMAP_TOKEN_ATOM:
			buf_addf(out, "a:%s ", t.bytes);
			if (imap_token_is(&t, "OK"))
				imap_lexer_text(lx);
			break;
		case IMAP_TOKEN_STRING: buf_addf(out, "s:%s ", t.bytes); break;
		case IMAP_TOKEN_OPEN: buf_adds(out, "( "); break;
		case IMAP_TOKEN_CLOSE: buf_adds(out, ") "); break;
		case IMAP_TOKEN_LITERAL:
			buf_addf(out, "%s%llu<", t.binary ? "B" : "L", (unsigned long long)t.size);
			break;
		case IMAP_TOKEN_PIECE: buf_add(out, t.bytes, t.len); break;
		case IMAP_TOKEN_LITERAL_END: buf_adds(out, "> "); break;
		case IMAP_TOKEN_TEXT: buf_addf(out, "t:%s ", t.bytes); break;
		case IMAP_TOKEN_EOL: buf_adds(out, "| "); break;
		case IMAP_TOKEN_ERROR: buf_adds(out, "ERROR"); return;
		}
	} while (t.type != IMAP_TOKEN_MORE);
}

static void check(const char *input, const char *want)
{
	struct imap_lexer lx;
	struct buf out = BUF_INIT;

	imap_lexer_init(&lx, NULL);
	tokenize(&lx, input, strlen(input), &out);
	assert_string_equal(out.data, want);
	imap_lexer_free(&lx);
	buf_free(&out);
}

static const char conversation[] = "* OK [CAPABILITY IMAP4rev1] hello \"there\" {5}\r\n"
				   "* LIST (\\HasNoChildren \\Sent) \"/\" \"a \\\"b\\\\ c\"\r\n"
				   "* LIST () NIL {8}\r\nx\r\n(\"{1} tail\r\n"
				   "* 12 FETCH (UID 18446744073709551615 BODY[HEADER.FIELDS (From \"a]b\" "
				   "{To)]<0> {0}\r\n FLAGS (\\Seen $x))\r\n"
				   "* LIST () \"/\" [Gmail]\r\n"
				   "* 1 FETCH (BINARY[1] ~{3}\r\n\001\002\003)\r\n"
				   "* SEARCH\n"
				   "A1 OK done\r\n";
static const char conversation_tokens[] =
    "a:* a:OK t:[CAPABILITY IMAP4rev1] hello \"there\" {5} | "
    "a:* a:LIST ( a:\\HasNoChildren a:\\Sent ) s:/ s:a \"b\\ c | "
    "a:* a:LIST ( ) a:NIL L8<x\r\n(\"{1}> a:tail | "
    "a:* a:12 a:FETCH ( a:UID a:18446744073709551615 a:BODY[HEADER.FIELDS (From \"a]b\" {To)]<0> L0<> "
    "a:FLAGS ( a:\\Seen a:$x ) ) | "
    "a:* a:LIST ( ) s:/ a:[Gmail] | "
    "a:* a:1 a:FETCH ( a:BINARY[1] B3<\001\002\003> ) | "
    "a:* a:SEARCH | "
    "a:A1 a:OK t:done | ";

static void a_conversation_becomes_its_tokens(void **state)
{
	(void)state;
	check(conversation, conversation_tokens);
}

static void every_split_point_gives_the_same_tokens(void **state)
{
	(void)state;
	size_t len = sizeof(conversation) - 1;

	for (size_t cut = 0; cut <= len; cut++) {
		struct imap_lexer lx;
		struct buf out = BUF_INIT;
		imap_lexer_init(&lx, NULL);
		tokenize(&lx, conversation, cut, &out);
		tokenize(&lx, conversation + cut, len - cut, &out);
		assert_string_equal(out.data, conversation_tokens);
		imap_lexer_free(&lx);
		buf_free(&out);
	}
}

static void one_byte_at_a_time_gives_the_same_tokens(void **state)
{
	(void)state;
	struct imap_lexer lx;
	struct buf out = BUF_INIT;

	imap_lexer_init(&lx, NULL);
	for (size_t i = 0; i < sizeof(conversation) - 1; i++)
		tokenize(&lx, conversation + i, 1, &out);
	assert_string_equal(out.data, conversation_tokens);
	imap_lexer_free(&lx);
	buf_free(&out);
}

static void malformed_lines_are_errors(void **state)
{
	(void)state;
	check("* OK a\rb\r\n", "a:* a:OK t:a ERROR");
	check("* LIST \"a\r\n", "a:* a:LIST ERROR");
	check("* )\r\n", "a:* ERROR");
	check("* (\r\n", "a:* ( ERROR");
	check("* a{3}\r\nabc", "a:* ERROR");
	check("* {}\r\n", "a:* ERROR");
	check("* {3x}\r\n", "a:* ERROR");
	check("* {3} \r\n", "a:* ERROR");
	check("* {-3}\r\n", "a:* ERROR");
	check("* a\033b\r\n", "a:* ERROR");
	check("* BODY[HEADER\r\n", "a:* ERROR");
}

static void a_nul_outside_literals_is_an_error(void **state)
{
	(void)state;
	static const char *const lines[] = {"* a\0b\r\n", "* \"\0\"\r\n", "OK \0\r\n"};
	static const size_t lengths[] = {7, 7, 6};

	for (size_t i = 0; i < 3; i++) {
		struct imap_lexer lx;
		struct buf out = BUF_INIT;
		imap_lexer_init(&lx, NULL);
		tokenize(&lx, lines[i], lengths[i], &out);
		assert_non_null(strstr(out.data, "ERROR"));
		imap_lexer_free(&lx);
		buf_free(&out);
	}
}

/* Feeds piece again and again; the error must come within the bound and stay. */
static void flood(const char *head, const char *piece, size_t at_most, enum err want)
{
	struct imap_lexer lx;
	struct imap_token t = {0};
	size_t fed = 0, used;

	imap_lexer_init(&lx, NULL);
	const char *p = head;
	while (t.type != IMAP_TOKEN_ERROR) {
		size_t len = strlen(p);
		while (len > 0 && t.type != IMAP_TOKEN_ERROR) {
			imap_lexer_next(&lx, p, len, &used, &t);
			p += used;
			len -= used;
			fed += used;
		}
		assert_true(fed <= at_most);
		p = piece;
	}
	assert_int_equal(t.err, want);
	assert_true(lx.token.cap <= 4 * 64 * 1024);
	imap_lexer_next(&lx, "x", 1, &used, &t);
	assert_int_equal(t.type, IMAP_TOKEN_ERROR);
	assert_int_equal(used, 0);
	imap_lexer_free(&lx);
}

static void endless_input_is_refused_within_bounds(void **state)
{
	(void)state;
	flood("* ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 70 * 1024, ERR_TOO_BIG);
	flood("* \"", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 70 * 1024, ERR_TOO_BIG);
	flood("* BODY[", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 70 * 1024, ERR_TOO_BIG);
	flood("* ", "((((((((((((((((", 1024, ERR_TOO_BIG);
	flood("* ", "                                 ", 17 * 1024 * 1024, ERR_TOO_BIG);
	flood("* ", "{0}\r\n{1}\r\nx{2}\r\nab", 1024 * 1024, ERR_TOO_BIG);
	flood("* {", "99999999999999999", 64, ERR_TOO_BIG);
	flood("* {", "00000000", 64, ERR_PROTOCOL);
}

static void a_literal_over_the_limit_is_refused_before_its_bytes(void **state)
{
	(void)state;
	check("* {4294967297}\r\n", "a:* ERROR");
	check("* {18446744073709551616}\r\n", "a:* ERROR");
	check("* {4294967296}\r\n", "a:* L4294967296<");
}

static void numbers_are_digits_within_their_bound(void **state)
{
	(void)state;
	uint64_t n = 7;

	assert_int_equal(imap_parse_number("18446744073709551615", 20, UINT64_MAX, &n), ERR_OK);
	assert_true(n == UINT64_MAX);
	assert_int_equal(imap_parse_number("18446744073709551616", 20, UINT64_MAX, &n), ERR_INVALID);
	assert_int_equal(imap_parse_number("4294967295", 10, UINT32_MAX, &n), ERR_OK);
	assert_int_equal(imap_parse_number("4294967296", 10, UINT32_MAX, &n), ERR_INVALID);
	assert_int_equal(imap_parse_number("", 0, UINT32_MAX, &n), ERR_INVALID);
	assert_int_equal(imap_parse_number("-1", 2, UINT32_MAX, &n), ERR_INVALID);
	assert_int_equal(imap_parse_number("9", 1, 8, &n), ERR_INVALID);
	assert_int_equal(imap_parse_number("1 ", 2, 8, &n), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_conversation_becomes_its_tokens),
	    cmocka_unit_test(every_split_point_gives_the_same_tokens),
	    cmocka_unit_test(one_byte_at_a_time_gives_the_same_tokens),
	    cmocka_unit_test(malformed_lines_are_errors),
	    cmocka_unit_test(a_nul_outside_literals_is_an_error),
	    cmocka_unit_test(endless_input_is_refused_within_bounds),
	    cmocka_unit_test(a_literal_over_the_limit_is_refused_before_its_bytes),
	    cmocka_unit_test(numbers_are_digits_within_their_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
