#include "tests/unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/utf8.h"
#include "worker/outcome.h"
#include "worker/verified.h"

static void feed(struct verified *v, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		verified_line(v, text, len);
		text += len + (text[len] == '\n');
	}
}

static const char summary[] = "++++ Verification by size\n"
			      "Messages compared                       : 2000\n"
			      "Messages verified on host2              : 1998\n"
			      "Messages missing on host2               : 1\n"
			      "Messages altered on host2               : 1\n"
			      "Messages doubled on host2               : 0\n"
			      "Messages on host2 only                  : 3\n"
			      "Messages newer than the run             : 4\n"
			      "Bytes changed by a server               : 5\n"
			      "Arrival date not kept by host2          : 6\n"
			      "Messages that could not be compared     : 0\n"
			      "Folders that could not be compared      : 0\n";

static void the_summary_is_read(void **state)
{
	struct verified v;
	(void)state;
	verified_init(&v);
	feed(
	    &v, "Messages compared                       : 7\nFolders the copier put elsewhere        : 2\n");
	feed(&v, summary);
	assert_true(v.summary);
	assert_int_equal(v.messages, 2000);
	assert_int_equal(v.verified, 1998);
	assert_int_equal(v.missing, 1);
	assert_int_equal(v.altered, 1);
	assert_int_equal(v.extra, 3);
	assert_int_equal(v.newer, 4);
	assert_int_equal(v.adapted, 11);
	assert_int_equal(v.elsewhere, 2);
}

static void faulty_messages_are_kept_bounded_and_readable(void **state)
{
	struct verified v;
	char longest[9000];
	(void)state;
	verified_init(&v);
	memset(longest, 0xC3, sizeof(longest));
	memcpy(longest, "Verify missing: msg ", 20);
	verified_line(&v, "Verify altered: msg INBOX/7 \x1b\xC3\xBC", 31);
	for (int i = 0; i < 50; i++)
		verified_line(&v, longest, sizeof(longest));
	assert_int_equal(v.row_count, VERIFIED_ROWS_MAX);
	assert_true(v.rows_len < sizeof(v.rows));
	assert_true(utf8_valid(v.rows, v.rows_len));
	assert_int_equal(strncmp(v.rows, "altered\tINBOX/7 ?\xC3\xBC\nmissing\t???", 29), 0);
}

/* The summary with n of one fault. */
static struct verified found(const char *fault, const char *more)
{
	struct verified v;
	char line[128];
	verified_init(&v);
	(void)snprintf(line, sizeof(line), "Messages %s on host2               : 2", fault);
	feed(&v, more);
	feed(&v, "++++ Verification by size\nMessages compared  : 9\n");
	if (fault[0] != '\0')
		feed(&v, line);
	return v;
}

struct runs {
	struct progress copied;
	struct progress said;
	struct outcome_input copy;
	struct outcome_input verification;
};

static void make(struct runs *r, int copy_code, int code)
{
	progress_init(&r->copied);
	progress_init(&r->said);
	r->copied.statistics = r->copied.looks_good = true;
	r->copied.messages_copied = 9;
	r->copied.missing = 0;
	r->copy = (struct outcome_input){
	    .have_status = true, .wait_status = copy_code << 8, .progress = &r->copied};
	r->verification =
	    (struct outcome_input){.have_status = true, .wait_status = code << 8, .progress = &r->said};
}

static void expect(const struct runs *r, const struct verified *v, const char *reason, enum run_state state,
    enum proof proof)
{
	struct outcome o = outcome_judge_verified(&r->copy, &r->verification, v);
	assert_string_equal(o.reason, reason);
	assert_int_equal(o.state, state);
	assert_int_equal(o.proof, proof);
	assert_int_equal(o.proof_note != NULL, proof == PROOF_UNDONE);
}

static void what_was_found_outweighs_what_the_copier_said(void **state)
{
	struct runs r;
	struct verified v = found("", "");
	(void)state;
	make(&r, 0, 0);
	expect(&r, &v, "ok", RUN_DONE, PROOF_GOOD);
	r.copied.reconnections[SIDE_SOURCE] = 1;
	expect(&r, &v, "ok", RUN_DONE, PROOF_GOOD);
	r.copied.missing = 1;
	expect(&r, &v, "ok", RUN_DONE, PROOF_GOOD);
	make(&r, 0, 31);
	v = found("missing", "");
	expect(&r, &v, "verify_missing", RUN_FAILED, PROOF_FAULTS);
	assert_string_equal(outcome_judge_verified(&r.copy, &r.verification, &v).action, "rerun");
	v = found("missing", "Folders the copier put elsewhere   : 1\n");
	assert_string_equal(outcome_judge_verified(&r.copy, &r.verification, &v).action, "view_log");
	v = found("altered", "");
	expect(&r, &v, "verify_altered", RUN_FAILED, PROOF_FAULTS);
	v = found("doubled", "");
	expect(&r, &v, "verify_doubled", RUN_FAILED, PROOF_FAULTS);
}

static void a_copier_that_failed_has_failed_whatever_was_found(void **state)
{
	struct runs r;
	struct verified v = found("missing", "");
	(void)state;
	make(&r, 114, 31);
	assert_true(outcome_is_worth_verifying(&r.copy));
	expect(&r, &v, "append", RUN_FAILED, PROOF_FAULTS);
	v = found("", "");
	make(&r, 114, 0);
	expect(&r, &v, "append", RUN_FAILED, PROOF_GOOD);
	make(&r, 161, 0);
	assert_false(outcome_is_worth_verifying(&r.copy));
	make(&r, 0, 0);
	r.copy.dry_run = true;
	assert_false(outcome_is_worth_verifying(&r.copy));
	make(&r, 0, 0);
	r.copied.statistics = false;
	assert_false(outcome_is_worth_verifying(&r.copy));
}

static void a_verification_that_did_not_end_says_so_and_why(void **state)
{
	struct runs r;
	struct verified none;
	struct verified v = found("", "");
	struct outcome o;
	(void)state;
	verified_init(&none);
	make(&r, 0, 162);
	r.said.trouble[SIDE_DESTINATION] = TROUBLE_LOGIN_REFUSED;
	expect(&r, &none, "ok_unverified", RUN_DONE, PROOF_UNDONE);
	o = outcome_judge_verified(&r.copy, &r.verification, &none);
	assert_string_equal(o.proof_note, "The destination server refused the password.");
	make(&r, 0, 1);
	v.unread = 1;
	expect(&r, &v, "ok_unverified", RUN_DONE, PROOF_UNDONE);
	make(&r, 0, 0);
	r.verification.wait_status = SIGKILL;
	expect(&r, &none, "ok_unverified", RUN_DONE, PROOF_UNDONE);
	r.verification.wish = WISH_CANCEL;
	expect(&r, &none, "cancelled", RUN_CANCELLED, PROOF_UNDONE);
	r.verification.wish = WISH_STOP;
	expect(&r, &none, "ok_unverified", RUN_DONE, PROOF_UNDONE);
	make(&r, 0, 0);
	r.verification.start = START_NO_ENGINE;
	r.verification.have_status = false;
	expect(&r, &none, "ok_unverified", RUN_DONE, PROOF_UNDONE);
	/* an exit code of 0 without its summary proves nothing */
	make(&r, 0, 0);
	expect(&r, &none, "ok_unverified", RUN_DONE, PROOF_UNDONE);
}

static void newer_messages_are_told_and_are_no_failure(void **state)
{
	struct runs r;
	struct verified v = found("", "");
	(void)state;
	make(&r, 0, 0);
	v.newer = 3;
	expect(&r, &v, "ok_newer", RUN_DONE, PROOF_GOOD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_summary_is_read),
	    cmocka_unit_test(faulty_messages_are_kept_bounded_and_readable),
	    cmocka_unit_test(what_was_found_outweighs_what_the_copier_said),
	    cmocka_unit_test(a_copier_that_failed_has_failed_whatever_was_found),
	    cmocka_unit_test(a_verification_that_did_not_end_says_so_and_why),
	    cmocka_unit_test(newer_messages_are_told_and_are_no_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
