/* Claims, leases, ends: each job runs once, its owner alone writes, and nothing is left half done. */
#include "tests/store/fixture.h"

#include "sql/store_account.h"
#include "sql/store_bulk.h"
#include "sql/store_server.h"

static void the_oldest_job_is_claimed_first(void **state)
{
	struct queue_token t1, t2;
	uint64_t first = make_job(&member_a, 0, 0), second = make_job(&member_b, 0, 0);

	(void)state;
	assert_int_equal(claim_next(&t1), first);
	assert_int_equal(claim_next(&t2), second);
	assert_consistent();
}

static void only_what_no_administrator_chose_is_vetted(void **state)
{
	struct viewer for_b = admin_a;
	const struct {
		const struct viewer *owner;
		uint64_t source, destination;
		bool src, dst;
	} rows[] = {{&member_a, server_a, server_shared, true, false},
	    {&member_a, server_shared, server_a, false, true}, {&admin_a, server_a, server_a, false, false},
	    /* an administrator who acts for a customer takes the hosts the customer named */
	    {&for_b, server_b, server_shared, true, false}};
	struct queue_token t;
	struct queue_job j;

	(void)state;
	for_b.role = ROLE_MEMBER;
	for_b.account_id = member_b.account_id;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		(void)make_job(rows[i].owner, rows[i].source, rows[i].destination);
		queue_token_new(&t);
		assert_ok(store_queue_claim(db, arena, worker_1, 60, &t, &j));
		assert_int_equal(j.is_src_vetted, rows[i].src);
		assert_int_equal(j.is_dst_vetted, rows[i].dst);
		finish_as(&t, JOB_DONE);
	}
}

static void what_a_member_runs_again_is_vetted_whosever_job_it_was(void **state)
{
	const struct bulk_question all = {
	    .action = BULK_RUN_REAL, .request_key = (const uint8_t *)"a key of 16 byte"};
	struct queue_token t;
	struct queue_job j;
	uint64_t id, bulk;

	(void)state;
	id = make_job(&admin_a, server_a, server_a);
	assert_int_equal(claim_next(&t), id);
	finish_as(&t, JOB_DONE);
	assert_ok(store_job_rerun(db, &admin_a, id, &(struct job_rerun){0}, &id, NULL));
	queue_token_new(&t);
	assert_ok(store_queue_claim(db, arena, worker_1, 60, &t, &j));
	assert_false(j.is_src_vetted || j.is_dst_vetted);
	finish_as(&t, JOB_DONE);
	/* whoever may change the server of the account names the host */
	assert_ok(store_job_rerun(db, &member_a, id, &(struct job_rerun){0}, &id, NULL));
	queue_token_new(&t);
	assert_ok(store_queue_claim(db, arena, worker_1, 60, &t, &j));
	assert_true(j.is_src_vetted && j.is_dst_vetted);
	finish_as(&t, JOB_DONE);
	run_sql(arena_printf(arena, "UPDATE job SET owner_user_id = %lu", admin_a.user_id));
	assert_ok(store_bulk_ask(db, &member_a, &all, &bulk));
	assert_ok(store_bulk_run(db, &member_a, bulk, 60000));
	queue_token_new(&t);
	assert_ok(store_queue_claim(db, arena, worker_1, 60, &t, &j));
	assert_true(j.is_src_vetted && j.is_dst_vetted);
}

static void a_job_whose_owner_is_gone_is_vetted(void **state)
{
	struct queue_token t;
	struct queue_job j;

	(void)state;
	(void)make_job(&admin_a, server_a, server_shared);
	assert_ok(db_exec(db, "UPDATE job SET owner_user_id = NULL", DB_NONE, NULL));
	queue_token_new(&t);
	assert_ok(store_queue_claim(db, arena, worker_1, 60, &t, &j));
	assert_true(j.is_src_vetted);
	assert_false(j.is_dst_vetted);
}

static void a_claim_hands_over_all_the_runner_needs(void **state)
{
	struct queue_token t;
	struct queue_job j;
	uint64_t id = make_job(&member_a, server_a, 0);

	(void)state;
	queue_token_new(&t);
	assert_ok(store_queue_claim(db, arena, worker_1, 60, &t, &j));
	assert_int_equal(j.job.id, id);
	assert_int_equal(t.job_id, id);
	assert_int_equal(j.job.state, JOB_RUNNING);
	assert_int_equal(j.job.account_id, member_a.account_id);
	assert_string_equal(j.job.source.host, "imap.example.org");
	assert_int_equal(j.job.source.port, 993);
	assert_string_equal(j.job.destination.user, "new@example.org");
	assert_int_equal(j.src_sealed_len, 13);
	assert_memory_equal(j.src_sealed, "sealed source", 13);
	assert_memory_equal(j.dst_sealed, "sealed destination", 18);
	assert_int_equal(j.job.attempts, 1);
	assert_true(j.job.started_at > 0);
}

static void no_more_jobs_run_than_there_are_slots(void **state)
{
	struct queue_token t1, t2, t3;
	struct queue_job j;

	(void)state;
	for (int i = 0; i < 3; i++)
		make_job(&member_a, 0, 0);
	claim_next(&t1);
	claim_next(&t2);
	queue_token_new(&t3);
	assert_int_equal(store_queue_claim(db, arena, worker_1, 60, &t3, &j), ERR_BUSY);
	finish_as(&t1, JOB_DONE);
	assert_ok(store_queue_claim(db, arena, worker_1, 60, &t3, &j));
	assert_consistent();
}

static void an_empty_queue_says_so(void **state)
{
	struct queue_token t;
	struct queue_job j;

	(void)state;
	queue_token_new(&t);
	assert_int_equal(store_queue_claim(db, arena, worker_1, 60, &t, &j), ERR_NOT_FOUND);
}

static void a_suspended_accounts_jobs_wait(void **state)
{
	struct queue_token t;
	struct queue_job j;
	struct queue_depth depth;

	(void)state;
	make_job(&member_b, 0, 0);
	assert_ok(store_account_suspend(db, &installation, member_b.account_id, true));
	queue_token_new(&t);
	assert_int_equal(store_queue_claim(db, arena, worker_1, 60, &t, &j), ERR_NOT_FOUND);
	assert_ok(store_queue_depth(db, &depth));
	assert_int_equal(depth.queued, 0);
	assert_int_equal(depth.held, 1);
	assert_ok(store_account_suspend(db, &installation, member_b.account_id, false));
	claim_next(&t);
}

static void a_claim_takes_the_servers_new_details(void **state)
{
	const struct server_fields f = {
	    .name = "moved", .host = "imap2.example.org", .port = 143, .security = SECURITY_STARTTLS};
	struct queue_token t;
	struct queue_job j;

	(void)state;
	make_job(&member_a, server_a, 0);
	assert_ok(store_server_update(db, &member_a, server_a, &f));
	queue_token_new(&t);
	assert_ok(store_queue_claim(db, arena, worker_1, 60, &t, &j));
	assert_string_equal(j.job.source.host, "imap2.example.org");
	assert_int_equal(j.job.source.port, 143);
	assert_int_equal(j.job.source.security, SECURITY_STARTTLS);
	assert_false(j.job.source.verify);
	assert_string_equal(j.job.destination.host, "imap.example.org");
}

static void renewal_tells_lost_jobs_and_wishes(void **state)
{
	struct queue_token t1, t2, gone;
	struct queue_lease leases[3];
	enum job_state s;
	uint64_t first;

	(void)state;
	first = make_job(&member_a, 0, 0);
	make_job(&member_a, 0, 0);
	claim_next(&t1);
	claim_next(&t2);
	queue_token_new(&gone);
	leases[0].token = &t1;
	leases[1].token = &t2;
	leases[2].token = &gone;
	assert_ok(store_job_cancel(db, &member_a, first, &s));
	assert_int_equal(s, JOB_RUNNING);
	run_sql("UPDATE job SET lease_until = UTC_TIMESTAMP(6) + INTERVAL 1 SECOND WHERE state = 'running'");
	assert_ok(store_queue_renew(db, 60, leases, 3));
	assert_true(leases[0].is_cancel_wanted);
	assert_false(leases[0].is_lost);
	assert_false(leases[1].is_cancel_wanted);
	assert_false(leases[1].is_lost);
	assert_true(leases[2].is_lost);
	assert_int_equal(
	    number("SELECT COUNT(*) FROM job WHERE lease_until > UTC_TIMESTAMP(6) + INTERVAL 50 SECOND"), 2);
}

static void progress_is_the_owners_alone(void **state)
{
	struct queue_token t, other;
	struct job_counters c;
	struct job j;
	uint64_t id = make_job(&member_a, 0, 0);

	(void)state;
	claim_next(&t);
	other = t;
	other.bytes[0] ^= 1;
	job_counters_init(&c);
	c.messages_total = 2000;
	c.messages_copied = 7;
	c.folder_current = "INBOX/\xff\x1b[2J";
	assert_ok(store_queue_progress(db, &t, &c, 3, 4));
	assert_int_equal(store_queue_progress(db, &other, &c, 0, 0), ERR_LOST);
	assert_int_equal(store_queue_program(db, &other, "x", "y"), ERR_LOST);
	assert_ok(store_queue_program(db, &t, "imapsync", "2.229"));
	assert_ok(store_job_get(db, arena, &member_a, id, &j));
	assert_int_equal(j.counters.messages_total, 2000);
	assert_int_equal(j.counters.messages_copied, 7);
	assert_int_equal(j.counters.eta_s, -1);
	assert_string_equal(j.counters.folder_current, "INBOX/??[2J");
	assert_int_equal(j.log_errors, 3);
	assert_int_equal(j.log_warnings, 4);
	assert_string_equal(j.program, "imapsync");
}

static void finish_ends_the_job_and_frees_the_slot(void **state)
{
	struct queue_token t;
	struct job j;
	uint64_t id = make_job(&member_a, 0, 0);
	struct queue_ending e = ending_of(JOB_FAILED);
	unsigned total, used;

	(void)state;
	claim_next(&t);
	e.exit_code = 16;
	e.reason = "auth_source";
	e.reason_text = "The source server refused the password.";
	e.reason_action = "edit_source";
	assert_ok(store_queue_finish(db, &t, &e));
	assert_ok(store_job_get(db, arena, &member_a, id, &j));
	assert_int_equal(j.state, JOB_FAILED);
	assert_int_equal(j.exit_code, 16);
	assert_int_equal(j.exit_signal, 0);
	assert_string_equal(j.reason, "auth_source");
	assert_string_equal(j.reason_text, "The source server refused the password.");
	assert_string_equal(j.reason_action, "edit_source");
	assert_true(j.finished_at > 0);
	assert_true(j.duration_ms >= 0);
	assert_ok(store_queue_slots(db, &total, &used));
	assert_int_equal(used, 0);
	assert_consistent();
}

static void finishing_twice_counts_once(void **state)
{
	struct queue_token t;
	uint64_t id = make_job(&member_a, 0, 0);
	struct queue_ending other = ending_of(JOB_FAILED);

	(void)state;
	claim_next(&t);
	finish_as(&t, JOB_DONE);
	assert_ok(store_queue_finish(db, &t, &other));
	assert_int_equal(state_of(id), JOB_DONE);
	assert_int_equal(number("SELECT COUNT(*) FROM job_event WHERE kind = 'finished'"), 1);
}

static void a_stale_owner_loses_to_the_rescuer(void **state)
{
	struct queue_token t;
	struct queue_ending rescue = ending_of(JOB_INTERRUPTED), done = ending_of(JOB_DONE);
	uint64_t id = make_job(&member_a, 0, 0);
	unsigned count;

	(void)state;
	claim_next(&t);
	run_sql("UPDATE job SET lease_until = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND WHERE state = 'running'");
	assert_ok(store_queue_rescue_expired(db, &rescue, &count));
	assert_int_equal(count, 1);
	assert_int_equal(store_queue_finish(db, &t, &done), ERR_LOST);
	assert_int_equal(state_of(id), JOB_INTERRUPTED);
	assert_int_equal(
	    number("SELECT COUNT(*) FROM job_event WHERE to_state NOT IN ('queued', 'running')"), 1);
	assert_consistent();
}

static void a_late_rescuer_changes_nothing(void **state)
{
	struct queue_token t;
	struct queue_ending rescue = ending_of(JOB_INTERRUPTED);
	uint64_t id = make_job(&member_a, 0, 0);
	unsigned count;

	(void)state;
	claim_next(&t);
	finish_as(&t, JOB_DONE);
	assert_ok(store_queue_rescue_worker(db, worker_1, &rescue, &count));
	assert_int_equal(count, 0);
	assert_ok(store_queue_rescue_expired(db, &rescue, &count));
	assert_int_equal(count, 0);
	assert_int_equal(state_of(id), JOB_DONE);
}

static void a_living_lease_is_not_rescued(void **state)
{
	struct queue_token t;
	struct queue_ending rescue = ending_of(JOB_INTERRUPTED);
	uint64_t id = make_job(&member_a, 0, 0);
	unsigned count;

	(void)state;
	claim_next(&t);
	assert_ok(store_queue_rescue_expired(db, &rescue, &count));
	assert_int_equal(count, 0);
	assert_ok(store_queue_rescue_worker(db, worker_1 + 1, &rescue, &count));
	assert_int_equal(count, 0);
	assert_int_equal(state_of(id), JOB_RUNNING);
	assert_ok(store_queue_rescue_worker(db, worker_1, &rescue, &count));
	assert_int_equal(count, 1);
	assert_consistent();
}

static void slots_in_use_are_never_taken_away(void **state)
{
	struct queue_token t;
	unsigned total, used;

	(void)state;
	assert_ok(store_queue_slots_set(db, 5, &total));
	assert_int_equal(total, 5);
	make_job(&member_a, 0, 0);
	claim_next(&t);
	assert_ok(store_queue_slots_set(db, 0, &total));
	assert_int_equal(total, 1);
	finish_as(&t, JOB_DONE);
	assert_ok(store_queue_slots_set(db, 0, &total));
	assert_int_equal(total, 0);
	assert_ok(store_queue_slots_set(db, 3, &total));
	assert_ok(store_queue_slots(db, &total, &used));
	assert_int_equal(total, 3);
	assert_int_equal(used, 0);
	assert_int_equal(store_queue_slots_set(db, 1001, &total), ERR_INVALID);
}

static void the_database_refuses_a_half_claimed_job(void **state)
{
	(void)state;
	make_job(&member_a, 0, 0);
	assert_int_equal(db_exec_text(db, "UPDATE job SET state = 'running'"), ERR_CONFLICT);
	assert_int_equal(db_exec_text(db, "UPDATE job SET claim_token = '0123456789abcdef'"), ERR_CONFLICT);
	assert_int_equal(db_exec_text(db, "UPDATE job SET lease_until = UTC_TIMESTAMP(6)"), ERR_CONFLICT);
	assert_int_equal(db_exec_text(db, "UPDATE run_slot SET job_id = 1"), ERR_CONFLICT);
}

static void every_change_of_state_is_an_event(void **state)
{
	struct queue_token t;
	struct job_event *events;
	size_t count;
	uint64_t id = make_job(&member_a, 0, 0);

	(void)state;
	claim_next(&t);
	finish_as(&t, JOB_DONE);
	assert_ok(store_job_events(db, arena, &member_a, id, &events, &count));
	assert_int_equal(count, 3);
	assert_string_equal(events[0].kind, "created");
	assert_int_equal(events[0].user_id, member_a.user_id);
	assert_string_equal(events[1].kind, "claimed");
	assert_int_equal(events[1].worker_id, worker_1);
	assert_string_equal(events[2].kind, "finished");
	assert_int_equal(events[2].from, JOB_RUNNING);
	assert_int_equal(events[2].to, JOB_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(the_oldest_job_is_claimed_first),
	    STORE_TEST(only_what_no_administrator_chose_is_vetted),
	    STORE_TEST(what_a_member_runs_again_is_vetted_whosever_job_it_was),
	    STORE_TEST(a_job_whose_owner_is_gone_is_vetted),
	    STORE_TEST(a_claim_hands_over_all_the_runner_needs),
	    STORE_TEST(no_more_jobs_run_than_there_are_slots),
	    STORE_TEST(an_empty_queue_says_so),
	    STORE_TEST(a_suspended_accounts_jobs_wait),
	    STORE_TEST(a_claim_takes_the_servers_new_details),
	    STORE_TEST(renewal_tells_lost_jobs_and_wishes),
	    STORE_TEST(progress_is_the_owners_alone),
	    STORE_TEST(finish_ends_the_job_and_frees_the_slot),
	    STORE_TEST(finishing_twice_counts_once),
	    STORE_TEST(a_stale_owner_loses_to_the_rescuer),
	    STORE_TEST(a_late_rescuer_changes_nothing),
	    STORE_TEST(a_living_lease_is_not_rescued),
	    STORE_TEST(slots_in_use_are_never_taken_away),
	    STORE_TEST(the_database_refuses_a_half_claimed_job),
	    STORE_TEST(every_change_of_state_is_an_event),
	};

	return FIXTURE_RUN(tests);
}
