/* The database goes away at the worst moments: nothing is done twice, nothing half. */
#include "tests/store/fixture.h"

#include <pthread.h>
#include <string.h>

#include "sql/connect.h"
#include "sql/store_log.h"
#include "sql/store_session.h"

static const uint8_t key[JOB_REQUEST_KEY_BYTES] = "0123456789abcde";
static struct db *shaky;

static int setup(void **state)
{
	proxy_arm(PROXY_PASS);
	if (fixture_reset(state) != 0)
		return 1;
	shaky = proxy_connect();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	db_close(&shaky);
	return 0;
}

static enum err create_shaky(uint64_t *id_r, bool *existed_r)
{
	const struct job_new n = {.request_key = key,
	    .src_server_id = server_shared,
	    .dst_server_id = server_shared,
	    .src_user = "u",
	    .dst_user = "v",
	    .src_sealed = {"s", 1},
	    .dst_sealed = {"d", 1}};

	return store_job_create(shaky, &member_a, &n, id_r, existed_r);
}

static void a_creation_whose_answer_is_lost_is_not_made_twice(void **state)
{
	uint64_t id;
	bool existed;

	(void)state;
	proxy_arm(PROXY_LOSE_ANSWER);
	assert_int_equal(create_shaky(&id, &existed), ERR_UNCERTAIN);
	assert_false(db_is_connected(shaky));
	assert_int_equal(create_shaky(&id, &existed), ERR_UNAVAILABLE);
	assert_ok(db_reconnect(shaky));
	assert_ok(create_shaky(&id, &existed));
	assert_true(existed);
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 1);
}

static void a_creation_whose_request_is_lost_is_made_once(void **state)
{
	uint64_t id;
	bool existed;

	(void)state;
	proxy_arm(PROXY_LOSE_REQUEST);
	assert_int_equal(create_shaky(&id, &existed), ERR_UNCERTAIN);
	assert_ok(db_reconnect(shaky));
	assert_ok(create_shaky(&id, &existed));
	assert_false(existed);
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 1);
}

static void a_claim_whose_answer_is_lost_is_ours(void **state)
{
	struct queue_token t;
	struct queue_job j;
	uint64_t id = make_job(&member_a, 0, 0);

	(void)state;
	queue_token_new(&t);
	proxy_arm(PROXY_LOSE_ANSWER);
	assert_ok(store_queue_claim(shaky, arena, worker_1, 60, &t, &j));
	assert_int_equal(j.job.id, id);
	assert_int_equal(j.src_sealed_len, 13);
	assert_int_equal(number("SELECT COUNT(*) FROM job_event WHERE kind = 'claimed'"), 1);
	assert_consistent();
}

static void a_claim_whose_request_is_lost_did_not_happen(void **state)
{
	struct queue_token t;
	struct queue_job j;
	uint64_t id = make_job(&member_a, 0, 0);

	(void)state;
	queue_token_new(&t);
	proxy_arm(PROXY_LOSE_REQUEST);
	assert_int_equal(store_queue_claim(shaky, arena, worker_1, 60, &t, &j), ERR_BUSY);
	assert_int_equal(state_of(id), JOB_QUEUED);
	queue_token_new(&t);
	assert_ok(store_queue_claim(shaky, arena, worker_1, 60, &t, &j));
	assert_consistent();
}

static void a_finish_whose_answer_is_lost_is_repeated_safely(void **state)
{
	struct queue_token t;
	struct queue_ending done = ending_of(JOB_DONE);
	uint64_t id = make_job(&member_a, 0, 0);

	(void)state;
	for (int fault = PROXY_LOSE_REQUEST; fault <= PROXY_LOSE_ANSWER; fault++) {
		claim_next(&t);
		proxy_arm((enum proxy_fault)fault);
		assert_int_equal(store_queue_finish(shaky, &t, &done), ERR_UNCERTAIN);
		assert_ok(db_reconnect(shaky));
		assert_ok(store_queue_finish(shaky, &t, &done));
		assert_int_equal(state_of(id), JOB_DONE);
		assert_int_equal(number("SELECT COUNT(*) FROM job_event WHERE kind = 'finished'"), fault);
		assert_consistent();
		id = make_job(&member_a, 0, 0);
	}
}

static void a_log_append_whose_answer_is_lost_is_repeated_safely(void **state)
{
	struct queue_token t;
	struct log_slice s;
	uint64_t id = make_job(&member_a, 0, 0);

	(void)state;
	claim_next(&t);
	for (int fault = PROXY_LOSE_REQUEST; fault <= PROXY_LOSE_ANSWER; fault++) {
		int64_t start = (fault - PROXY_LOSE_REQUEST) * 5;

		proxy_arm((enum proxy_fault)fault);
		assert_int_equal(store_log_append(shaky, &t, start, "hello", 5), ERR_UNCERTAIN);
		assert_ok(db_reconnect(shaky));
		assert_ok(store_log_append(shaky, &t, start, "hello", 5));
	}
	assert_ok(store_log_read(db, arena, &member_a, id, 0, 100, &s));
	assert_string_equal(s.bytes, "hellohello");
	assert_consistent();
}

static void a_killed_server_leaves_every_job_whole(void **state)
{
	struct queue_token t1, t2;
	struct queue_job j;
	struct queue_ending done = ending_of(JOB_DONE);
	uint64_t first = make_job(&member_a, 0, 0), second = make_job(&member_a, 0, 0);

	(void)state;
	claim_next(&t1);
	assert_ok(store_log_append(db, &t1, 0, "hello", 5));
	/* A claim half way: the slot is written, the commit never comes. */
	assert_ok(db_begin(shaky));
	assert_ok(db_exec(shaky,
	    "UPDATE run_slot SET job_id = 9, claim_token = 'x' WHERE job_id IS NULL LIMIT 1", DB_NONE, NULL));
	fixture_kill_server();
	queue_token_new(&t2);
	assert_int_equal(store_queue_claim(db, arena, worker_1, 60, &t2, &j), ERR_UNAVAILABLE);
	assert_int_equal(store_queue_finish(db, &t1, &done), ERR_UNAVAILABLE);
	assert_int_equal(store_log_append(db, &t1, 5, "x", 1), ERR_UNAVAILABLE);
	assert_int_equal(connect_ping(db), ERR_UNAVAILABLE);
	assert_int_equal(db_reconnect(db), ERR_UNAVAILABLE);
	assert_int_equal(db_commit(shaky), ERR_UNCERTAIN);
	fixture_start_server();
	assert_ok(db_reconnect(db));
	assert_consistent();
	assert_int_equal(state_of(first), JOB_RUNNING);
	assert_ok(store_log_append(db, &t1, 5, "x", 1));
	assert_ok(store_queue_finish(db, &t1, &done));
	assert_int_equal(claim_next(&t2), second);
	assert_consistent();
}

static void a_killed_connection_is_noticed_and_renewed_by_hand_only(void **state)
{
	uint8_t hash[SESSION_HASH_BYTES] = {1};

	(void)state;
	run_sql(arena_printf(arena, "KILL CONNECTION %s",
	    text("SELECT CAST(MAX(id) AS CHAR) FROM information_schema.processlist"
		 " WHERE id <> CONNECTION_ID()")));
	assert_int_equal(store_session_delete(shaky, hash), ERR_UNAVAILABLE);
	assert_int_equal(store_session_delete(shaky, hash), ERR_UNAVAILABLE);
	assert_false(db_is_connected(shaky));
	assert_ok(db_reconnect(shaky));
	assert_ok(store_session_delete(shaky, hash));
}

static void a_row_locked_by_another_is_busy_not_broken(void **state)
{
	uint64_t changed;
	struct db *other = fixture_connect(NULL);

	(void)state;
	run_sql("SET SESSION innodb_lock_wait_timeout = 1");
	assert_ok(db_begin(other));
	assert_ok(
	    db_exec(other, "UPDATE run_slot SET job_id = 1, claim_token = 'x' WHERE n = 1", DB_NONE, NULL));
	assert_int_equal(
	    db_exec(db, "UPDATE run_slot SET job_id = 2, claim_token = 'y' WHERE n = 1", DB_NONE, &changed),
	    ERR_BUSY);
	assert_true(db_is_connected(db));
	db_close(&other);
}

static void errors_in_the_log_hold_no_values(void **state)
{
	(void)state;
	assert_int_equal(db_exec(db, "INSERT INTO account (name, created_at) VALUES (?, UTC_TIMESTAMP(6))",
			     DB_ARGS(db_p_str("A")), NULL),
	    ERR_CONFLICT);
	assert_int_equal(db_errno(db), 1062);
	assert_null(strstr(db_error(db), "'A'"));
	assert_non_null(strstr(db_error(db), "account_name"));
	assert_int_equal(db_exec(db, "INSERT INTO account (name, created_at) VALUES (?, UTC_TIMESTAMP(6))",
			     DB_ARGS(db_p_blob("secret\xff", 7)), NULL),
	    ERR_INVALID);
	assert_null(strstr(db_error(db), "xFF"));
}

static void every_connection_has_the_session_it_needs(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_string_equal(text("SELECT @@session.time_zone"), "+00:00");
		assert_string_equal(text("SELECT @@session.tx_isolation"), "READ-COMMITTED");
		assert_non_null(strstr(text("SELECT @@session.sql_mode"), "STRICT_ALL_TABLES"));
		assert_string_equal(text("SELECT @@session.character_set_connection"), "utf8mb4");
		assert_int_equal(number("SELECT @@session.innodb_lock_wait_timeout"), 5);
		assert_int_equal(number("SELECT @@session.wsrep_sync_wait"), 1);
		assert_ok(db_reconnect(db));
	}
}

#define CRASH_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Holds one account's row and asks for the other's. */
struct crossing {
	struct db *db;
	uint64_t holds, asks;
	pthread_barrier_t *held;
	enum err e;
};

/* A range: the deadlock comes when rows are read, after the question was taken. */
static const char asking[] = "SELECT id FROM account WHERE id > ? - 1 AND id < ? + 1 FOR UPDATE";

static void *cross(void *arg)
{
	struct crossing *c = arg;
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;

	c->e = db_begin(c->db);
	if (c->e == ERR_OK)
		c->e = db_query(c->db, a, asking, DB_ARGS(db_p_u64(c->holds), db_p_u64(c->holds)), &rows);
	(void)pthread_barrier_wait(c->held);
	if (c->e == ERR_OK)
		c->e = db_query(c->db, a, asking, DB_ARGS(db_p_u64(c->asks), db_p_u64(c->asks)), &rows);
	db_rollback(c->db);
	return NULL;
}

static void a_question_that_ended_in_a_deadlock_can_be_asked_again(void **state)
{
	struct crossing c[2] = {{.db = fixture_connect(NULL)}, {.db = fixture_connect(NULL)}};
	pthread_barrier_t held;
	pthread_t threads[2];
	struct db_rows rows;

	(void)state;
	(void)pthread_barrier_init(&held, NULL, 2);
	for (size_t i = 0; i < 2; i++) {
		c[i].holds = i == 0 ? member_a.account_id : member_b.account_id;
		c[i].asks = i == 0 ? member_b.account_id : member_a.account_id;
		c[i].held = &held;
		assert_int_equal(pthread_create(&threads[i], NULL, cross, &c[i]), 0);
	}
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal((c[0].e == ERR_BUSY) + (c[1].e == ERR_BUSY), 1);
	for (size_t i = 0; i < 2; i++) {
		assert_ok(db_query(
		    c[i].db, arena, asking, DB_ARGS(db_p_u64(c[i].asks), db_p_u64(c[i].asks)), &rows));
		assert_true(db_is_connected(c[i].db));
		db_close(&c[i].db);
	}
	(void)pthread_barrier_destroy(&held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CRASH_TEST(a_creation_whose_answer_is_lost_is_not_made_twice),
	    CRASH_TEST(a_creation_whose_request_is_lost_is_made_once),
	    CRASH_TEST(a_claim_whose_answer_is_lost_is_ours),
	    CRASH_TEST(a_claim_whose_request_is_lost_did_not_happen),
	    CRASH_TEST(a_finish_whose_answer_is_lost_is_repeated_safely),
	    CRASH_TEST(a_log_append_whose_answer_is_lost_is_repeated_safely),
	    CRASH_TEST(a_killed_server_leaves_every_job_whole),
	    CRASH_TEST(a_killed_connection_is_noticed_and_renewed_by_hand_only),
	    CRASH_TEST(a_row_locked_by_another_is_busy_not_broken),
	    CRASH_TEST(errors_in_the_log_hold_no_values),
	    CRASH_TEST(every_connection_has_the_session_it_needs),
	    CRASH_TEST(a_question_that_ended_in_a_deadlock_can_be_asked_again),
	};

	return FIXTURE_RUN(tests);
}
