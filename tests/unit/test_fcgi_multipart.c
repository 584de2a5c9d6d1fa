/* Forms with files. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgi/multipart.h"
#include "lib/buf.h"

static const char *const file_names[] = {"file", "text", NULL};
#define TYPE "multipart/form-data; boundary=XX"
#define PART(name) "--XX\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define FILE_PART(name) \
	"--XX\r\nContent-Disposition: form-data; name=\"" name \
	"\"; filename=\"a;b.csv\"\r\nContent-Type: text/csv\r\n\r\n"

struct taken {
	struct arena *arena;
	struct params values;
	struct request_file files[REQUEST_FILES_MAX];
	unsigned file_count;
};

static enum err take(struct taken *t, const char *type, const char *body, size_t len, size_t step)
{
	struct multipart *mp = NULL;
	enum err e;

	memset(t, 0, sizeof(*t));
	t->arena = arena_new_clean();
	e = multipart_new(t->arena, type, file_names, 20, &mp);
	for (size_t at = 0; e == ERR_OK && at < len; at += step)
		e = multipart_feed(mp, body + at, len - at < step ? len - at : step);
	if (e == ERR_OK)
		e = multipart_end(mp);
	if (e == ERR_OK)
		multipart_take(mp, &t->values, t->files, &t->file_count);
	multipart_free(&mp);
	return e;
}

static void drop(struct taken *t)
{
	for (unsigned i = 0; i < t->file_count; i++)
		close(t->files[i].fd);
	arena_free(&t->arena);
}

static const char *content(struct taken *t, unsigned i)
{
	char *bytes = arena_alloc(t->arena, 100);

	assert_int_equal(pread(t->files[i].fd, bytes, 99, 0), (ssize_t)t->files[i].size);
	return bytes;
}

static void values_and_files_are_told_apart_however_they_are_cut(void **state)
{
	static const char body[] = "preamble\r\n" PART("csrf") "token\r\n" FILE_PART(
	    "file") "a\r\n--X\r\n-\r\n"
		    "\r\n" PART("text") "\r\n--XX--\r\nepilogue --XX";

	(void)state;
	for (size_t step = 1; step < sizeof(body); step++) {
		struct taken t;

		assert_int_equal(take(&t, TYPE, body, sizeof(body) - 1, step), ERR_OK);
		assert_string_equal(params_get(&t.values, "csrf"), "token");
		assert_int_equal(t.values.count, 1);
		assert_int_equal(t.file_count, 2);
		assert_string_equal(t.files[0].name, "file");
		assert_string_equal(content(&t, 0), "a\r\n--X\r\n-\r\n");
		assert_int_equal(t.files[1].size, 0);
		drop(&t);
	}
}

static void a_boundary_may_be_quoted_and_followed_by_blanks(void **state)
{
	static const char body[] =
	    "--a b'c \t\r\nContent-Disposition: FORM-DATA; name=x\r\n\r\n1\r\n--a b'c--";
	struct taken t;

	(void)state;
	assert_int_equal(
	    take(&t, "Multipart/Form-Data; charset=\"x;y\"; boundary=\"a b'c\"", body, sizeof(body) - 1, 7),
	    ERR_OK);
	assert_string_equal(params_get(&t.values, "x"), "1");
	drop(&t);
}

static void a_file_too_large_is_marked_and_the_rest_is_read(void **state)
{
	static const char body[] =
	    FILE_PART("file") "123456789012345678901\r\n" PART("csrf") "token\r\n--XX--\r\n";
	struct taken t;

	(void)state;
	assert_int_equal(take(&t, TYPE, body, sizeof(body) - 1, 5), ERR_OK);
	assert_true(t.files[0].is_too_big);
	assert_int_equal(t.files[0].size, 0);
	assert_int_equal(lseek(t.files[0].fd, 0, SEEK_END), 0);
	assert_string_equal(params_get(&t.values, "csrf"), "token");
	drop(&t);
}

static void all_files_together_are_bounded(void **state)
{
	static const char body[] =
	    FILE_PART("file") "12345678901\r\n" FILE_PART("text") "1234567890\r\n--XX--\r\n";
	struct taken t;

	(void)state;
	assert_int_equal(take(&t, TYPE, body, sizeof(body) - 1, 9), ERR_OK);
	assert_false(t.files[0].is_too_big);
	assert_true(t.files[1].is_too_big);
	drop(&t);
}

static void what_is_malformed_is_refused(void **state)
{
	static const char *const bodies[] = {
	    "",
	    "--XX",
	    PART("a") "x\r\n--XX",
	    PART("a") "no end",
	    "--XX\r\n\r\nno head\r\n--XX--",
	    "--XX\r\nContent-Type: text/plain\r\n\r\nno name\r\n--XX--",
	    "--XX\r\nContent-Disposition: form-data\r\n\r\nx\r\n--XX--",
	    "--XX\r\nContent-Disposition: form-data; name=\"\"\r\n\r\nx\r\n--XX--",
	    "--XX\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n--XX--",
	    "--XX\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--XX--",
	    "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: "
	    "base64\r\n\r\nx\r\n--XX--",
	    "--XXjunk\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--XX--",
	    PART("a") "x\r\n" PART("a") "y\r\n--XX--",
	    FILE_PART("file") "x\r\n" FILE_PART("file") "y\r\n--XX--",
	    PART("a") "\xE4\r\n--XX--",
	    "--XX\r\nContent-Disposition: form-data; name=\"\xE4\"\r\n\r\nx\r\n--XX--",
	};
	static const char *const types[] = {"multipart/form-data",
	    "multipart/form-data; boundary=", "multipart/form-data; boundary=\"a",
	    "multipart/form-data; boundary=\"a\xE4\"", "multipart/mixed; boundary=XX",
	    "multipart/form-data; x=\"; boundary=XX",
	    "multipart/form-data; "
	    "boundary=12345678901234567890123456789012345678901234567890123456789012345678901",
	    ""};
	struct taken t;

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		assert_int_equal(take(&t, TYPE, bodies[i], strlen(bodies[i]), 3), ERR_INVALID);
		drop(&t);
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		assert_int_equal(take(&t, types[i], "", 0, 1), ERR_INVALID);
		drop(&t);
	}
	assert_int_equal(
	    take(&t, TYPE, PART("a") "x\0y\r\n--XX--", sizeof(PART("a") "x\0y\r\n--XX--") - 1, 9),
	    ERR_INVALID);
	drop(&t);
}

static void everything_is_bounded(void **state)
{
	size_t size = 80000;
	char *body = malloc(size + 200);
	AUTO_BUF struct buf many = BUF_INIT;
	struct taken t;

	(void)state;
	memset(body, 'x', size);
	memcpy(body, PART("a"), strlen(PART("a")));
	assert_int_equal(take(&t, TYPE, body, size, 60000), ERR_TOO_BIG);
	drop(&t);
	memcpy(body, "--XX\r\nContent-", 14);
	assert_int_equal(take(&t, TYPE, body, size, 100), ERR_TOO_BIG);
	drop(&t);
	for (int i = 0; i <= MULTIPART_PARTS_MAX; i++)
		buf_addf(&many, "--XX\r\nContent-Disposition: form-data; name=\"n%d\"\r\n\r\nx\r\n", i);
	buf_adds(&many, "--XX--");
	assert_int_equal(take(&t, TYPE, many.data, many.len, 60000), ERR_TOO_BIG);
	drop(&t);
	free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_and_files_are_told_apart_however_they_are_cut),
	    cmocka_unit_test(a_boundary_may_be_quoted_and_followed_by_blanks),
	    cmocka_unit_test(a_file_too_large_is_marked_and_the_rest_is_read),
	    cmocka_unit_test(all_files_together_are_bounded),
	    cmocka_unit_test(what_is_malformed_is_refused),
	    cmocka_unit_test(everything_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
