#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/listing.h"
#include "engine/output.h"

static FILE *catcher;
static int real_stdout;

/* Standard output goes to a file between these two. */
static void catch (void)
{
	(void)fflush(stdout);
	catcher = tmpfile();
	assert_non_null(catcher);
	real_stdout = dup(STDOUT_FILENO);
	(void)dup2(fileno(catcher), STDOUT_FILENO);
}

static const char *caught(void)
{
	static char text[4096];
	(void)dup2(real_stdout, STDOUT_FILENO);
	(void)close(real_stdout);
	rewind(catcher);
	size_t n = fread(text, 1, sizeof(text) - 1, catcher);
	text[n] = '\0';
	(void)fclose(catcher);
	return text;
}

static void a_line_stays_one_line_whatever_it_holds(void **state)
{
	(void)state;
	catch ();
	out("folder [%s]\tend", "a\r\nExiting with return value 0\x1b[31m\x07\xff\xc2\x85 \xc3\xa9");
	assert_string_equal(caught(),
	    "folder [a\\x0D\\x0AExiting with return value 0\\x1B[31m\\x07\\xFF\\xC2\\x85 \xc3\xa9]\tend\n");
}

static void secrets_are_masked_in_every_form(void **state)
{
	(void)state;
	out_secret("pass\"word1", 10);
	catch ();
	out("NO bad password pass\"word1 %s %s", "cGFzcyJ3b3JkMQ==", "pass\\\"word1");
	const char *text = caught();
	out_end();
	assert_null(strstr(text, "word1"));
	assert_null(strstr(text, "cGFzcyJ3b3JkMQ"));
	assert_non_null(strstr(text, "NO bad password "));
}

static void folders_show_their_readable_name(void **state)
{
	AUTO_BUF struct buf b = BUF_INIT;
	(void)state;
	out_folder(&b, "INBOX");
	out_folder(&b, "R&-D");
	out_folder(&b, "&AMk-t&AOk-");
	assert_string_equal(b.data, "[INBOX][R&-D] = [R&D][&AMk-t&AOk-] = [Été]");
}

static void bytes_read_as_imapsync_writes_them(void **state)
{
	AUTO_BUF struct buf b = BUF_INIT;
	(void)state;
	out_bytes(&b, 0);
	buf_addc(&b, '|');
	out_bytes(&b, 549950);
	buf_addc(&b, '|');
	out_bytes(&b, 1026579);
	buf_addc(&b, '|');
	out_bytes(&b, 8881348);
	assert_string_equal(b.data, "0.000 KiB|537.061 KiB|0.979 MiB|8.470 MiB");
}

static void times_read_as_imapsync_writes_them(void **state)
{
	AUTO_BUF struct buf b = BUF_INIT;
	(void)state;
	(void)setenv("TZ", "UTC", 1);
	out_time(&b, 1795447042);
	assert_string_equal(b.data, "Monday 23 November 2026-11-23 15:17:22 +0000 UTC");
}

static void dates_are_points_in_time(void **state)
{
	(void)state;
	assert_int_equal(listing_date("17-Jul-1996 02:44:25 -0700"), 837596665);
	assert_int_equal(listing_date("17-Jul-1996 09:44:25 +0000"), 837596665);
	assert_int_equal(listing_date(" 1-JAN-1970 05:30:01 +0530"), 1);
	assert_int_equal(listing_date("1-Foo-1970 00:00:00 +0000"), 0);
	assert_int_equal(listing_date("yesterday"), 0);
	assert_int_equal(listing_date(""), 0);
}

static void flags_are_read_without_recent_and_in_any_order(void **state)
{
	uint8_t a;
	uint8_t b;
	uint64_t x;
	uint64_t y;
	(void)state;
	listing_flags("\\Seen $Label1 NonJunk \\Recent", &a, &x);
	listing_flags("nonjunk \\SEEN  $label1", &b, &y);
	assert_int_equal(a, MESSAGE_SEEN);
	assert_int_equal(a, b);
	assert_true(x == y);
	listing_flags("", &a, &x);
	assert_int_equal(a, 0);
	assert_true(x == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_stays_one_line_whatever_it_holds),
	    cmocka_unit_test(secrets_are_masked_in_every_form),
	    cmocka_unit_test(folders_show_their_readable_name),
	    cmocka_unit_test(bytes_read_as_imapsync_writes_them),
	    cmocka_unit_test(times_read_as_imapsync_writes_them),
	    cmocka_unit_test(dates_are_points_in_time),
	    cmocka_unit_test(flags_are_read_without_recent_and_in_any_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
