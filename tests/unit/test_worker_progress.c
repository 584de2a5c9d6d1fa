#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/progress.h"

/* Distilled from real runs of imapsync 2.229. */
static const char copy_run[] =
    "Host1: success login on [127.0.0.1] with user [u] auth [LOGIN] or [LOGIN]\n"
    "Host2: success login on [127.0.0.1] with user [u] auth [LOGIN] or [LOGIN]\n"
    "Host2: Quota current storage is 1024 bytes. Limit is 3145728 bytes. So 0.03 % full\n"
    "++++ Calculating sizes of 2 folders on Host1\n"
    "Host1 folder     1/2 [INBOX]                             Size:     80000 Messages:     2 Biggest:     "
    "70000\n"
    "Host1 Nb folders:                     2 folders\n"
    "Host1 Nb messages:                    3 messages\n"
    "Host1 Total size:                 90000 bytes (87.891 KiB)\n"
    "Host1 Biggest message:            70000 bytes (68.359 KiB)\n"
    "Host2 Nb messages:                   77 messages\n"
    "++++ Looping on each one of 2 folders to sync\n"
    "ETA: Monday 23 November 2026-11-23 15:17:24 +0000 UTC  0 s  3/3 msgs left\n"
    "Folder    1/2 [&AMk-t&AOk-] = [\xC3\x89t\xC3\xA9] -> [&AMk-t&AOk-] = [\xC3\x89t\xC3\xA9]\n"
    "msg &AMk-t&AOk-/1 {10000}            copied to &AMk-t&AOk-/1          34.36 msgs/s  308.475 KiB/s 9.765 "
    "KiB "
    "copied ETA: Monday 23 November 2026-11-23 15:17:24 +0000 UTC  12 s  2/3 msgs left\n"
    "msg INBOX/2 skipped (70000 exceeds maxsize limit 60000 bytes)\n"
    "Folder    2/2 [INBOX]                                -> [INBOX]                            \n";

static const char copy_end[] =
    "msg INBOX/1 {10000}           copied to INBOX/1          1.5 msgs/s  2.000 MiB/s 19.531 KiB copied ETA: "
    "Monday "
    "23 November 2026-11-23 15:17:24 +0000 UTC  0 s  0/3 msgs left\n"
    "++++ End looping on each folder\n"
    "++++ Statistics\n"
    "Folders synced                          : 2/2 synced\n"
    "Messages transferred                    : 2 \n"
    "Messages skipped                        : 1\n"
    "Total bytes transferred                 : 20000 (19.531 KiB)\n"
    "Reconnections to host1                  : 1\n"
    "Reconnections to host2                  : 0\n"
    "The sync looks good, all 3 identified messages in host1 are on host2.\n"
    "There is no unidentified message on host1.\n"
    "Detected 0 errors\n"
    "Exiting with return value 0 (EX_OK: successful termination) 0/50 nb_errors/max_errors PID 1\n";

static struct progress *fed(const char *text, size_t len, size_t step)
{
	struct progress *p = malloc(sizeof(*p));

	assert_non_null(p);
	progress_init(p);
	for (size_t i = 0; i < len; i += step)
		progress_feed(p, text + i, len - i < step ? len - i : step);
	return p;
}

static struct progress *fed_text(const char *text)
{
	return fed(text, strlen(text), strlen(text));
}

static void a_running_copy_shows_where_it_is(void **state)
{
	struct progress *p = fed_text(copy_run);

	(void)state;
	assert_true(p->logged_in[SIDE_SOURCE] && p->logged_in[SIDE_DESTINATION]);
	assert_int_equal(p->folders_total, 2);
	assert_int_equal(p->folders_done, 1);
	assert_string_equal(p->folder_current, "INBOX");
	assert_int_equal(p->messages_total, 3);
	assert_int_equal(p->bytes_total, 90000);
	assert_int_equal(p->biggest_bytes, 70000);
	assert_int_equal(p->messages_copied, 1);
	assert_int_equal(p->messages_skipped, 1);
	assert_int_equal(p->bytes_copied, 10000);
	assert_int_equal(p->messages_left, 2);
	assert_int_equal(progress_messages_done(p), 1);
	assert_int_equal(p->eta_s, 12);
	assert_int_equal(p->rate_milli_messages, 34360);
	assert_int_equal(p->rate_bytes, 315878);
	assert_int_equal(p->quota_used_bytes, 1024);
	assert_int_equal(p->quota_limit_bytes, 3145728);
	assert_false(p->statistics);
	free(p);
}

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* Of what was counted nothing is known before the end, nor from anything but the statistics. */
static void deletions_are_counted_by_the_statistics_alone(void **state)
{
	static const char line[] =
	    "Messages deleted on host2               : 0 (could be 42 without dry mode)\n";
	char all[200];
	struct progress *p = fed_text(line);

	(void)state;
	assert_int_equal(p->messages_to_delete, PROGRESS_UNKNOWN);
	assert_int_equal(p->messages_deleted, PROGRESS_UNKNOWN);
	free(p);
	(void)snprintf(all, sizeof(all), "++++ Statistics\n%s", line);
	p = fed_text(all);
	assert_int_equal(p->messages_to_delete, 42);
	assert_int_equal(p->messages_deleted, 0);
	free(p);
	p = fed_text("++++ Statistics\nMessages deleted on host2               : 7 \n");
	assert_int_equal(p->messages_to_delete, PROGRESS_UNKNOWN);
	assert_int_equal(p->messages_deleted, 7);
	assert_false(p->kept_surplus);
	free(p);
	p = fed_text("Digest of deletions on host2            : " DIGEST " \n");
	assert_string_equal(p->deletions, "");
	free(p);
	p = fed_text("++++ Statistics\nDigest of deletions on host2            : " DIGEST " \n");
	assert_string_equal(p->deletions, DIGEST);
	free(p);
	p = fed_text("++++ Statistics\nDigest of deletions on host2            : 00112233 \n");
	assert_string_equal(p->deletions, "");
	free(p);
	p = fed_text("Host2: nothing is deleted (--delete2): the run had errors\n");
	assert_true(p->kept_surplus);
	assert_string_equal(p->detail, "the run had errors");
	free(p);
}

static void the_readable_form_of_a_folder_is_shown(void **state)
{
	struct progress *p = fed_text(
	    "Folder    3/9 [R&-D] = [R&D]                      -> [R&-D] = [R&D]                     \n");

	(void)state;
	assert_string_equal(p->folder_current, "R&D");
	assert_int_equal(p->folders_done, 2);
	free(p);
}

static void the_statistics_have_the_last_word(void **state)
{
	char all[sizeof(copy_run) + sizeof(copy_end)];
	struct progress *p;

	(void)state;
	(void)snprintf(all, sizeof(all), "%s%s", copy_run, copy_end);
	p = fed_text(all);
	assert_true(p->statistics && p->looks_good);
	assert_int_equal(p->messages_copied, 2);
	assert_int_equal(p->messages_skipped, 1);
	assert_int_equal(p->bytes_copied, 20000);
	assert_int_equal(p->folders_done, 2);
	assert_int_equal(p->reconnections[SIDE_SOURCE], 1);
	assert_int_equal(p->missing, 0);
	assert_int_equal(p->exit_code, 0);
	assert_int_equal(p->rate_bytes, 2 * 1024 * 1024);
	free(p);
}

static void output_cut_anywhere_gives_the_same_figures(void **state)
{
	char all[sizeof(copy_run) + sizeof(copy_end)];
	struct progress *whole;

	(void)state;
	(void)snprintf(all, sizeof(all), "%s%s", copy_run, copy_end);
	whole = fed_text(all);
	for (size_t step = 1; step < 40; step++) {
		struct progress *p = fed(all, strlen(all), step);

		assert_int_equal(p->messages_copied, whole->messages_copied);
		assert_int_equal(p->bytes_copied, whole->bytes_copied);
		assert_int_equal(p->eta_s, whole->eta_s);
		assert_int_equal(p->exit_code, whole->exit_code);
		assert_string_equal(p->folder_current, whole->folder_current);
		free(p);
	}
	free(whole);
}

static void the_sizes_at_the_end_do_not_replace_those_at_the_start(void **state)
{
	struct progress *p =
	    fed_text("Host1 Nb messages:  3 messages\n++++ Looping on each one of 1 folders to sync\n"
		     "Host1 Nb messages:  9 messages\n");

	(void)state;
	assert_int_equal(p->messages_total, 3);
	free(p);
}

static void a_dry_run_says_what_it_would_copy(void **state)
{
	struct progress *p = fed_text(
	    "++++ Statistics\nMessages transferred                    : 0 (could be 201 without dry mode)\n"
	    "The sync is not finished, there are 105 among 105 identified messages in host1 that are not on "
	    "host2.\nThere are 4 unidentified messages (usually Sent or Draft messages). To sync them\n");

	(void)state;
	assert_int_equal(p->messages_copied, 0);
	assert_int_equal(p->messages_to_copy, 201);
	assert_int_equal(p->missing, 105);
	assert_int_equal(p->unidentified, 4);
	free(p);
}

static void errors_are_counted_once_though_they_are_printed_twice(void **state)
{
	struct progress *p =
	    fed_text("- msg INBOX/1 {9} could not append ( Subject:[a], Date:[b], Size:[9], Flags:[] ) to "
		     "folder INBOX: 9 NO "
		     "[OVERQUOTA] full\n"
		     "- msg INBOX/2 {} S[9] F[] I[] could not be fetched: gone\n"
		     "Err 1/2: - msg INBOX/1 {9} could not append ( Subject:[a] ) to folder INBOX: 9 NO "
		     "[OVERQUOTA] full\n"
		     "Maximum number of errors 2 reached ( you can change 2 to any value ). Exiting.\n");

	(void)state;
	assert_int_equal(p->messages_failed, 2);
	assert_int_equal(p->errors, 2);
	assert_true(p->quota_full);
	assert_true(p->errors_max);
	free(p);
}

static void each_trouble_has_its_own_name(void **state)
{
	static const struct {
		const char *line;
		enum trouble trouble;
	} rows[] = {
	    {"Host2 failure: Error login on [h] with user [u] auth [LOGIN]: 4 NO [AUTHENTICATIONFAILED] no",
		TROUBLE_LOGIN_REFUSED},
	    {"Host2 failure: Error login on [h] with user [u] auth [LOGIN]: 4 NO [UNAVAILABLE] later",
		TROUBLE_LOGIN_BUSY},
	    {"Host2 failure: Error login on [h] with user [u] auth [XOAUTH2]: [AUTHENTICATIONFAILED] no",
		TROUBLE_TOKEN_REFUSED},
	    {"Host2 failure: Error login on [h] with user [u] auth [OAUTHBEARER]: no", TROUBLE_TOKEN_REFUSED},
	    {"Host2 failure: Error login on [h] with user [u] auth [XOAUTH2]: [UNAVAILABLE] later",
		TROUBLE_LOGIN_BUSY},
	    {"Host2 failure: Error login on [h] with user [u] auth [PLAIN]: no auth [XOAUTH2]",
		TROUBLE_LOGIN_REFUSED},
	    {"Host2 failure: Error login on [h] with user [u] auth [XOAUTH2]: The server does not offer the "
	     "way to log in that was asked for. (it is not among the capabilities)",
		TROUBLE_MECHANISM},
	    {"Host2 failure: Error login on [h] with user [u] auth [LOGIN]: The server does not allow a "
	     "login "
	     "with a password on this connection. (LOGINDISABLED)",
		TROUBLE_NO_PASSWORDS},
	    {"Host2 failure: Error login on [h] with user [u] auth [SCRAM-SHA-256]: The server could not "
	     "prove that it knows the password: it may be another than it seems.",
		TROUBLE_UNPROVEN},
	    {"Host2 failure: Error login on [h] with user [u] auth", TROUBLE_LOGIN_REFUSED},
	    {"Host2 failure: can not open imap connection on host2 [h] with user [u]: Unable to connect to "
	     "h:  "
	     "Connection refused",
		TROUBLE_REFUSED},
	    {"Host2 failure: can not open imap connection on host2 [nosuch.invalid] with user [u]: Unable to "
	     "connect "
	     "to nosuch.invalid:  Invalid argument",
		TROUBLE_NAME_UNKNOWN},
	    {"Host2 failure: can not open imap connection on host2 [h] with user [u]: timeout waiting 5s for "
	     "data",
		TROUBLE_TIMED_OUT},
	    {"Host2 failure: can not open imap connection on host2 [h] with user [u]: Unable to connect to "
	     "h: SSL "
	     "connect attempt failed error:0A00010B:SSL routines::wrong version number ",
		TROUBLE_NOT_TLS},
	    {"Host2 failure: can not open imap connection on host2 [h] with user [u]: Unable to connect to "
	     "h: SSL "
	     "connect attempt failed error:0A000086:SSL routines::certificate verify failed ",
		TROUBLE_UNTRUSTED},
	    {"Host2 failure: can not open imap connection on host2 [localhost] with user [u]: Unable to "
	     "connect to "
	     "localhost: hostname verification failed ",
		TROUBLE_WRONG_NAME},
	    {"Host2 failure: Can not go to tls encryption on host2 [h]: Unable to start TLS: SSL connect "
	     "attempt "
	     "failed error:0A000086:SSL routines::certificate verify failed",
		TROUBLE_UNTRUSTED},
	    {"Host2 failure: Can not go to tls encryption on host2 [h]: something else", TROUBLE_TLS},
	    {"Host2 failure: can not open imap connection on host2 [h] with user [u]: something else",
		TROUBLE_CONNECT},
	    {"Host2: success login on [h] with user [u] auth [LOGIN] or [LOGIN]", TROUBLE_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct progress *p = fed_text(rows[i].line);

		progress_end(p);
		if (p->trouble[SIDE_DESTINATION] != rows[i].trouble)
			fail_msg("%s: %d", rows[i].line, p->trouble[SIDE_DESTINATION]);
		assert_int_equal(p->trouble[SIDE_SOURCE], TROUBLE_NONE);
		free(p);
	}
}

static void a_line_without_end_and_numbers_without_bound_do_no_harm(void **state)
{
	size_t len = 1 << 20;
	char *flood = malloc(len);
	struct progress *p;

	(void)state;
	assert_non_null(flood);
	memset(flood, '9', len);
	memcpy(flood, "Host1 Nb messages: ", 19);
	flood[len - 1] = '\n';
	p = fed(flood, len, 4096);
	assert_true(p->messages_total > 0);
	progress_feed(p, "Host1: success login on [h]\n", 28);
	assert_true(p->logged_in[SIDE_SOURCE]);
	free(p);
	free(flood);
}

static void folder_names_of_any_bytes_become_readable_text(void **state)
{
	static const char line[] = "Folder    1/1 [a\0b\x1B[31m\xFF\xC3\xA9]  -> [x]\n";
	struct progress *p = fed(line, sizeof(line) - 1, 1);

	(void)state;
	assert_string_equal(p->folder_current, "a?b?[31m?\xC3\xA9");
	free(p);
}

static void a_last_line_without_newline_counts(void **state)
{
	struct progress *p = fed_text("Exiting with return value 113 (EXIT_OVERQUOTA)");

	(void)state;
	assert_int_equal(p->exit_code, PROGRESS_UNKNOWN);
	progress_end(p);
	assert_int_equal(p->exit_code, 113);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_running_copy_shows_where_it_is),
	    cmocka_unit_test(the_readable_form_of_a_folder_is_shown),
	    cmocka_unit_test(deletions_are_counted_by_the_statistics_alone),
	    cmocka_unit_test(the_statistics_have_the_last_word),
	    cmocka_unit_test(output_cut_anywhere_gives_the_same_figures),
	    cmocka_unit_test(the_sizes_at_the_end_do_not_replace_those_at_the_start),
	    cmocka_unit_test(a_dry_run_says_what_it_would_copy),
	    cmocka_unit_test(errors_are_counted_once_though_they_are_printed_twice),
	    cmocka_unit_test(each_trouble_has_its_own_name),
	    cmocka_unit_test(a_line_without_end_and_numbers_without_bound_do_no_harm),
	    cmocka_unit_test(folder_names_of_any_bytes_become_readable_text),
	    cmocka_unit_test(a_last_line_without_newline_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
