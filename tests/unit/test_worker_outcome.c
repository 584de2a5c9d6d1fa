#include "tests/unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/outcome.h"

static struct progress *output(const char *text)
{
	struct progress *p = malloc(sizeof(*p));

	assert_non_null(p);
	progress_init(p);
	progress_feed(p, text, strlen(text));
	progress_end(p);
	return p;
}

/* As waitpid(2) encodes them. */
static int exited(int code)
{
	return code << 8;
}

static int killed_by(int sig)
{
	return sig;
}

static struct outcome judged(const char *text, int status, enum wish wish)
{
	struct progress *p = output(text);
	const struct outcome_input in = {
	    .wish = wish, .have_status = true, .wait_status = status, .progress = p};
	struct outcome o = outcome_judge(&in);

	free(p);
	return o;
}

static void every_exit_code_has_one_reason(void **state)
{
	static const struct {
		int code;
		const char *reason;
	} rows[] = {{1, "other_error"}, {6, "signal"}, {7, "by_file"}, {8, "pid_file"}, {10, "connection"},
	    {12, "tls"}, {16, "auth"}, {21, "subfolder"}, {64, "usage"}, {66, "passfile"},
	    {69, "unavailable"}, {70, "software"}, {101, "connect_source"}, {102, "connect_destination"},
	    {111, "with_errors"}, {112, "errors_max"}, {113, "quota"}, {114, "append"}, {115, "fetch"},
	    {116, "create"}, {117, "select"}, {118, "exceeded"}, {119, "virus"}, {120, "flags"},
	    {121, "search"}, {161, "auth_source"}, {162, "auth_destination"}, {254, "tests"},
	    {77, "exit_code"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome o = judged("", exited(rows[i].code), WISH_NONE);

		assert_string_equal(o.reason, rows[i].reason);
		assert_int_equal(o.state, RUN_FAILED);
		assert_int_equal(o.exit_code, rows[i].code);
		assert_int_equal(o.exit_signal, 0);
	}
}

static void every_status_whatsoever_ends_in_a_complete_outcome(void **state)
{
	(void)state;
	for (int wish = 0; wish < WISH__MAX; wish++)
		for (int status = 0; status < 65536; status += (status < 128 ? 1 : 128)) {
			struct outcome o = judged("", status, (enum wish)wish);

			assert_non_null(o.reason);
			assert_string_not_equal(o.reason, "internal");
			assert_true(strlen(o.text) > 10 && o.text[strlen(o.text) - 1] == '.');
			assert_true(strlen(o.action) > 3);
		}
	for (int start = START_OK + 1; start < START__MAX; start++) {
		struct progress *p = output("");
		const struct outcome_input in = {.start = (enum start_failure)start, .progress = p};

		assert_string_not_equal(outcome_judge(&in).reason, "internal");
		free(p);
	}
	for (int t = TROUBLE_NONE + 1; t < TROUBLE__MAX; t++)
		for (int side = 0; side < 2; side++) {
			struct progress *p = output("");
			const struct outcome_input in = {
			    .have_status = true, .wait_status = exited(101), .progress = p};

			p->trouble[side] = (enum trouble)t;
			assert_string_not_equal(outcome_judge(&in).reason, "internal");
			free(p);
		}
}

static void exit_0_without_statistics_is_a_failure(void **state)
{
	struct outcome o = judged("Exiting with return value 0 (EX_OK)\n", exited(0), WISH_NONE);

	(void)state;
	assert_int_equal(o.state, RUN_FAILED);
	assert_string_equal(o.reason, "no_statistics");
}

static void each_wish_has_its_own_reason(void **state)
{
	static const struct {
		enum wish wish;
		enum run_state state;
		const char *reason;
	} rows[] = {
	    {WISH_CANCEL, RUN_CANCELLED, "cancelled"},
	    {WISH_STOP, RUN_INTERRUPTED, "worker_stopped"},
	    {WISH_WALL, RUN_FAILED, "wall_limit"},
	    {WISH_SILENCE, RUN_FAILED, "silence_limit"},
	    {WISH_MEMORY, RUN_FAILED, "memory_limit"},
	    {WISH_FENCE, RUN_INTERRUPTED, "fenced"},
	    {WISH_LOST, RUN_INTERRUPTED, "lost"},
	    {WISH_LOG, RUN_FAILED, "log_storage_full"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const int statuses[] = {killed_by(SIGTERM), killed_by(SIGKILL), exited(6), exited(0)};

		for (size_t s = 0; s < sizeof(statuses) / sizeof(statuses[0]); s++) {
			struct outcome o = judged("", statuses[s], rows[i].wish);

			assert_int_equal(o.state, rows[i].state);
			assert_string_equal(o.reason, rows[i].reason);
		}
	}
}

static void a_run_that_ended_well_before_the_wish_reached_it_is_done(void **state)
{
	static const char text[] = "++++ Statistics\nMessages transferred : 3\nThe sync looks good, all\n";

	(void)state;
	assert_int_equal(judged(text, exited(0), WISH_CANCEL).state, RUN_DONE);
	assert_string_equal(judged(text, exited(0), WISH_LOST).reason, "lost");
	assert_int_equal(judged(text, killed_by(SIGTERM), WISH_CANCEL).state, RUN_CANCELLED);
}

static void success_says_what_is_left_to_know(void **state)
{
	(void)state;
	assert_string_equal(
	    judged("++++ Statistics\nMessages transferred : 3\n", exited(0), WISH_NONE).reason, "ok");
	assert_string_equal(
	    judged("++++ Statistics\nMessages transferred : 0\n", exited(0), WISH_NONE).reason, "ok_nothing");
	assert_string_equal(judged("++++ Statistics\nMessages transferred : 3\nReconnections to host1 : 2\n",
				exited(0), WISH_NONE)
				.reason,
	    "ok_reconnected");
	assert_string_equal(
	    judged("++++ Statistics\nThe sync is not finished, there are 5 among 9 identified\n", exited(0),
		WISH_NONE)
		.reason,
	    "ok_missing");
}

static void both_passwords_refused_is_read_from_the_lines(void **state)
{
	struct outcome o = judged("Host1 failure: Error login on [h] with user [u] auth [A]: NO\n"
				  "Host2 failure: Error login on [h] with user [u] auth [A]: NO\n",
	    exited(161), WISH_NONE);

	(void)state;
	assert_string_equal(o.reason, "auth_both");
}

static void a_login_that_failed_for_another_reason_than_the_password_says_so(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *reason;
		const char *action;
	} rows[] = {
	    {"Host1 failure: Error login on [h] with user [u] auth [XOAUTH2]: [AUTHENTICATIONFAILED] no\n",
		161, "token_refused_source", "edit_source"},
	    {"Host2 failure: Error login on [h] with user [u] auth [OAUTHBEARER]: no\n", 162,
		"token_refused_destination", "edit_destination"},
	    {"Host1 failure: Error login on [h] with user [u] auth [SCRAM-SHA-256]: The server does not "
	     "offer "
	     "the way to log in that was asked for.\n",
		161, "mechanism_missing_source", "change_options"},
	    {"Host2 failure: Error login on [h] with user [u] auth [LOGIN]: The server does not allow a "
	     "login "
	     "with a password on this connection.\n",
		162, "no_passwords_destination", "edit_server_destination"},
	    {"Host1 failure: Error login on [h] with user [u] auth [SCRAM-SHA-256]: The server could not "
	     "prove "
	     "that it knows the password: it may be another than it seems.\n",
		161, "server_unproven_source", "edit_server_source"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct outcome o = judged(rows[i].text, exited(rows[i].code), WISH_NONE);

		assert_string_equal(o.reason, rows[i].reason);
		assert_string_equal(o.action, rows[i].action);
		assert_null(strstr(o.text, "refused the password"));
	}
}

static void a_nearly_full_destination_is_no_failure_when_all_was_copied(void **state)
{
	struct outcome warned =
	    judged("++++ Statistics\nMessages transferred : 3\nThe sync looks good, all 3\n"
		   "Detected 1 errors\n",
		exited(113), WISH_NONE);
	struct outcome full = judged("- msg INBOX/1 {9} could not append ( S ) to folder INBOX: 9 NO "
				     "[OVERQUOTA] full\n++++ Statistics\n"
				     "The sync looks good, all 3\n",
	    exited(113), WISH_NONE);

	(void)state;
	assert_string_equal(warned.reason, "quota_warning");
	assert_string_equal(full.reason, "quota");
	assert_string_equal(full.action, "free_space");
}

static void memory_that_ran_out_is_named_whoever_noticed(void **state)
{
	(void)state;
	assert_string_equal(judged("Out of memory!\n", exited(1), WISH_NONE).reason, "memory_limit");
	assert_string_equal(
	    judged("Out of memory in perl:\n", killed_by(SIGABRT), WISH_NONE).reason, "memory_limit");
	assert_string_equal(judged("", killed_by(SIGKILL), WISH_NONE).reason, "killed");
	assert_string_equal(judged("", killed_by(SIGSEGV), WISH_NONE).reason, "crashed");
}

/* What the real logs of imapsync 2.229 must be judged as. */
static const struct {
	const char *file;
	const char *reason;
} logs[] = {{"ok.log", "ok"}, {"ok_again.log", "ok_nothing"}, {"badpass1.log", "auth_source"},
    {"badpass2.log", "auth_destination"}, {"badpass12.log", "auth_both"}, {"baduser1.log", "auth_source"},
    {"unkhost1.log", "name_unknown_source"}, {"unkhost2.log", "name_unknown_destination"},
    {"refused1.log", "refused_source"}, {"refused2.log", "refused_destination"},
    {"emptypass1.log", "auth_source"}, {"nopassfile.log", "passfile"}, {"unknown_option.log", "usage"},
    {"stray_argument.log", "usage"}, {"tls_selfsigned_default.log", "no_statistics"},
    {"tls_verify1.log", "untrusted_source"}, {"tls_verify2.log", "untrusted_destination"},
    {"tls_verify1_ca.log", "no_statistics"}, {"tls_verify1_ca_wrongname.log", "wrong_name_source"},
    {"starttls_verify1.log", "untrusted_source"}, {"starttls_verify1_ca.log", "no_statistics"},
    {"ssl_on_plain_port.log", "not_tls_source"}, {"plain_on_ssl_port.log", "timeout_source"},
    {"justlogin.log", "no_statistics"}, {"subfolder1_noexist.log", "subfolder"},
    {"exitwhenover.log", "exceeded"}, {"quota.log", "quota"}, {"errorsmax1.log", "quota"},
    {"term.log", "signal"}, {"term_in_startup.log", "signal"}, {"term_while_stalled.log", "killed"},
    {"int2_fast.log", "signal"}, {"cgi.log", "no_statistics"}, {"dst_stop_restart3s.log", "exceeded"},
    {"src_imap_kill9.log", "exceeded"}};

static const char *expected(const char *file)
{
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
		if (strcmp(logs[i].file, file) == 0)
			return logs[i].reason;
	return NULL;
}

static struct progress *read_log(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct progress *p = output("");
	char bytes[4096];
	size_t n;

	assert_non_null(f);
	progress_init(p);
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		progress_feed(p, bytes, n);
	progress_end(p);
	(void)fclose(f);
	return p;
}

static void real_logs_are_judged_as_what_happened(void **state)
{
	const char *top = getenv("MCV_SRCDIR");
	char path[1024];
	char line[512];
	unsigned judged_count = 0;
	FILE *index;

	(void)state;
	(void)snprintf(
	    path, sizeof(path), "%s/../shared/data/imapsync-logs/index.tsv", top != NULL ? top : ".");
	index = fopen(path, "r");
	if (index == NULL) {
		print_message("# SKIP ../shared/data/imapsync-logs is not here\n");
		skip();
	}
	while (fgets(line, sizeof(line), index) != NULL) {
		char file[128];
		char how[64];
		struct outcome_input in = {.have_status = true};
		struct progress *p;

		if (sscanf(line, "%127[^\t]\t%63[^\t]", file, how) != 2 || expected(file) == NULL)
			continue;
		in.wait_status =
		    strncmp(how, "signal ", 7) == 0 ? killed_by(atoi(how + 7)) : exited(atoi(how));
		(void)snprintf(
		    path, sizeof(path), "%s/../shared/data/imapsync-logs/%s", top != NULL ? top : ".", file);
		in.progress = p = read_log(path);
		if (strcmp(outcome_judge(&in).reason, expected(file)) != 0)
			fail_msg("%s: %s instead of %s", file, outcome_judge(&in).reason, expected(file));
		free(p);
		judged_count++;
	}
	(void)fclose(index);
	assert_int_equal(judged_count, sizeof(logs) / sizeof(logs[0]));
}

static void a_deletion_that_was_not_made_is_told_apart(void **state)
{
	static const char kept[] =
	    "Host2: nothing is deleted (--delete2): 3 messages are not on host1, more than --maxdelete 2\n"
	    "++++ Statistics\nDetected 1 errors\n";
	static const char other[] = "Host2: nothing is deleted (--delete2): the run had errors\n"
				    "++++ Statistics\nDetected 2 errors\n";
	struct outcome o = judged(kept, exited(111), WISH_NONE);

	(void)state;
	assert_string_equal(o.reason, "delete2_kept");
	assert_int_equal(o.state, RUN_FAILED);
	/* then the others are the reason */
	assert_string_equal(judged(other, exited(111), WISH_NONE).reason, "with_errors");
	assert_string_equal(judged(other, exited(117), WISH_NONE).reason, "select");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_deletion_that_was_not_made_is_told_apart),
	    cmocka_unit_test(every_exit_code_has_one_reason),
	    cmocka_unit_test(every_status_whatsoever_ends_in_a_complete_outcome),
	    cmocka_unit_test(exit_0_without_statistics_is_a_failure),
	    cmocka_unit_test(each_wish_has_its_own_reason),
	    cmocka_unit_test(a_run_that_ended_well_before_the_wish_reached_it_is_done),
	    cmocka_unit_test(success_says_what_is_left_to_know),
	    cmocka_unit_test(both_passwords_refused_is_read_from_the_lines),
	    cmocka_unit_test(a_login_that_failed_for_another_reason_than_the_password_says_so),
	    cmocka_unit_test(a_nearly_full_destination_is_no_failure_when_all_was_copied),
	    cmocka_unit_test(memory_that_ran_out_is_named_whoever_noticed),
	    cmocka_unit_test(real_logs_are_judged_as_what_happened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
