/* Where mails about an account's jobs and batches go. */
#include "tests/store/fixture.h"

#include "sql/store_account.h"
#include "sql/store_batch.h"
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

static void set_notify_email(const char *email)
{
	struct account_fields f = {.name = "A", .max_queued = -1, .max_daily = -1, .notify_email = email};
	uint64_t id = member_a.account_id;

	assert_ok(store_account_save(db, &installation, &id, &f));
}

static void mails_go_to_the_address_the_account_has_when_they_are_sent(void **state)
{
	struct outbox_status s;
	struct outbox_mail m;
	struct queue_token t;
	uint64_t job = end_one(JOB_FAILED, usual), batch, alone;

	(void)state;
	set_notify_email("late@example.org");
	assert_ok(store_outbox_of_job(db, arena, &member_a, job, &s));
	assert_string_equal(s.to, "late@example.org");
	assert_ok(store_outbox_claim(db, arena, 300, 0, &m));
	assert_string_equal(m.to, "late@example.org");
	assert_ok(store_outbox_sent(db, &m));
	batch = batch_of(1);
	(void)claim_next(&t);
	finish_with(&t, JOB_DONE, usual);
	set_notify_email("ops@example.org");
	assert_ok(store_outbox_of_job(db, arena, &member_a, job, &s));
	assert_string_equal(s.to, "late@example.org");
	assert_ok(store_outbox_of_batch(db, arena, &member_a, batch, &s));
	assert_string_equal(s.to, "ops@example.org");
	assert_ok(store_outbox_claim(db, arena, 300, 0, &m));
	assert_int_equal(m.batch_id, batch);
	assert_string_equal(m.to, "ops@example.org");
	assert_int_equal(store_outbox_claim(db, arena, 300, 0, &m), ERR_NOT_FOUND);
	/* another account's stay with their owner */
	alone = end_one_of(&member_b, JOB_FAILED, usual);
	assert_ok(store_outbox_claim(db, arena, 300, 0, &m));
	assert_int_equal(m.job_id, alone);
	assert_string_equal(m.to, "member-b@example.org");
}

static void the_owners_wishes_hold_for_the_accounts_address(void **state)
{
	struct outbox_status s;
	uint64_t id;

	(void)state;
	set_notify_email("ops@example.org");
	assert_ok(store_user_set_mail(db, &member_a, false, true));
	(void)end_one(JOB_DONE, usual);
	assert_int_equal(mails(), 0);
	assert_ok(store_user_jobs_seen(db, &member_a));
	id = end_one(JOB_FAILED, usual);
	assert_int_equal(mails(), 0);
	assert_ok(store_outbox_of_job(db, arena, &member_a, id, &s));
	assert_int_equal(s.state, OUTBOX_SUPPRESSED);
	assert_string_equal(s.to, "member-a@example.org");
}

static void owners_without_an_address_have_the_accounts_as_long_as_there_is_one(void **state)
{
	struct outbox_status s;
	struct outbox_mail m;
	uint64_t id;

	(void)state;
	run_sql("UPDATE user SET email = 'bob@whmcs.invalid' WHERE email = 'member-a@example.org'");
	set_notify_email("ops@example.org");
	id = end_one(JOB_FAILED, usual);
	set_notify_email(NULL);
	assert_int_equal(store_outbox_claim(db, arena, 300, 0, &m), ERR_NOT_FOUND);
	assert_ok(store_outbox_of_job(db, arena, &member_a, id, &s));
	assert_true(s.is_held);
	set_notify_email("ops@example.org");
	assert_ok(store_outbox_claim(db, arena, 300, 0, &m));
	assert_string_equal(m.to, "ops@example.org");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(mails_go_to_the_address_the_account_has_when_they_are_sent),
	    STORE_TEST(the_owners_wishes_hold_for_the_accounts_address),
	    STORE_TEST(owners_without_an_address_have_the_accounts_as_long_as_there_is_one),
	};

	return FIXTURE_RUN(tests);
}
