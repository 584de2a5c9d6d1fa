/* CSV in and out. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/csv_read.h"
#include "fcgi/csv_write.h"
#include "lib/buf.h"

static const char *const names[] = {"one", "two", "three", NULL};

static enum err note_row(void *arg, const struct csv_row *row)
{
	buf_addf(arg, "%u:", row->line);
	for (size_t i = 0; i < row->count && i < CSV_COLUMNS_MAX; i++)
		buf_addf(arg, "[%s]", row->fields[i]);
	buf_addc(arg, '\n');
	return ERR_OK;
}

/* Read text in pieces of step bytes: the rows into rows_r, then what is wrong. */
static enum err read_pieces(const char *text, size_t len, size_t step, struct buf *rows_r)
{
	struct csv_reader *r = csv_reader_new(names, note_row, rows_r);
	enum err e = ERR_OK;

	for (size_t at = 0; e == ERR_OK && at < len; at += step)
		e = csv_reader_feed(r, text + at, len - at < step ? len - at : step);
	if (e == ERR_OK)
		e = csv_reader_end(r);
	buf_adds(rows_r, csv_reader_problem(r));
	csv_reader_free(&r);
	assert_null(r);
	return e;
}

/* However it is cut, it reads the same. */
static void reads_as(const char *text, size_t len, enum err want_e, const char *want)
{
	for (size_t step = 1; step <= len + 1; step += step < 9 ? 1 : 7) {
		AUTO_BUF struct buf rows = BUF_INIT;

		assert_int_equal(read_pieces(text, len, step, &rows), want_e);
		if (want_e == ERR_OK)
			assert_string_equal(rows.data, want);
		else
			assert_non_null(strstr(rows.data, want));
	}
}
#define READS(text, want) reads_as(text, sizeof(text) - 1, ERR_OK, want)
#define REFUSED(text, want) reads_as(text, sizeof(text) - 1, ERR_INVALID, want)

static void fields_keep_blanks_commas_quotes_and_line_breaks(void **state)
{
	(void)state;
	READS("one,two\n a , b\n\"x,\"\"y\"\"\",\"p\r\nq\"\n",
	    "1:[one][two]\n2:[ a ][ b]\n3:[x,\"y\"][p\r\nq]\n");
	READS("one,two\n\" a \",\t\n", "1:[one][two]\n2:[ a ][\t]\n");
}

static void every_line_end_counts_one_line(void **state)
{
	(void)state;
	READS("one,two\r\na,b\r\nc,d\r\n", "1:[one][two]\n2:[a][b]\n3:[c][d]\n");
	READS("one,two\ra,b\rc,d", "1:[one][two]\n2:[a][b]\n3:[c][d]\n");
	READS("one,two\n\"a\r\n\nb\",x\nc,d", "1:[one][two]\n2:[a\r\n\nb][x]\n5:[c][d]\n");
}

static void blank_lines_and_empty_rows_are_passed_over(void **state)
{
	(void)state;
	READS("one,two\n\n\na,b\n,\n\"\",\n\nc,d\n", "1:[one][two]\n4:[a][b]\n8:[c][d]\n");
	READS("\r\n\r\none,two\r\na,b", "3:[one][two]\n4:[a][b]\n");
	READS("", "");
}

static void the_header_tells_the_delimiter(void **state)
{
	(void)state;
	READS("one;two\na,b;c\n", "1:[one][two]\n2:[a,b][c]\n");
	READS("one\tx;y\ttwo\na;b\tc\td\n", "1:[one][x;y][two]\n2:[a;b][c][d]\n");
	READS("\"one\",\"two\"\na;b,c\n", "1:[one][two]\n2:[a;b][c]\n");
	READS("x;y\na;b\n", "1:[x][y]\n2:[a][b]\n");
	READS("one\na\n", "1:[one]\n2:[a]\n");
}

static void a_byte_order_mark_is_no_text(void **state)
{
	(void)state;
	READS("\xEF\xBB\xBFone,two\na,\xEF\xBB\xBF\n", "1:[one][two]\n2:[a][\xEF\xBB\xBF]\n");
}

static void what_is_not_utf_8_is_refused_with_its_line(void **state)
{
	(void)state;
	REFUSED("one,two\na,b\nc,\xE4x\n", "Line 3 is not UTF-8. It looks like Latin-1");
	REFUSED("one,two\na,\xE2\x82", "Line 2 is not UTF-8");
	REFUSED("one\nab\0c\n", "Line 2 contains a NUL");
	READS("one,two\na,\xE2\x82\xAC\n", "1:[one][two]\n2:[a][\xE2\x82\xAC]\n");
}

static void strict_mode_refuses_stray_quotation_marks(void **state)
{
	(void)state;
	REFUSED("one,two\na,b\"c\n", "Line 2: a quotation mark");
	REFUSED("one,two\na,\"b\"c\n", "Line 2: a quotation mark");
	REFUSED("one,two\na,b\nx,\"y\nz\n", "begins in line 3");
}

static void columns_beyond_what_can_be_read_are_counted(void **state)
{
	(void)state;
	READS("one,two\n,,,,,,,,,,,,,,,,,,,,,,,,,,,,x\n",
	    "1:[one][two]\n2:[][][][][][][][][][][][][][][][][][][][][][][][]\n");
}

static void a_field_too_long_is_refused(void **state)
{
	char *text = malloc(20000);
	AUTO_BUF struct buf rows = BUF_INIT;
	int head = sprintf(text, "one,two\n");

	(void)state;
	memset(text + head, 'x', 19000);
	assert_int_equal(read_pieces(text, (size_t)head + CSV_FIELD_MAX_BYTES, 1000, &rows), ERR_OK);
	buf_clear(&rows);
	assert_int_equal(read_pieces(text, (size_t)head + CSV_FIELD_MAX_BYTES + 1, 1000, &rows), ERR_TOO_BIG);
	assert_non_null(strstr(rows.data, "Line 2: a field is longer than 4 KB"));
	buf_clear(&rows);
	assert_int_equal(read_pieces(text, 19000, 19000, &rows), ERR_TOO_BIG);
	free(text);
}

static void a_cell_is_never_a_formula(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {{"plain", "plain"}, {"", ""}, {"a,b", "\"a,b\""}, {"a\"b", "\"a\"\"b\""},
	    {"=1+1", "\"'=1+1\""}, {"+1", "\"'+1\""}, {"-1", "\"'-1\""}, {"@x", "\"'@x\""},
	    {"\tx", "\"'\tx\""}, {"\rx", "\"'\rx\""}, {"  =1", "\"'  =1\""}, {"a=1", "a=1"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_BUF struct buf out = BUF_INIT;

		csv_write_field(&out, cases[i].in);
		assert_string_equal(out.data, cases[i].out);
	}
	assert_string_equal(csv_without_guard("'=x"), "=x");
	assert_string_equal(csv_without_guard("'x"), "'x");
	assert_string_equal(csv_without_guard("=x"), "=x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_keep_blanks_commas_quotes_and_line_breaks),
	    cmocka_unit_test(every_line_end_counts_one_line),
	    cmocka_unit_test(blank_lines_and_empty_rows_are_passed_over),
	    cmocka_unit_test(the_header_tells_the_delimiter),
	    cmocka_unit_test(a_byte_order_mark_is_no_text),
	    cmocka_unit_test(what_is_not_utf_8_is_refused_with_its_line),
	    cmocka_unit_test(strict_mode_refuses_stray_quotation_marks),
	    cmocka_unit_test(columns_beyond_what_can_be_read_are_counted),
	    cmocka_unit_test(a_field_too_long_is_refused),
	    cmocka_unit_test(a_cell_is_never_a_formula),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
