/* Whose job comes next: first come, first served within an account, round and round between accounts, at a
 * cost that does not grow with the queue. */
#include "tests/store/fixture.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "lib/clock.h"
#include "sql/store_account.h"

/* count queued jobs of an account, one second older for each of the younger_s. */
static void queue_up(uint64_t account_id, unsigned count, unsigned younger_s)
{
	run_sql(arena_printf(arena,
	    "INSERT INTO job (account_id, dry_run, src_server_name, src_host, src_port, src_security, "
	    "src_verify, src_user, src_sealed, dst_server_name, dst_host, dst_port, dst_security, dst_verify,"
	    " dst_user, dst_sealed, state, queued_at, updated_at) SELECT %lu, 1, 's', 'h', 993, 'tls', 1,"
	    " CONCAT('u', seq), 's', 'd', 'h', 993, 'tls', 1, CONCAT('u', seq, '@', %lu), 'd', 'queued',"
	    " UTC_TIMESTAMP(6) - INTERVAL 1 DAY + INTERVAL %u SECOND, UTC_TIMESTAMP(6) FROM seq_1_to_%u",
	    account_id, account_id, younger_s, count));
}

static uint64_t account_of(uint64_t job_id)
{
	return (uint64_t)number(arena_printf(arena, "SELECT account_id FROM job WHERE id = %lu", job_id));
}

static void end_next(uint64_t *account_r)
{
	struct queue_token t;

	*account_r = account_of(claim_next(&t));
	finish_as(&t, JOB_DONE);
}

static void within_an_account_jobs_start_in_the_order_they_were_queued(void **state)
{
	uint64_t before = 0;

	(void)state;
	queue_up(member_a.account_id, 20, 0);
	for (int i = 0; i < 20; i++) {
		struct queue_token t;
		uint64_t id = claim_next(&t);

		assert_true(id > before);
		before = id;
		finish_as(&t, JOB_DONE);
	}
}

static void a_long_queue_of_one_account_keeps_no_other_waiting(void **state)
{
	uint64_t account;

	(void)state;
	queue_up(member_a.account_id, 10000, 0);
	end_next(&account);
	assert_int_equal(account, member_a.account_id);
	queue_up(member_b.account_id, 3, 3600);
	for (int i = 0; i < 3; i++) {
		end_next(&account);
		assert_int_equal(account, member_b.account_id);
		end_next(&account);
		assert_int_equal(account, member_a.account_id);
	}
	end_next(&account);
	assert_int_equal(account, member_a.account_id);
}

static void an_account_has_two_slots_only_while_nobody_else_waits(void **state)
{
	struct queue_token first, second, third, fourth;

	(void)state;
	queue_up(member_a.account_id, 10, 0);
	assert_int_equal(account_of(claim_next(&first)), member_a.account_id);
	assert_int_equal(account_of(claim_next(&second)), member_a.account_id);
	queue_up(member_b.account_id, 10, 3600);
	finish_as(&first, JOB_DONE);
	assert_int_equal(account_of(claim_next(&third)), member_b.account_id);
	/* B was served last, and yet A, which has one running, waits for it. */
	run_sql(arena_printf(arena,
	    "UPDATE account_turn SET claimed_at = '2020-01-01' WHERE account_id = %lu", member_a.account_id));
	finish_as(&third, JOB_DONE);
	assert_int_equal(account_of(claim_next(&fourth)), member_b.account_id);
	assert_consistent();
}

static enum err claim_in(struct db *by, struct arena *a)
{
	struct queue_token t;
	struct queue_job j;

	queue_token_new(&t);
	return store_queue_claim(by, a, worker_1, 60, &t, &j);
}

static enum err claim_on(struct db *by)
{
	return claim_in(by, arena);
}

struct claimer {
	struct db *db;
	enum err e;
};

static void *claim_at_once(void *ctx)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct claimer *c = ctx;

	c->e = claim_in(c->db, a);
	return NULL;
}

static void no_more_run_than_the_account_may(void **state)
{
	struct queue_token first, second, other;
	unsigned slots;

	(void)state;
	assert_ok(store_queue_slots_set(db, 5, &slots));
	run_sql(
	    arena_printf(arena, "UPDATE account SET max_running = 2 WHERE id = %lu", member_a.account_id));
	queue_up(member_a.account_id, 10, 0);
	assert_int_equal(account_of(claim_next(&first)), member_a.account_id);
	assert_int_equal(account_of(claim_next(&second)), member_a.account_id);
	assert_int_equal(claim_on(db), ERR_NOT_FOUND);
	/* others have the slots that are free */
	queue_up(member_b.account_id, 1, 3600);
	assert_int_equal(account_of(claim_next(&other)), member_b.account_id);
	assert_int_equal(claim_on(db), ERR_NOT_FOUND);
	finish_as(&first, JOB_DONE);
	assert_int_equal(account_of(claim_next(&first)), member_a.account_id);
	assert_int_equal(claim_on(db), ERR_NOT_FOUND);
	run_sql("UPDATE account SET max_running = NULL");
	assert_int_equal(account_of(claim_next(&other)), member_a.account_id);
	assert_consistent();
}

/* Both have read that one more may run; the second waits for the first, and looks again. */
static void of_two_who_claim_at_once_one_gets_the_last_that_may_run(void **state)
{
	struct db *second = fixture_connect(NULL);
	struct claimer c = {.db = second};
	struct queue_token t;
	pthread_t thread;
	unsigned slots;

	(void)state;
	assert_ok(store_queue_slots_set(db, 5, &slots));
	run_sql(
	    arena_printf(arena, "UPDATE account SET max_running = 2 WHERE id = %lu", member_a.account_id));
	queue_up(member_a.account_id, 10, 0);
	(void)claim_next(&t);
	/* as if this one had claimed, and not committed yet */
	assert_ok(db_begin(db));
	run_sql("UPDATE run_slot SET job_id = (SELECT MAX(id) FROM job), claim_token = 'x' WHERE job_id IS "
		"NULL ORDER BY n DESC "
		"LIMIT 1");
	run_sql("UPDATE job SET state = 'running', claim_token = 'x', worker_id = 1, lease_until = "
		"UTC_TIMESTAMP(6) +"
		" INTERVAL 1 MINUTE, started_at = UTC_TIMESTAMP(6) WHERE state = 'queued' ORDER BY id DESC "
		"LIMIT 1");
	run_sql("UPDATE account_turn SET claimed_at = UTC_TIMESTAMP(6)");
	assert_int_equal(pthread_create(&thread, NULL, claim_at_once, &c), 0);
	while (
	    number("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'") == 0)
		(void)poll(NULL, 0, 150);
	assert_ok(db_commit(db));
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_not_equal(c.e, ERR_OK);
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE state = 'running'"), 2);
	db_close(&second);
}

static void who_removes_what_has_ended_is_not_served_before_others(void **state)
{
	uint64_t account, served_b = 0;

	(void)state;
	queue_up(member_a.account_id, 10, 0);
	queue_up(member_b.account_id, 10, 3600);
	for (int i = 0; i < 10; i++) {
		end_next(&account);
		served_b += account == member_b.account_id;
		run_sql(arena_printf(
		    arena, "DELETE FROM job WHERE state = 'done' AND account_id = %lu", member_a.account_id));
	}
	assert_int_equal(served_b, 5);
}

static void many_accounts_are_served_one_after_the_other(void **state)
{
	enum { ACCOUNTS = 40 };
	uint64_t ids[ACCOUNTS], account;

	(void)state;
	for (unsigned i = 0; i < ACCOUNTS; i++) {
		assert_ok(store_account_create(db, arena_printf(arena, "customer %u", i), &ids[i]));
		queue_up(ids[i], 3, i);
	}
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < ACCOUNTS; i++) {
			end_next(&account);
			assert_int_equal(account, ids[i]);
		}
}

/* Rows this connection has read from indexes and tables so far. */
static int64_t rows_read(void)
{
	return number("SELECT SUM(variable_value) FROM information_schema.session_status"
		      " WHERE variable_name LIKE 'HANDLER_READ%'");
}

/* The same of one claim, the counting itself taken off. */
static int64_t rows_read_by_a_claim(void)
{
	struct queue_token t;
	int64_t counting = rows_read(), before = rows_read(), after;

	counting = before - counting;
	(void)claim_next(&t);
	after = rows_read();
	finish_as(&t, JOB_DONE);
	return after - before - counting;
}

static void a_claim_reads_no_more_from_a_long_queue_than_from_a_short_one(void **state)
{
	enum { TIMES = 100 };
	int64_t few, many;
	mono_time begun;
	uint64_t account;

	(void)state;
	queue_up(member_a.account_id, 20, 0);
	queue_up(member_b.account_id, 20, 0);
	(void)rows_read_by_a_claim();
	few = rows_read_by_a_claim();
	queue_up(member_a.account_id, 10000, 0);
	queue_up(member_b.account_id, 10000, 0);
	run_sql(
	    "INSERT INTO job (account_id, dry_run, src_server_name, src_host, src_port, src_security,"
	    " src_verify, src_user, src_sealed, dst_server_name, dst_host, dst_port, dst_security,"
	    " dst_verify, dst_user, dst_sealed, state, queued_at, finished_at, reason, updated_at)"
	    " SELECT account_id, dry_run, src_server_name, src_host, src_port, src_security, src_verify,"
	    " src_user, src_sealed, dst_server_name, dst_host, dst_port, dst_security, dst_verify, dst_user,"
	    " dst_sealed, 'done', queued_at, UTC_TIMESTAMP(6), 'test', UTC_TIMESTAMP(6) FROM job");
	(void)text("ANALYZE TABLE job");
	many = rows_read_by_a_claim();
	print_message("# rows read by a claim: %ld of 40 queued, %ld of 20,000\n", few, many);
	begun = mono_now();
	for (int i = 0; i < TIMES; i++)
		end_next(&account);
	print_message("# a claim and an end: %.2f ms\n", (double)mono_diff_ms(begun, mono_now()) / TIMES);
	assert_in_range(many, 1, few + 10);
	assert_in_range(many, 1, 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(within_an_account_jobs_start_in_the_order_they_were_queued),
	    STORE_TEST(a_long_queue_of_one_account_keeps_no_other_waiting),
	    STORE_TEST(an_account_has_two_slots_only_while_nobody_else_waits),
	    STORE_TEST(no_more_run_than_the_account_may),
	    STORE_TEST(of_two_who_claim_at_once_one_gets_the_last_that_may_run),
	    STORE_TEST(who_removes_what_has_ended_is_not_served_before_others),
	    STORE_TEST(many_accounts_are_served_one_after_the_other),
	    STORE_TEST(a_claim_reads_no_more_from_a_long_queue_than_from_a_short_one),
	};

	return FIXTURE_RUN(tests);
}
