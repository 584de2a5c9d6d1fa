/* How a batch stands: by the last run of each mailbox, within one account. */
#include "tests/store/fixture.h"

#include <string.h>

#include "sql/store_batch.h"
#include "sql/store_batch_view.h"

static uint64_t batch;

/* A job of the batch in this state, a rerun of parent (0: none), with these counters. */
static uint64_t job_in(const char *state, uint64_t parent, bool is_dry, const char *more)
{
	uint64_t id = make_job(&member_a, server_a, 0);

	run_sql(arena_printf(arena,
	    "UPDATE job SET batch_id = %lu, parent_id = %s, dry_run = %d, state = '%s', finished_at = "
	    "IF('%s' = "
	    "'queued', NULL, queued_at)%s%s WHERE id = %lu",
	    batch, parent ? arena_printf(arena, "%lu", parent) : "NULL", is_dry, state, state,
	    *more ? ", " : "", more, id));
	return id;
}

static void furnish(void)
{
	uint64_t first, second;

	assert_ok(store_batch_create(db, &member_a, "Move one", &batch));
	job_in("queued", 0, true, "");
	job_in("done", 0, true, "messages_total = 10, bytes_total = 100, messages_to_copy = 7");
	first = job_in("done", 0, true, "messages_total = 20, bytes_total = 200, messages_to_copy = 20");
	second = job_in("failed", first, false,
	    "messages_total = 20, bytes_total = 200, messages_copied = 15, bytes_copied = 150, reason = "
	    "'quota'");
	job_in("done", second, false,
	    "messages_total = 20, bytes_total = 200, messages_copied = 5, bytes_copied = 50, "
	    "messages_skipped = 15, "
	    "messages_failed = 0, verify_state = 'faults', verify_messages = 20, verified_messages = 17, "
	    "verify_missing = 2, verify_altered = 1, verify_doubled = 0");
	job_in("failed", 0, false,
	    "reason = 'auth_source', reason_text = 'Refused.', reason_action = 'edit_source'");
	job_in(
	    "interrupted", 0, false, "reason = 'lost', reason_action = 'rerun', verify_state = 'unverified'");
	job_in("failed", 0, true,
	    "reason = 'auth_source', reason_text = 'Refused.', reason_action = 'edit_source'");
}

static void a_mailbox_counts_by_its_last_run(void **state)
{
	struct batch_summary s;

	(void)state;
	furnish();
	assert_ok(store_batch_summary(db, &member_a, batch, &s));
	assert_int_equal(s.mailboxes, 6);
	assert_int_equal(s.runs, 8);
	assert_int_equal(s.states[JOB_QUEUED], 1);
	assert_int_equal(s.states[JOB_DONE], 2);
	assert_int_equal(s.states[JOB_FAILED], 2);
	assert_int_equal(s.states[JOB_INTERRUPTED], 1);
	assert_int_equal(s.dry_done, 1);
	assert_int_equal(s.real_done, 1);
}

static void totals_count_a_mailbox_once_and_what_was_copied_in_every_run(void **state)
{
	struct batch_summary s;

	(void)state;
	furnish();
	assert_ok(store_batch_summary(db, &member_a, batch, &s));
	assert_int_equal(s.messages_total, 30);
	assert_int_equal(s.bytes_total, 300);
	assert_int_equal(s.messages_to_copy, 7);
	assert_int_equal(s.messages_copied, 20);
	assert_int_equal(s.bytes_copied, 200);
	assert_int_equal(s.messages_skipped, 15);
	assert_int_equal(s.verify_messages, 20);
	assert_int_equal(s.verified_messages, 17);
	assert_int_equal(s.verify_missing, 2);
	assert_int_equal(s.verify_altered, 1);
	assert_int_equal(s.verify_doubled, 0);
	assert_int_equal(s.verified, 1);
	assert_int_equal(s.unverified, 1);
}

static void an_empty_batch_is_all_zero(void **state)
{
	struct batch_summary s;
	struct job *list;
	size_t count;

	(void)state;
	assert_ok(store_batch_create(db, &member_a, "Empty", &batch));
	assert_ok(store_batch_summary(db, &member_a, batch, &s));
	assert_int_equal(s.mailboxes + s.runs, 0);
	assert_int_equal(s.started_at, 0);
	assert_ok(store_batch_report(db, arena, &member_a, batch, 0, 10, &list, &count));
	assert_int_equal(count, 0);
}

static void failures_are_grouped_by_cause_the_commonest_first(void **state)
{
	struct batch_cause *list;
	size_t count;

	(void)state;
	furnish();
	assert_ok(store_batch_causes(db, arena, &member_a, batch, &list, &count));
	assert_int_equal(count, 2);
	assert_string_equal(list[0].reason, "auth_source");
	assert_string_equal(list[0].text, "Refused.");
	assert_string_equal(list[0].action, "edit_source");
	assert_int_equal(list[0].count, 2);
	assert_int_equal(list[0].src_server_id, server_a);
	assert_string_equal(list[1].reason, "lost");
	assert_int_equal(list[1].count, 1);
}

static void servers_that_differ_are_not_named_as_the_cause(void **state)
{
	struct batch_cause *list;
	size_t count;

	(void)state;
	furnish();
	run_sql("UPDATE job SET src_server_id = NULL WHERE reason = 'auth_source' ORDER BY id LIMIT 1");
	assert_ok(store_batch_causes(db, arena, &member_a, batch, &list, &count));
	assert_int_equal(list[0].src_server_id, 0);
	assert_int_equal(list[0].dst_server_id, server_shared);
}

static void the_report_goes_on_where_a_page_ended(void **state)
{
	struct job *list;
	size_t count, seen = 0;
	uint64_t after = 0;

	(void)state;
	furnish();
	do {
		assert_ok(store_batch_report(db, arena, &member_a, batch, after, 4, &list, &count));
		for (size_t i = 0; i < count; i++) {
			assert_true(list[i].id > after);
			after = list[i].id;
		}
		seen += count;
	} while (count > 0);
	assert_int_equal(seen, 6);
}

static void another_accounts_batch_looks_empty(void **state)
{
	struct batch_summary s;
	struct batch_cause *causes;
	struct job *list;
	size_t count;

	(void)state;
	furnish();
	assert_ok(store_batch_summary(db, &member_b, batch, &s));
	assert_int_equal(s.mailboxes + s.runs, 0);
	assert_ok(store_batch_states(db, &member_b, &batch, 1, &s));
	assert_int_equal(s.mailboxes, 0);
	assert_ok(store_batch_causes(db, arena, &member_b, batch, &causes, &count));
	assert_int_equal(count, 0);
	assert_ok(store_batch_report(db, arena, &member_b, batch, 0, 10, &list, &count));
	assert_int_equal(count, 0);
	assert_ok(store_batch_states(db, &admin_a, &batch, 1, &s));
	assert_int_equal(s.mailboxes, 6);
}

static void several_batches_are_counted_at_once(void **state)
{
	uint64_t ids[2];
	struct batch_summary s[2];

	(void)state;
	furnish();
	ids[1] = batch;
	assert_ok(store_batch_create(db, &member_a, "Move two", &ids[0]));
	assert_ok(store_batch_states(db, &member_a, ids, 2, s));
	assert_int_equal(s[0].mailboxes, 0);
	assert_int_equal(s[1].mailboxes, 6);
	assert_int_equal(s[1].states[JOB_FAILED], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(a_mailbox_counts_by_its_last_run),
	    STORE_TEST(totals_count_a_mailbox_once_and_what_was_copied_in_every_run),
	    STORE_TEST(an_empty_batch_is_all_zero),
	    STORE_TEST(failures_are_grouped_by_cause_the_commonest_first),
	    STORE_TEST(servers_that_differ_are_not_named_as_the_cause),
	    STORE_TEST(the_report_goes_on_where_a_page_ended),
	    STORE_TEST(another_accounts_batch_looks_empty),
	    STORE_TEST(several_batches_are_counted_at_once),
	};

	return FIXTURE_RUN(tests);
}
