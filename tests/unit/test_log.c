#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"

/* What one line of the log looks like; journal: whether JOURNAL_STREAM names our standard error. */
static void logged(bool journal, const char *text, char line[static 256])
{
	int ends[2], kept = dup(STDERR_FILENO);
	char stream[64];
	struct stat st;
	ssize_t n;

	assert_true(kept >= 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fstat(ends[1], &st), 0);
	(void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino + (journal ? 0 : 1));
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	log_init("test", 0);
	log_warnx("%s", text);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	(void)close(ends[1]);
	n = read(ends[0], line, 255);
	assert_true(n > 0);
	line[n] = '\0';
	(void)close(ends[0]);
	(void)close(kept);
}

static void the_journal_gets_a_priority_instead_of_the_name_it_adds_itself(void **state)
{
	char line[256];

	(void)state;
	logged(true, "oops", line);
	assert_string_equal(line, "<4>oops\n");
}

static void a_journal_that_is_not_our_standard_error_changes_nothing(void **state)
{
	char line[256], want[256];

	(void)state;
	logged(false, "oops", line);
	(void)snprintf(want, sizeof(want), "test[%d]: oops\n", (int)getpid());
	assert_string_equal(line, want);
}

static void what_is_logged_cannot_forge_a_line(void **state)
{
	char line[256];

	(void)state;
	logged(true, "a\n<0>b\xff", line);
	assert_string_equal(line, "<4>a\\x0A<0>b\\xFF\n");
	logged(true, "a\xE2\x80\xAEz", line);
	assert_string_equal(line, "<4>a\\xE2\\x80\\xAEz\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_journal_gets_a_priority_instead_of_the_name_it_adds_itself),
	    cmocka_unit_test(a_journal_that_is_not_our_standard_error_changes_nothing),
	    cmocka_unit_test(what_is_logged_cannot_forge_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
