#include "tests/unit/unit.h"

#include "imap/cause.h"
#include "imap/command.h"

static void check(const char *flags, const struct imap_mailbox *m, const char *want)
{
	struct buf out = BUF_INIT;

	imap_flags_keepable(flags, m, &out);
	assert_string_equal(out.data, want);
	buf_free(&out);
}

static void only_permanent_flags_are_kept(void **state)
{
	(void)state;
	struct imap_mailbox m = {0};

	imap_set_flags(&m, "(\\Answered \\Seen $Label1)");
	check("\\Seen \\Flagged $Label1 other", &m, "\\Seen $Label1");
	check("\\SEEN $label1", &m, "\\SEEN $label1");
	check("", &m, "");
}

static void a_star_allows_any_keyword_but_no_other_system_flag(void **state)
{
	(void)state;
	struct imap_mailbox m = {0};

	imap_set_flags(&m, "(\\Seen \\*)");
	check("\\Seen other \\Flagged", &m, "\\Seen other");
}

static void recent_repeated_and_malformed_flags_are_dropped(void **state)
{
	(void)state;
	struct imap_mailbox m = {0};

	imap_set_flags(&m, "(\\Seen \\Recent \\*)");
	check("\\Recent a A b\" \\Seen c(d \\", &m, "a \\Seen");
}

static void every_cause_has_code_text_and_error(void **state)
{
	(void)state;
	for (int c = 0; c < IMAP_CAUSE__MAX; c++) {
		assert_true(imap_cause_code((enum imap_cause)c)[0] != '\0');
		assert_true(imap_cause_text((enum imap_cause)c)[0] != '\0');
		assert_int_equal(imap_cause_err((enum imap_cause)c) == ERR_OK, c == IMAP_OK);
		for (int d = 0; d < c; d++)
			assert_string_not_equal(
			    imap_cause_code((enum imap_cause)c), imap_cause_code((enum imap_cause)d));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_permanent_flags_are_kept),
	    cmocka_unit_test(a_star_allows_any_keyword_but_no_other_system_flag),
	    cmocka_unit_test(recent_repeated_and_malformed_flags_are_dropped),
	    cmocka_unit_test(every_cause_has_code_text_and_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
