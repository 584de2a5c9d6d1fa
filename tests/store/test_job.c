/* What a person does to a job: make, edit, cancel, rerun, delete; once each, and never to a running one. */
#include "tests/store/fixture.h"

#include <string.h>

#include "sql/store_log.h"

static const uint8_t key[JOB_REQUEST_KEY_BYTES] = "0123456789abcde";

static struct job_new form(void)
{
	return (struct job_new){.name = "Anna's mail",
	    .dry_run = true,
	    .request_key = key,
	    .src_server_id = server_a,
	    .dst_server_id = server_shared,
	    .src_user = "old@example.org",
	    .dst_user = "new@example.org",
	    .src_sealed = {"s", 1},
	    .dst_sealed = {"d", 1}};
}

static void a_form_sent_twice_makes_one_job(void **state)
{
	struct job_new n = form();
	uint64_t first, second;
	bool existed;

	(void)state;
	assert_ok(store_job_create(db, &member_a, &n, &first, &existed));
	assert_false(existed);
	assert_ok(store_job_create(db, &member_a, &n, &second, &existed));
	assert_true(existed);
	assert_int_equal(first, second);
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM job_event"), 1);
}

static void the_same_key_in_another_account_is_another_job(void **state)
{
	struct job_new n = form();
	uint64_t first, second;
	bool existed;

	(void)state;
	n.src_server_id = server_shared;
	assert_ok(store_job_create(db, &member_a, &n, &first, &existed));
	assert_ok(store_job_create(db, &member_b, &n, &second, &existed));
	assert_false(existed);
	assert_int_not_equal(first, second);
}

static void values_out_of_range_are_refused(void **state)
{
	struct job_new n;
	uint64_t id;
	char sealed[JOB_SEALED_MAX + 1] = {0};

	(void)state;
	n = form();
	n.src_user = "a\r\nb";
	assert_int_equal(store_job_create(db, &member_a, &n, &id, NULL), ERR_INVALID);
	n = form();
	n.dst_user = "";
	assert_int_equal(store_job_create(db, &member_a, &n, &id, NULL), ERR_INVALID);
	n = form();
	n.name = "\xff";
	assert_int_equal(store_job_create(db, &member_a, &n, &id, NULL), ERR_INVALID);
	n = form();
	n.src_sealed = (struct job_sealed){sealed, sizeof(sealed)};
	assert_int_equal(store_job_create(db, &member_a, &n, &id, NULL), ERR_INVALID);
	n = form();
	n.src_sealed = (struct job_sealed){NULL, 0};
	assert_int_equal(store_job_create(db, &member_a, &n, &id, NULL), ERR_INVALID);
	n = form();
	n.src_server_id = 424242;
	assert_int_equal(store_job_create(db, &member_a, &n, &id, NULL), ERR_NOT_FOUND);
}

static void a_nameless_job_is_labelled_by_its_users(void **state)
{
	struct job_new n = form();
	struct job j;
	uint64_t id;

	(void)state;
	n.name = "";
	assert_ok(store_job_create(db, &member_a, &n, &id, NULL));
	assert_ok(store_job_get(db, arena, &member_a, id, &j));
	assert_null(j.name);
	assert_string_equal(j.label, "old@example.org → new@example.org");
	assert_int_equal(j.duration_ms, -1);
	assert_int_equal(j.counters.messages_total, -1);
	assert_int_equal(j.exit_code, -1);
	assert_int_equal(j.log_cut_start, -1);
	assert_string_equal(j.owner_email, "member-a@example.org");
}

static void a_queued_job_is_cancelled_at_once(void **state)
{
	uint64_t id = make_job(&member_a, 0, 0);
	enum job_state s;

	(void)state;
	assert_ok(store_job_cancel(db, &member_a, id, &s));
	assert_int_equal(s, JOB_CANCELLED);
	assert_int_equal(state_of(id), JOB_CANCELLED);
	assert_int_equal(store_job_cancel(db, &member_a, id, &s), ERR_CONFLICT);
	assert_int_equal(s, JOB_CANCELLED);
	assert_consistent();
}

static void a_running_job_is_only_asked_to_stop(void **state)
{
	struct queue_token t;
	struct job j;
	uint64_t id = make_job(&member_a, 0, 0);
	enum job_state s;

	(void)state;
	claim_next(&t);
	for (int i = 0; i < 2; i++) {
		assert_ok(store_job_cancel(db, &member_a, id, &s));
		assert_int_equal(s, JOB_RUNNING);
	}
	assert_ok(store_job_get(db, arena, &member_a, id, &j));
	assert_int_equal(j.state, JOB_RUNNING);
	assert_true(j.cancel_requested_at > 0);
	assert_int_equal(number("SELECT COUNT(*) FROM job_event WHERE kind = 'cancel_asked'"), 1);
}

static void credentials_change_unless_it_runs(void **state)
{
	const struct job_credentials k = {.src_user = "changed@example.org", .dst_sealed = {"new seal", 8}};
	struct queue_token t;
	struct job j;
	uint64_t id = make_job(&member_a, 0, 0);

	(void)state;
	assert_ok(store_job_edit(db, &member_a, id, &k, NULL));
	assert_ok(store_job_get(db, arena, &member_a, id, &j));
	assert_string_equal(j.source.user, "changed@example.org");
	assert_string_equal(j.destination.user, "new@example.org");
	assert_string_equal(text("SELECT dst_sealed FROM job"), "new seal");
	assert_string_equal(text("SELECT src_sealed FROM job"), "sealed source");
	claim_next(&t);
	assert_int_equal(store_job_edit(db, &member_a, id, &k, NULL), ERR_CONFLICT);
	finish_as(&t, JOB_FAILED);
	assert_ok(store_job_edit(db, &member_a, id, &k, NULL));
	assert_int_equal(store_job_edit(db, &member_a, 424242, &k, NULL), ERR_NOT_FOUND);
}

static void mailboxes_on_their_way_are_not_run_again(void **state)
{
	struct queue_token t;
	uint64_t first = make_job(&member_a, 0, 0), again, other = 0;

	(void)state;
	assert_int_equal(store_job_busy(db, &member_a, first, &other), ERR_NOT_FOUND);
	claim_next(&t);
	finish_as(&t, JOB_DONE);
	assert_ok(store_job_rerun(db, &member_a, first, &(struct job_rerun){0}, &again, NULL));
	assert_int_equal(
	    store_job_rerun(db, &member_a, first, &(struct job_rerun){0}, &other, NULL), ERR_CONFLICT);
	assert_ok(store_job_busy(db, &member_a, first, &other));
	assert_int_equal(other, again);
	claim_next(&t);
	assert_int_equal(
	    store_job_rerun(db, &member_a, first, &(struct job_rerun){0}, &other, NULL), ERR_CONFLICT);
	finish_as(&t, JOB_FAILED);
	assert_ok(store_job_rerun(db, &member_a, first, &(struct job_rerun){0}, &other, NULL));
	/* another customer's mailbox of the same name is another mailbox */
	assert_int_equal(store_job_busy(db, &member_b, first, &other), ERR_NOT_FOUND);
}

static void a_rerun_is_a_new_job_that_points_back(void **state)
{
	struct queue_token t;
	struct job j, *children;
	uint64_t id = make_job(&member_a, server_a, 0), again, twice;
	size_t count;
	bool existed;

	(void)state;
	assert_int_equal(store_job_rerun(db, &member_a, id,
			     &(struct job_rerun){.dry_run = false, .request_key = key}, &again, &existed),
	    ERR_CONFLICT);
	claim_next(&t);
	assert_int_equal(store_job_rerun(db, &member_a, id,
			     &(struct job_rerun){.dry_run = false, .request_key = key}, &again, &existed),
	    ERR_CONFLICT);
	finish_as(&t, JOB_DONE);
	assert_ok(store_job_rerun(
	    db, &admin_a, id, &(struct job_rerun){.dry_run = false, .request_key = key}, &again, &existed));
	assert_false(existed);
	assert_ok(store_job_rerun(
	    db, &admin_a, id, &(struct job_rerun){.dry_run = false, .request_key = key}, &twice, &existed));
	assert_true(existed);
	assert_int_equal(again, twice);
	assert_ok(store_job_get(db, arena, &member_a, again, &j));
	assert_int_equal(j.parent_id, id);
	assert_int_equal(j.state, JOB_QUEUED);
	assert_false(j.dry_run);
	assert_int_equal(j.owner_user_id, member_a.user_id);
	assert_int_equal(number("SELECT COUNT(DISTINCT src_sealed, dst_sealed) FROM job"), 1);
	assert_ok(store_job_children(db, arena, &member_a, id, &children, &count));
	assert_int_equal(count, 1);
	assert_int_equal(children[0].id, again);
}

static void deleting_takes_row_and_log_and_leaves_the_events(void **state)
{
	struct queue_token t;
	struct job_event *events;
	size_t count;
	uint64_t id = make_job(&member_a, 0, 0), child;

	(void)state;
	claim_next(&t);
	assert_ok(store_log_append(db, &t, 0, "hello", 5));
	assert_int_equal(store_job_delete(db, &member_a, id, NULL), ERR_CONFLICT);
	assert_int_equal(number("SELECT COUNT(*) FROM job_log"), 1);
	finish_as(&t, JOB_DONE);
	assert_ok(store_job_rerun(db, &member_a, id, &(struct job_rerun){.dry_run = true}, &child, NULL));
	assert_ok(store_job_delete(db, &member_a, id, NULL));
	assert_int_equal(store_job_delete(db, &member_a, id, NULL), ERR_NOT_FOUND);
	assert_int_equal(number("SELECT COUNT(*) FROM job_log"), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE parent_id IS NULL"), 1);
	assert_ok(store_job_events(db, arena, &member_a, id, &events, &count));
	assert_string_equal(events[count - 1].kind, "deleted");
	assert_consistent();
}

/* One cancel and one claim, each from its own connection, at the same job: exactly one wins. */
static void a_cancel_and_a_claim_never_both_win(void **state)
{
	struct queue_token t;
	struct queue_job claimed;
	struct db *other = fixture_connect(NULL);
	enum job_state s = JOB_QUEUED;
	enum err cancel, claim;
	uint64_t id = make_job(&member_a, 0, 0);

	(void)state;
	queue_token_new(&t);
	assert_ok(db_begin(other));
	assert_ok(db_exec(
	    other, "UPDATE job SET updated_at = UTC_TIMESTAMP(6) WHERE id = ?", DB_ARGS(db_p_u64(id)), NULL));
	db_rollback(other);
	cancel = store_job_cancel(other, &member_a, id, &s);
	claim = store_queue_claim(db, arena, worker_1, 60, &t, &claimed);
	assert_ok(cancel);
	assert_int_equal(s, JOB_CANCELLED);
	assert_int_equal(claim, ERR_NOT_FOUND);
	db_close(&other);
	assert_consistent();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(a_form_sent_twice_makes_one_job),
	    STORE_TEST(the_same_key_in_another_account_is_another_job),
	    STORE_TEST(values_out_of_range_are_refused),
	    STORE_TEST(a_nameless_job_is_labelled_by_its_users),
	    STORE_TEST(a_queued_job_is_cancelled_at_once),
	    STORE_TEST(a_running_job_is_only_asked_to_stop),
	    STORE_TEST(credentials_change_unless_it_runs),
	    STORE_TEST(mailboxes_on_their_way_are_not_run_again),
	    STORE_TEST(a_rerun_is_a_new_job_that_points_back),
	    STORE_TEST(deleting_takes_row_and_log_and_leaves_the_events),
	    STORE_TEST(a_cancel_and_a_claim_never_both_win),
	};

	return FIXTURE_RUN(tests);
}
