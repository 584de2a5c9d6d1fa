/* Mailboxes on their way: between the same two, one job runs at a time, and no second one is asked for. */
#include "tests/store/fixture.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "sql/store_bulk.h"
#include "sql/store_import.h"
#include "sql/store_server.h"

enum { ROUNDS = 40 };

static uint64_t queue_at(const struct viewer *v, const char *src_user, uint64_t source)
{
	const struct job_new n = {.src_server_id = source,
	    .dst_server_id = server_shared,
	    .src_user = src_user,
	    .dst_user = "new@example.org",
	    .src_sealed = {"s", 1},
	    .dst_sealed = {"d", 1}};
	uint64_t id;

	assert_ok(store_job_create(db, v, &n, &id, NULL));
	return id;
}

static uint64_t queue(const struct viewer *v, const char *src_user)
{
	return queue_at(v, src_user, server_shared);
}

static enum err claim(struct db *on, struct queue_token *t)
{
	struct queue_job job;

	queue_token_new(t);
	return store_queue_claim(on, arena, worker_1, 60, t, &job);
}

static uint64_t end_one(const char *src_user)
{
	struct queue_token t;
	uint64_t id = queue(&member_a, src_user);

	assert_int_equal(claim_next(&t), id);
	finish_as(&t, JOB_DONE);
	return id;
}

static int64_t on_their_way(void)
{
	return number("SELECT COUNT(*) FROM job WHERE state IN ('queued', 'running')");
}

static void a_second_job_of_the_same_mailboxes_waits_for_the_first(void **state)
{
	struct queue_token t, u;
	uint64_t first = queue(&member_a, "old@example.org"), second = queue(&member_a, "OLD@example.org");
	uint64_t theirs = queue(&member_b, "old@example.org");

	(void)state;
	assert_int_equal(claim_next(&t), first);
	assert_int_equal(claim(db, &u), ERR_BUSY);
	finish_as(&t, JOB_FAILED);
	/* the mailbox does not know whose customer asks; it is B's turn */
	assert_int_equal(claim_next(&t), theirs);
	assert_int_equal(claim(db, &u), ERR_BUSY);
	finish_as(&t, JOB_DONE);
	assert_int_equal(claim_next(&t), second);
	assert_consistent();
}

static void jobs_that_wait_for_their_mailboxes_let_others_pass(void **state)
{
	struct queue_token t;
	uint64_t other;

	(void)state;
	for (int i = 0; i < 20; i++)
		(void)queue(&member_a, "old@example.org");
	other = queue(&member_a, "other@example.org");
	(void)claim_next(&t);
	assert_int_equal(claim_next(&t), other);
}

static void a_server_that_became_another_does_not_let_a_second_one_in(void **state)
{
	const struct server_fields f = {.name = "of A",
	    .host = "imap.elsewhere.org",
	    .port = 993,
	    .security = SECURITY_TLS,
	    .verify = true};
	struct server_fields same = f;
	struct queue_token t, u;
	uint64_t second;

	(void)state;
	same.host = "imap.example.org";
	assert_ok(store_server_update(db, &member_a, server_a, &f));
	(void)queue(&member_a, "old@example.org");
	second = queue_at(&member_a, "old@example.org", server_a);
	assert_ok(store_server_update(db, &member_a, server_a, &same));
	(void)claim_next(&t);
	assert_int_equal(claim(db, &u), ERR_BUSY);
	assert_int_equal(state_of(second), JOB_QUEUED);
	finish_as(&t, JOB_DONE);
	assert_int_equal(claim_next(&t), second);
	assert_consistent();
}

static void an_edit_is_refused_while_its_mailboxes_are_on_their_way(void **state)
{
	const struct job_credentials k = {.src_user = "Busy@example.org"};
	uint64_t busy = queue(&member_a, "busy@example.org"), other = 0, again;
	uint64_t id = queue(&member_a, "old@example.org"), ended;
	struct queue_token t;
	struct job j;

	(void)state;
	assert_int_equal(store_job_edit(db, &member_a, id, &k, &other), ERR_CONFLICT);
	assert_int_equal(other, busy);
	assert_ok(store_job_get(db, arena, &member_a, id, &j));
	assert_string_equal(j.source.user, "old@example.org");
	assert_int_equal(claim_next(&t), busy);
	assert_int_equal(store_job_edit(db, &member_a, id, &k, &other), ERR_CONFLICT);
	assert_int_equal(other, busy);
	assert_int_equal(store_job_edit(db, &member_a, busy, &k, &other), ERR_CONFLICT);
	assert_int_equal(other, 0);
	/* what has ended is in nobody's way, until it is to run again */
	finish_as(&t, JOB_DONE);
	assert_ok(store_job_edit(db, &member_a, id, &k, &other));
	ended = busy;
	assert_int_equal(
	    store_job_rerun(db, &member_a, ended, &(struct job_rerun){0}, &again, NULL), ERR_CONFLICT);
	assert_ok(store_job_edit(db, &member_a, ended, &k, NULL));
}

/* What two people do at the same moment, each on a connection of their own. */
struct deed {
	struct db *db;
	enum err (*act)(struct deed *d);
	uint64_t id;
	pthread_barrier_t *start;
	struct queue_token token;
	enum err e;
};

static void *act_at_once(void *arg)
{
	struct deed *d = arg;

	(void)pthread_barrier_wait(d->start);
	d->e = d->act(d);
	return NULL;
}

static void both(struct deed d[2])
{
	pthread_barrier_t start;
	pthread_t threads[2];

	(void)pthread_barrier_init(&start, NULL, 2);
	for (size_t i = 0; i < 2; i++) {
		d[i].start = &start;
		assert_int_equal(pthread_create(&threads[i], NULL, act_at_once, &d[i]), 0);
	}
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	(void)pthread_barrier_destroy(&start);
}

static enum err claim_it(struct deed *d)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct queue_job job;

	queue_token_new(&d->token);
	return store_queue_claim(d->db, a, worker_1, 60, &d->token, &job);
}

static enum err rerun_it(struct deed *d)
{
	uint64_t id;

	return store_job_rerun(d->db, &member_a, d->id, &(struct job_rerun){0}, &id, NULL);
}

static enum err edit_it(struct deed *d)
{
	const struct job_credentials k = {.src_user = "same@example.org"};

	return store_job_edit(d->db, &member_a, d->id, &k, NULL);
}

static enum err run_bulk(struct deed *d)
{
	return store_bulk_run(d->db, &member_a, d->id, 10000);
}

static void two_claims_at_the_same_moment_begin_one_job(void **state)
{
	struct deed d[2] = {
	    {.db = fixture_connect(NULL), .act = claim_it}, {.db = fixture_connect(NULL), .act = claim_it}};

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		(void)queue(&member_a, "old@example.org");
		(void)queue(&member_b, "old@example.org");
		both(d);
		assert_int_equal((d[0].e == ERR_OK) + (d[1].e == ERR_OK), 1);
		assert_int_equal(number("SELECT COUNT(*) FROM job WHERE state = 'running'"), 1);
		assert_consistent();
		finish_as(&d[d[0].e == ERR_OK ? 0 : 1].token, JOB_DONE);
		run_sql("DELETE FROM job");
	}
	db_close(&d[0].db);
	db_close(&d[1].db);
}

static void who_chose_before_the_other_had_committed_is_stopped_by_the_key(void **state)
{
	uint64_t first = queue(&member_a, "old@example.org"), second = queue(&member_a, "old@example.org");
	struct deed d = {.db = fixture_connect(NULL), .act = claim_it};
	pthread_barrier_t start;
	pthread_t thread;

	(void)state;
	assert_ok(db_begin(db));
	assert_ok(db_exec(db,
	    "UPDATE job SET state = 'running', claim_token = RANDOM_BYTES(16), worker_id = ?, started_at ="
	    " UTC_TIMESTAMP(6), lease_until = UTC_TIMESTAMP(6) + INTERVAL 1 MINUTE WHERE id = ?",
	    DB_ARGS(db_p_u64(worker_1), db_p_u64(first)), NULL));
	(void)pthread_barrier_init(&start, NULL, 1);
	d.start = &start;
	assert_int_equal(pthread_create(&thread, NULL, act_at_once, &d), 0);
	/* it saw both in the queue, and waits for the first one's row; the server renews this view only when
	 * nobody has read it for a tenth of a second */
	while (
	    number("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'") == 0)
		(void)poll(NULL, 0, 150);
	assert_ok(db_commit(db));
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(d.e, ERR_BUSY);
	assert_int_equal(state_of(second), JOB_QUEUED);
	(void)pthread_barrier_destroy(&start);
	db_close(&d.db);
}

static void two_reruns_at_the_same_moment_queue_one_job(void **state)
{
	struct deed d[2] = {
	    {.db = fixture_connect(NULL), .act = rerun_it}, {.db = fixture_connect(NULL), .act = rerun_it}};

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		/* of one job at times, of two runs of the same mailboxes at others */
		d[0].id = d[1].id = end_one("old@example.org");
		if (round % 2 != 0)
			d[1].id = end_one("old@example.org");
		both(d);
		assert_int_equal((d[0].e == ERR_OK) + (d[1].e == ERR_OK), 1);
		assert_int_equal((d[0].e == ERR_CONFLICT) + (d[1].e == ERR_CONFLICT), 1);
		assert_int_equal(on_their_way(), 1);
		run_sql("DELETE FROM job");
	}
	db_close(&d[0].db);
	db_close(&d[1].db);
}

static void two_edits_at_the_same_moment_do_not_meet(void **state)
{
	struct deed d[2] = {
	    {.db = fixture_connect(NULL), .act = edit_it}, {.db = fixture_connect(NULL), .act = edit_it}};

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		d[0].id = queue(&member_a, "one@example.org");
		d[1].id = queue(&member_a, "two@example.org");
		both(d);
		assert_int_equal((d[0].e == ERR_OK) + (d[1].e == ERR_OK), 1);
		assert_int_equal((d[0].e == ERR_CONFLICT) + (d[1].e == ERR_CONFLICT), 1);
		assert_int_equal(number("SELECT COUNT(*) FROM job WHERE src_user = 'same@example.org'"), 1);
		run_sql("DELETE FROM job");
	}
	db_close(&d[0].db);
	db_close(&d[1].db);
}

static void a_bulk_action_and_a_rerun_at_the_same_moment_queue_one_job(void **state)
{
	struct deed d[2] = {
	    {.db = fixture_connect(NULL), .act = run_bulk}, {.db = fixture_connect(NULL), .act = rerun_it}};

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		const uint8_t key[JOB_REQUEST_KEY_BYTES] = {(uint8_t)round};
		const struct bulk_question q = {.action = BULK_RUN_REAL, .picked = true, .request_key = key};

		d[1].id = end_one("old@example.org");
		for (int i = 0; i < 5; i++)
			(void)end_one(arena_printf(arena, "of-%d@example.org", i));
		assert_ok(store_bulk_ask(db, &member_a, &q, &d[0].id));
		both(d);
		assert_ok(d[0].e);
		assert_true(d[1].e == ERR_OK || d[1].e == ERR_CONFLICT);
		assert_int_equal(on_their_way(), 6);
		assert_int_equal(
		    number("SELECT COUNT(DISTINCT mailboxes) FROM job WHERE state = 'queued'"), 6);
		run_sql("DELETE FROM job");
	}
	db_close(&d[0].db);
	db_close(&d[1].db);
}

static void an_import_is_refused_what_was_queued_by_another_name_of_the_server(void **state)
{
	const struct import_row row = {.line = 2,
	    .dry_run = -1,
	    .src_server_id = server_a,
	    .dst_server_id = server_shared,
	    .src_user = "Old@example.org",
	    .dst_user = "new@example.org",
	    .src_sealed = {"s", 1},
	    .dst_sealed = {"d", 1}};
	struct import_writer *w;
	enum import_outcome outcome;
	uint64_t id, batch, queued;
	enum job_state was;

	(void)state;
	assert_ok(store_import_begin(db, &member_a, NULL, &w));
	assert_ok(store_import_add(w, &row));
	assert_ok(store_import_end(&w, &id));
	queued = queue(&member_a, "old@example.org");
	assert_ok(store_import_confirm(db, &member_a, id, "Move", true, false, &outcome, &batch));
	assert_int_equal(outcome, IMPORT_QUEUED_ELSEWHERE);
	assert_int_equal(number("SELECT COUNT(*) FROM batch"), 0);
	assert_ok(store_job_cancel(db, &member_a, queued, &was));
	assert_ok(store_import_confirm(db, &member_a, id, "Move", true, false, &outcome, &batch));
	assert_int_equal(outcome, IMPORT_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(a_second_job_of_the_same_mailboxes_waits_for_the_first),
	    STORE_TEST(jobs_that_wait_for_their_mailboxes_let_others_pass),
	    STORE_TEST(a_server_that_became_another_does_not_let_a_second_one_in),
	    STORE_TEST(an_edit_is_refused_while_its_mailboxes_are_on_their_way),
	    STORE_TEST(two_claims_at_the_same_moment_begin_one_job),
	    STORE_TEST(who_chose_before_the_other_had_committed_is_stopped_by_the_key),
	    STORE_TEST(two_reruns_at_the_same_moment_queue_one_job),
	    STORE_TEST(two_edits_at_the_same_moment_do_not_meet),
	    STORE_TEST(a_bulk_action_and_a_rerun_at_the_same_moment_queue_one_job),
	    STORE_TEST(an_import_is_refused_what_was_queued_by_another_name_of_the_server),
	};

	return FIXTURE_RUN(tests);
}
