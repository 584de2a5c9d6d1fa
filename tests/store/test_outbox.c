/* The outbox: what is written when a job ends, and who may send it. */
#include "tests/store/fixture.h"

#include <pthread.h>
#include <string.h>

#include "sql/store_account.h"
#include "sql/store_batch.h"
#include "sql/store_bulk.h"
#include "sql/store_outbox.h"
#include "sql/store_user.h"

static const struct outbox_policy usual = {.is_on = true, .batch = OUTBOX_SUMMARY, .suppress_s = 60};

static void finish_with(const struct queue_token *t, enum job_state state, struct outbox_policy policy)
{
	struct queue_ending ending = ending_of(state);

	ending.mail = policy;
	assert_ok(store_queue_finish(db, t, &ending));
}

static uint64_t end_one_of(const struct viewer *v, enum job_state state, struct outbox_policy policy)
{
	struct queue_token t;
	uint64_t id = make_job(v, 0, 0);

	assert_int_equal(claim_next(&t), id);
	finish_with(&t, state, policy);
	return id;
}

static uint64_t end_one(enum job_state state, struct outbox_policy policy)
{
	return end_one_of(&member_a, state, policy);
}

static uint64_t batch_of(unsigned jobs)
{
	uint64_t id;

	assert_ok(store_batch_create(db, &member_a, "Move", &id));
	while (jobs-- > 0)
		(void)make_job(&member_a, 0, 0);
	run_sql(arena_printf(
	    arena, "UPDATE job SET batch_id = %llu WHERE state = 'queued'", (unsigned long long)id));
	return id;
}

static int64_t mails(void)
{
	return number("SELECT COUNT(*) FROM notification WHERE state = 'waiting'");
}

static void an_ended_job_has_one_mail(void **state)
{
	struct queue_token t;
	struct queue_ending ending = ending_of(JOB_FAILED);
	uint64_t id = make_job(&member_a, 0, 0);

	(void)state;
	(void)claim_next(&t);
	ending.mail = usual;
	assert_ok(store_queue_finish(db, &t, &ending));
	assert_ok(store_queue_finish(db, &t, &ending));
	assert_int_equal(number("SELECT COUNT(*) FROM notification"), 1);
	assert_int_equal(
	    number("SELECT job_id FROM notification WHERE state = 'waiting' AND kind = 'job'"), id);
	assert_int_equal(number("SELECT user_id FROM notification"), member_a.user_id);
}

static void without_a_relay_nothing_is_written(void **state)
{
	(void)state;
	(void)end_one(JOB_DONE, (struct outbox_policy){.batch = OUTBOX_SUMMARY});
	assert_int_equal(number("SELECT COUNT(*) FROM notification"), 0);
}

static void a_cancelled_job_mails_nobody(void **state)
{
	(void)state;
	(void)end_one(JOB_CANCELLED, usual);
	assert_int_equal(number("SELECT COUNT(*) FROM notification"), 0);
}

static void a_rescued_job_mails_its_owner(void **state)
{
	struct queue_ending ending = ending_of(JOB_INTERRUPTED);
	struct queue_token t;
	unsigned count;

	(void)state;
	(void)make_job(&member_a, 0, 0);
	(void)claim_next(&t);
	ending.mail = usual;
	assert_ok(store_queue_rescue_worker(db, worker_1, &ending, &count));
	assert_int_equal(count, 1);
	assert_int_equal(mails(), 1);
}

static void who_looks_at_the_list_gets_no_mail(void **state)
{
	struct outbox_status s;
	uint64_t id;

	(void)state;
	assert_ok(store_user_jobs_seen(db, &member_a));
	id = end_one(JOB_DONE, usual);
	assert_int_equal(mails(), 0);
	assert_ok(store_outbox_of_job(db, arena, &member_a, id, &s));
	assert_int_equal(s.state, OUTBOX_SUPPRESSED);
	run_sql("UPDATE user SET jobs_seen_at = UTC_TIMESTAMP(6) - INTERVAL 61 SECOND");
	(void)end_one(JOB_DONE, usual);
	assert_int_equal(mails(), 1);
	assert_ok(store_user_jobs_seen(db, &member_a));
	(void)end_one(JOB_DONE, (struct outbox_policy){.is_on = true, .suppress_s = 0});
	assert_int_equal(mails(), 2);
}

static void a_user_hears_what_they_chose(void **state)
{
	(void)state;
	assert_ok(store_user_set_mail(db, &member_a, false, true));
	(void)end_one(JOB_DONE, usual);
	assert_int_equal(mails(), 0);
	(void)end_one(JOB_INTERRUPTED, usual);
	assert_int_equal(mails(), 1);
	assert_ok(store_user_set_mail(db, &member_a, true, false));
	(void)end_one(JOB_FAILED, usual);
	assert_int_equal(mails(), 1);
	(void)end_one(JOB_DONE, usual);
	assert_int_equal(mails(), 2);
	assert_ok(store_user_set_mail(db, &member_a, false, false));
	(void)end_one(JOB_FAILED, usual);
	assert_int_equal(mails(), 2);
}

static void who_may_not_sign_in_gets_no_mail(void **state)
{
	(void)state;
	run_sql("UPDATE user SET disabled_at = UTC_TIMESTAMP(6)");
	(void)end_one(JOB_FAILED, usual);
	assert_int_equal(number("SELECT COUNT(*) FROM notification"), 0);
}

/* Who came by a panel's link has something that only looks like an address. */
static void an_address_that_nobody_gave_gets_no_mail(void **state)
{
	(void)state;
	run_sql("UPDATE user SET email = 'bob@whmcs.invalid' WHERE email = 'member-a@example.org'");
	(void)end_one(JOB_FAILED, usual);
	assert_int_equal(number("SELECT COUNT(*) FROM notification"), 0);
}

static void a_batch_sends_one_summary_for_each_round(void **state)
{
	uint64_t batch = batch_of(3);
	struct queue_token t;
	uint64_t child, failed;

	(void)state;
	failed = claim_next(&t);
	finish_with(&t, JOB_FAILED, usual);
	(void)claim_next(&t);
	finish_with(&t, JOB_DONE, usual);
	assert_int_equal(number("SELECT COUNT(*) FROM notification"), 0);
	(void)claim_next(&t);
	finish_with(&t, JOB_DONE, usual);
	assert_int_equal(number("SELECT COUNT(*) FROM notification"), 1);
	assert_int_equal(number("SELECT batch_id FROM notification WHERE kind = 'batch'"), batch);
	assert_ok(store_outbox_sweep(db, &usual));
	assert_int_equal(number("SELECT COUNT(*) FROM notification"), 1);

	assert_ok(store_job_rerun(db, &member_a, failed, &(struct job_rerun){0}, &child, NULL));
	assert_int_equal(claim_next(&t), child);
	finish_with(&t, JOB_DONE, usual);
	assert_int_equal(number("SELECT COUNT(*) FROM notification"), 2);
}

static void a_batch_whose_last_job_left_the_queue_is_told_of(void **state)
{
	uint64_t batch = batch_of(2), last;
	enum job_state was;
	struct queue_token t;

	(void)state;
	(void)claim_next(&t);
	finish_with(&t, JOB_DONE, usual);
	assert_ok(store_outbox_sweep(db, &usual));
	assert_int_equal(mails(), 0);
	last = (uint64_t)number("SELECT id FROM job WHERE state = 'queued'");
	assert_ok(store_job_cancel(db, &member_a, last, &was));
	assert_ok(store_outbox_sweep(db, &usual));
	assert_ok(store_outbox_sweep(db, &usual));
	assert_int_equal(mails(), 1);
	assert_int_equal(number("SELECT batch_id FROM notification"), batch);
}

static void a_round_of_nothing_but_cancelled_runs_mails_nobody(void **state)
{
	struct queue_token t;

	(void)state;
	(void)batch_of(1);
	(void)claim_next(&t);
	finish_with(&t, JOB_CANCELLED, usual);
	assert_ok(store_outbox_sweep(db, &usual));
	assert_int_equal(number("SELECT COUNT(*) FROM notification"), 0);
}

static void notify_batch_chooses_each_or_none(void **state)
{
	struct queue_token t;

	(void)state;
	(void)batch_of(3);
	(void)claim_next(&t);
	finish_with(&t, JOB_DONE, (struct outbox_policy){.is_on = true, .batch = OUTBOX_EACH});
	assert_int_equal(number("SELECT COUNT(*) FROM notification WHERE kind = 'job'"), 1);
	(void)claim_next(&t);
	finish_with(&t, JOB_DONE, (struct outbox_policy){.is_on = true, .batch = OUTBOX_OFF});
	(void)claim_next(&t);
	finish_with(&t, JOB_DONE, (struct outbox_policy){.is_on = true, .batch = OUTBOX_OFF});
	assert_int_equal(number("SELECT COUNT(*) FROM notification"), 1);
}

static void what_a_suspended_account_would_get_waits_until_it_is_resumed(void **state)
{
	uint64_t batch = batch_of(2), alone;
	struct outbox_status s;
	struct outbox_mail m;
	struct queue_token t[2];

	(void)state;
	(void)claim_next(&t[0]);
	(void)claim_next(&t[1]);
	assert_ok(store_account_suspend(db, &installation, member_a.account_id, true));
	finish_with(&t[0], JOB_CANCELLED, usual);
	/* it was over before it could be stopped */
	finish_with(&t[1], JOB_DONE, usual);
	assert_int_equal(store_outbox_claim(db, arena, 300, 0, &m), ERR_NOT_FOUND);
	assert_ok(store_outbox_of_batch(db, arena, &installation, batch, &s));
	assert_true(s.is_held);
	alone = end_one_of(&member_b, JOB_FAILED, usual);
	assert_ok(store_outbox_claim(db, arena, 300, 0, &m));
	assert_int_equal(m.job_id, alone);
	assert_ok(store_account_suspend(db, &installation, member_a.account_id, false));
	assert_ok(store_outbox_claim(db, arena, 300, 0, &m));
	assert_int_equal(m.batch_id, batch);
	assert_ok(store_outbox_of_batch(db, arena, &installation, batch, &s));
	assert_false(s.is_held);
}

/* As if its request had been cut short there. */
static void run_first_hundred(uint64_t bulk_id)
{
	assert_ok(store_bulk_run(db, &member_a, bulk_id, 60000));
	run_sql("DELETE j FROM job j JOIN bulk_job r ON r.other_job_id = j.id WHERE r.n > 100");
	run_sql("UPDATE bulk_job SET outcome = NULL, other_job_id = NULL WHERE n > 100");
	run_sql("UPDATE bulk SET done = 100, finished_at = NULL");
}

static void a_batch_is_not_summed_up_between_two_hundreds_of_a_bulk_action(void **state)
{
	enum { JOBS = 150 };
	const uint8_t key[JOB_REQUEST_KEY_BYTES] = "bulk";
	const struct bulk_question q = {.action = BULK_RUN_REAL, .request_key = key};
	struct queue_token t;
	uint64_t id;

	(void)state;
	(void)batch_of(JOBS);
	run_sql("UPDATE job SET state = 'done', finished_at = UTC_TIMESTAMP(6)");
	assert_ok(store_bulk_ask(db, &member_a, &q, &id));
	run_first_hundred(id);
	run_sql("UPDATE job SET state = 'done', finished_at = UTC_TIMESTAMP(6) WHERE state = 'queued' ORDER "
		"BY id LIMIT 99");
	(void)claim_next(&t);
	finish_with(&t, JOB_DONE, usual);
	assert_ok(store_outbox_sweep(db, &usual));
	assert_int_equal(number("SELECT COUNT(*) FROM notification"), 0);
	assert_ok(store_bulk_run(db, &member_a, id, 10000));
	run_sql("UPDATE job SET state = 'done', finished_at = UTC_TIMESTAMP(6) WHERE state = 'queued' ORDER "
		"BY id LIMIT 49");
	(void)claim_next(&t);
	finish_with(&t, JOB_DONE, usual);
	assert_int_equal(number("SELECT COUNT(*) FROM notification WHERE kind = 'batch'"), 1);
}

static void a_bulk_action_that_nobody_goes_on_with_holds_no_summary_for_ever(void **state)
{
	const uint8_t key[JOB_REQUEST_KEY_BYTES] = "bulk";
	const struct bulk_question q = {.action = BULK_RUN_REAL, .request_key = key};
	struct queue_token t;
	uint64_t id;

	(void)state;
	(void)batch_of(101);
	run_sql("UPDATE job SET state = 'done', finished_at = UTC_TIMESTAMP(6)");
	assert_ok(store_bulk_ask(db, &member_a, &q, &id));
	run_first_hundred(id);
	run_sql("UPDATE job SET state = 'done', finished_at = UTC_TIMESTAMP(6) WHERE state = 'queued' ORDER "
		"BY id LIMIT 99");
	(void)claim_next(&t);
	finish_with(&t, JOB_DONE, usual);
	assert_int_equal(number("SELECT COUNT(*) FROM notification"), 0);
	run_sql("UPDATE bulk SET touched_at = UTC_TIMESTAMP(6) - INTERVAL 61 SECOND");
	assert_ok(store_outbox_sweep(db, &usual));
	assert_int_equal(number("SELECT COUNT(*) FROM notification WHERE kind = 'batch'"), 1);
}

static void an_account_gets_so_many_mails_an_hour_and_the_rest_later(void **state)
{
	struct outbox_mail m;
	uint64_t other;

	(void)state;
	for (int i = 0; i < 4; i++)
		(void)end_one(JOB_FAILED, usual);
	for (int i = 0; i < 2; i++) {
		assert_ok(store_outbox_claim(db, arena, 300, 2, &m));
		assert_ok(store_outbox_sent(db, &m));
	}
	other = end_one_of(&member_b, JOB_FAILED, usual);
	assert_ok(store_outbox_claim(db, arena, 300, 2, &m));
	assert_int_equal(m.job_id, other);
	assert_int_equal(store_outbox_claim(db, arena, 300, 2, &m), ERR_NOT_FOUND);
	assert_int_equal(number("SELECT COUNT(*) FROM notification WHERE state = 'waiting' AND next_at >"
				" UTC_TIMESTAMP(6) + INTERVAL 59 MINUTE"),
	    2);
	/* an hour later */
	run_sql("UPDATE notification SET sent_at = sent_at - INTERVAL 1 HOUR, next_at = next_at - INTERVAL 1 "
		"HOUR");
	for (int i = 0; i < 2; i++)
		assert_ok(store_outbox_claim(db, arena, 300, 2, &m));
}

struct finisher {
	struct db *db;
	struct queue_token token;
	pthread_barrier_t *start;
	enum err e;
};

static void *finish_at_once(void *arg)
{
	struct finisher *f = arg;
	struct queue_ending ending = ending_of(JOB_DONE);

	ending.mail = usual;
	(void)pthread_barrier_wait(f->start);
	f->e = store_queue_finish(f->db, &f->token, &ending);
	return NULL;
}

static void two_last_jobs_ending_at_once_make_one_summary(void **state)
{
	enum { ROUNDS = 50 };
	struct finisher f[2] = {{.db = fixture_connect(NULL)}, {.db = fixture_connect(NULL)}};
	pthread_barrier_t start;

	(void)state;
	(void)pthread_barrier_init(&start, NULL, 2);
	for (int round = 0; round < ROUNDS; round++) {
		pthread_t threads[2];

		run_sql("DELETE FROM job");
		run_sql("DELETE FROM notification");
		run_sql("DELETE FROM batch");
		(void)batch_of(2);
		for (size_t i = 0; i < 2; i++) {
			(void)claim_next(&f[i].token);
			f[i].start = &start;
		}
		for (size_t i = 0; i < 2; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, finish_at_once, &f[i]), 0);
		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(pthread_join(threads[i], NULL), 0);
			assert_ok(f[i].e);
		}
		assert_int_equal(number("SELECT COUNT(*) FROM notification"), 1);
	}
	(void)pthread_barrier_destroy(&start);
	db_close(&f[0].db);
	db_close(&f[1].db);
}

static void a_mail_is_leased_to_one_notifier(void **state)
{
	struct db *other = fixture_connect(NULL);
	struct outbox_mail one, two;
	uint64_t id = end_one(JOB_FAILED, usual);

	(void)state;
	assert_ok(store_outbox_claim(db, arena, 300, 0, &one));
	assert_int_equal(one.job_id, id);
	assert_int_equal(one.batch_id, 0);
	assert_int_equal(one.attempts, 1);
	assert_string_equal(one.to, "member-a@example.org");
	assert_int_equal(store_outbox_claim(other, arena, 300, 0, &two), ERR_NOT_FOUND);
	/* its notifier died */
	run_sql("UPDATE notification SET next_at = UTC_TIMESTAMP(6)");
	assert_ok(store_outbox_claim(other, arena, 300, 0, &two));
	assert_int_equal(two.attempts, 2);
	assert_true(one.created_us == two.created_us);
	assert_int_equal(store_outbox_sent(db, &one), ERR_LOST);
	assert_ok(store_outbox_sent(other, &two));
	assert_int_equal(store_outbox_claim(db, arena, 300, 0, &one), ERR_NOT_FOUND);
	db_close(&other);
}

static void what_became_of_a_mail_is_kept(void **state)
{
	struct outbox_status s;
	struct outbox_mail m;
	uint64_t id = end_one(JOB_FAILED, usual);

	(void)state;
	assert_ok(store_outbox_claim(db, arena, 300, 0, &m));
	assert_ok(store_outbox_later(db, &m, 60, "no answer\r\nBcc: x"));
	assert_ok(store_outbox_of_job(db, arena, &member_a, id, &s));
	assert_int_equal(s.state, OUTBOX_WAITING);
	assert_string_equal(s.last_error, "no answer??Bcc: x");
	assert_int_equal(store_outbox_claim(db, arena, 300, 0, &m), ERR_NOT_FOUND);
	run_sql("UPDATE notification SET next_at = UTC_TIMESTAMP(6)");
	assert_ok(store_outbox_claim(db, arena, 300, 0, &m));
	assert_ok(store_outbox_failed(db, &m, "550 no such user"));
	assert_ok(store_outbox_of_job(db, arena, &member_a, id, &s));
	assert_int_equal(s.state, OUTBOX_FAILED);
	assert_string_equal(
	    text("SELECT detail FROM job_event WHERE kind = 'mail_failed'"), "550 no such user");
	assert_int_equal(store_outbox_of_job(db, arena, &member_b, id, &s), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(an_ended_job_has_one_mail),
	    STORE_TEST(without_a_relay_nothing_is_written),
	    STORE_TEST(a_cancelled_job_mails_nobody),
	    STORE_TEST(a_rescued_job_mails_its_owner),
	    STORE_TEST(who_looks_at_the_list_gets_no_mail),
	    STORE_TEST(a_user_hears_what_they_chose),
	    STORE_TEST(who_may_not_sign_in_gets_no_mail),
	    STORE_TEST(an_address_that_nobody_gave_gets_no_mail),
	    STORE_TEST(a_batch_sends_one_summary_for_each_round),
	    STORE_TEST(a_batch_whose_last_job_left_the_queue_is_told_of),
	    STORE_TEST(a_round_of_nothing_but_cancelled_runs_mails_nobody),
	    STORE_TEST(notify_batch_chooses_each_or_none),
	    STORE_TEST(what_a_suspended_account_would_get_waits_until_it_is_resumed),
	    STORE_TEST(a_batch_is_not_summed_up_between_two_hundreds_of_a_bulk_action),
	    STORE_TEST(a_bulk_action_that_nobody_goes_on_with_holds_no_summary_for_ever),
	    STORE_TEST(an_account_gets_so_many_mails_an_hour_and_the_rest_later),
	    STORE_TEST(two_last_jobs_ending_at_once_make_one_summary),
	    STORE_TEST(a_mail_is_leased_to_one_notifier),
	    STORE_TEST(what_became_of_a_mail_is_kept),
	};

	return FIXTURE_RUN(tests);
}
