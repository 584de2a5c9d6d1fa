/* One action on many jobs: counted once, done once, each job told apart. */
#include "tests/store/fixture.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "sql/store_bulk.h"
#include "sql/store_log.h"

enum { LONG_MS = 60000 };

static uint8_t key[JOB_REQUEST_KEY_BYTES];

/* A job of mailbox number n in this state. */
static uint64_t job_in(enum job_state state, unsigned n)
{
	uint64_t id = make_job(&member_a, server_a, 0);
	struct queue_token t;

	run_sql(arena_printf(
	    arena, "UPDATE job SET src_user = 'u%u@old', dst_user = 'u%u@new' WHERE id = %lu", n, n, id));
	if (state == JOB_CANCELLED) {
		enum job_state s;

		assert_ok(store_job_cancel(db, &member_a, id, &s));
	} else if (state != JOB_QUEUED) {
		assert_int_equal(claim_next(&t), id);
		if (state != JOB_RUNNING)
			finish_as(&t, state);
	}
	return id;
}

static enum err ask(const struct viewer *v, enum bulk_action action, struct job_filter f, uint64_t *id_r)
{
	key[0]++;
	return store_bulk_ask(
	    db, v, &(struct bulk_question){.action = action, .jobs = f, .request_key = key}, id_r);
}

static uint64_t asked(enum bulk_action action)
{
	uint64_t id;

	assert_ok(ask(&member_a, action, (struct job_filter){0}, &id));
	return id;
}

static struct bulk bulk(uint64_t id)
{
	struct bulk b;

	assert_ok(store_bulk_get(db, arena, &member_a, id, &b));
	return b;
}

static void run(uint64_t id)
{
	assert_ok(store_bulk_run(db, &member_a, id, LONG_MS));
	assert_int_equal(bulk(id).done, bulk(id).total);
}

/* The outcome of this job in this bulk. */
static struct bulk_job row(uint64_t id, uint64_t job_id)
{
	struct bulk_job *list;
	size_t count;

	assert_ok(store_bulk_jobs(db, arena, &member_a, id, -1, 0, 1000, &list, &count));
	for (size_t i = 0; i < count; i++)
		if (list[i].job_id == job_id)
			return list[i];
	fail_msg("job %lu is not among those counted", job_id);
	return list[0];
}

#define assert_outcome(id, job, wanted) assert_string_equal(bulk_outcome_name(row(id, job).outcome), wanted)

static void a_rerun_makes_linked_jobs_with_the_same_seals_batch_and_order(void **state)
{
	uint64_t id, first, second;

	(void)state;
	first = job_in(JOB_DONE, 1);
	second = job_in(JOB_FAILED, 2);
	run_sql("INSERT INTO batch (id, account_id, tag, created_at) SELECT 7, id, 't', UTC_TIMESTAMP(6) "
		"FROM account "
		"WHERE name = 'A'");
	run_sql("UPDATE job SET batch_id = 7, name = src_user");
	/* the order is that of the queue, not of the ids */
	run_sql(arena_printf(
	    arena, "UPDATE job SET queued_at = queued_at - INTERVAL 1 DAY WHERE id = %lu", second));
	id = asked(BULK_RUN_REAL);
	run(id);
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 4);
	assert_int_equal(
	    number("SELECT COUNT(*) FROM job j JOIN job p ON p.id = j.parent_id WHERE j.state = 'queued'"
		   " AND j.batch_id = 7 AND j.dry_run = 0 AND p.dry_run = 1"
		   " AND j.src_sealed = p.src_sealed AND j.dst_sealed = p.dst_sealed"
		   " AND j.name = p.name AND j.src_user = p.src_user AND j.dst_user = p.dst_user"
		   " AND j.src_server_id = p.src_server_id AND j.owner_user_id = p.owner_user_id"),
	    2);
	assert_int_equal(
	    number("SELECT parent_id FROM job WHERE state = 'queued' ORDER BY queued_at, id LIMIT 1"),
	    second);
	assert_int_equal(row(id, first).other_job_id,
	    number(arena_printf(arena, "SELECT id FROM job WHERE parent_id = %lu", first)));
	assert_int_equal(
	    number("SELECT COUNT(*) FROM job_event e JOIN job j ON j.id = e.job_id WHERE j.parent_id IS "
		   "NOT NULL AND e.kind = 'created' AND e.to_state = 'queued' AND e.user_id IS NOT NULL"),
	    2);
	assert_consistent();
}

static void a_retry_keeps_the_kind_and_the_other_reruns_choose_it(void **state)
{
	static const struct {
		enum bulk_action action;
		int real, dry;
	} cases[] = {{BULK_RETRY, 1, 1}, {BULK_DRY_RUN, 0, 2}, {BULK_RUN_REAL, 2, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		run_sql("DELETE FROM job");
		job_in(JOB_FAILED, 1);
		run_sql("UPDATE job SET dry_run = 0");
		job_in(JOB_FAILED, 2);
		run(asked(cases[i].action));
		assert_int_equal(
		    number("SELECT COUNT(*) FROM job WHERE state = 'queued' AND dry_run = 0"), cases[i].real);
		assert_int_equal(
		    number("SELECT COUNT(*) FROM job WHERE state = 'queued' AND dry_run = 1"), cases[i].dry);
	}
}

static void mailboxes_already_on_their_way_are_not_queued_a_second_time(void **state)
{
	uint64_t queued, running, done, again, id, old_run, new_run;

	(void)state;
	done = job_in(JOB_DONE, 1);
	assert_ok(store_job_rerun(db, &member_a, done, &(struct job_rerun){0}, &again, NULL));
	run_sql("UPDATE job SET state = 'cancelled', finished_at = queued_at");
	run_sql(
	    arena_printf(arena, "UPDATE job SET state = 'queued', finished_at = NULL WHERE id = %lu", again));
	run_sql(arena_printf(
	    arena, "UPDATE job SET queued_at = queued_at + INTERVAL 1 HOUR WHERE id = %lu", again));
	old_run = job_in(JOB_FAILED, 3);
	new_run = job_in(JOB_FAILED, 3);
	running = job_in(JOB_RUNNING, 2);
	queued = job_in(JOB_QUEUED, 4);
	id = asked(BULK_RUN_REAL);
	run(id);
	assert_outcome(id, done, "mailboxes_busy");
	assert_int_equal(row(id, done).other_job_id, again);
	assert_outcome(id, again, "not_ended");
	assert_outcome(id, old_run, "older_run");
	assert_outcome(id, new_run, "requeued");
	assert_outcome(id, running, "not_ended");
	assert_outcome(id, queued, "not_ended");
	assert_consistent();
}

static void cancel_stops_what_waits_asks_what_runs_and_leaves_the_rest(void **state)
{
	uint64_t running, asked_before, queued, done, id, counts[BULK_OUTCOME__MAX];
	enum job_state s;

	(void)state;
	running = job_in(JOB_RUNNING, 1);
	asked_before = job_in(JOB_RUNNING, 2);
	assert_ok(store_job_cancel(db, &member_a, asked_before, &s));
	queued = job_in(JOB_QUEUED, 3);
	done = job_in(JOB_CANCELLED, 4);
	id = asked(BULK_CANCEL);
	assert_ok(store_bulk_judge(db, &member_a, id, counts));
	assert_int_equal(counts[BULK_CANCELLED], 1);
	assert_int_equal(counts[BULK_STOPPING], 1);
	assert_int_equal(counts[BULK_STOPPING_ALREADY], 1);
	assert_int_equal(counts[BULK_ENDED], 1);
	assert_int_equal(state_of(queued), JOB_QUEUED);
	run(id);
	assert_outcome(id, running, "stopping");
	assert_outcome(id, asked_before, "stopping_already");
	assert_outcome(id, queued, "cancelled");
	assert_outcome(id, done, "ended");
	assert_int_equal(state_of(running), JOB_RUNNING);
	assert_int_equal(state_of(queued), JOB_CANCELLED);
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE cancel_requested_at IS NOT NULL"), 4);
	assert_int_equal(
	    number("SELECT COUNT(*) FROM job_event WHERE kind = 'cancel_asked' AND detail LIKE 'bulk %'"), 1);
	assert_int_equal(
	    number("SELECT COUNT(*) FROM job_event WHERE kind = 'cancelled' AND detail LIKE 'bulk %'"), 1);
	assert_consistent();
}

static void delete_takes_rows_and_logs_but_no_running_job(void **state)
{
	uint64_t running, done, queued, id;

	(void)state;
	done = job_in(JOB_DONE, 2);
	run_sql(arena_printf(arena,
	    "INSERT INTO job_log (job_id, start, length, encoding, bytes, at) VALUES (%lu, 0, 1, 0, 'x', "
	    "UTC_TIMESTAMP(6))",
	    done));
	run_sql(arena_printf(arena, "UPDATE job SET log_bytes = 1 WHERE id = %lu", done));
	running = job_in(JOB_RUNNING, 1);
	queued = job_in(JOB_QUEUED, 3);
	id = asked(BULK_DELETE);
	run(id);
	assert_outcome(id, running, "running");
	assert_outcome(id, done, "deleted");
	assert_outcome(id, queued, "deleted");
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM job_log"), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM job_event WHERE kind = 'deleted'"), 2);
	assert_string_equal(row(id, done).label, "u2@old → u2@new");
	assert_consistent();
}

static void only_what_was_counted_is_touched_and_in_the_state_it_is_in_then(void **state)
{
	uint64_t changed, gone, later, id;
	struct queue_token t;

	(void)state;
	changed = job_in(JOB_QUEUED, 1);
	gone = job_in(JOB_QUEUED, 2);
	assert_ok(ask(&member_a, BULK_CANCEL, (struct job_filter){.states = 1u << JOB_QUEUED}, &id));
	assert_int_equal(claim_next(&t), changed);
	assert_ok(store_job_delete(db, &member_a, gone, NULL));
	later = job_in(JOB_QUEUED, 3);
	run(id);
	assert_int_equal(bulk(id).total, 2);
	assert_true(bulk(id).newest_job_id < later);
	assert_outcome(id, changed, "stopping");
	assert_outcome(id, gone, "gone");
	assert_int_equal(state_of(later), JOB_QUEUED);
}

static void an_action_sent_twice_is_done_once(void **state)
{
	uint64_t id, same;
	struct bulk_question q = {.action = BULK_RUN_REAL, .request_key = key};

	(void)state;
	job_in(JOB_DONE, 1);
	key[0]++;
	assert_ok(store_bulk_ask(db, &member_a, &q, &id));
	assert_ok(store_bulk_ask(db, &member_a, &q, &same));
	assert_int_equal(id, same);
	run(id);
	run(id);
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 2);
	assert_int_equal(number("SELECT COUNT(*) FROM bulk_job"), 1);
}

static void an_action_cut_short_goes_on_where_it_stopped(void **state)
{
	uint64_t id;

	(void)state;
	for (unsigned n = 0; n < BULK_CHUNK + 20; n++)
		job_in(JOB_DONE, n);
	id = asked(BULK_DRY_RUN);
	assert_ok(store_bulk_run(db, &member_a, id, -1));
	assert_int_equal(bulk(id).done, 0);
	/* the second chunk cannot be written: the first stays */
	run_sql("CREATE TRIGGER stop_it BEFORE INSERT ON job FOR EACH ROW BEGIN IF NEW.src_user = 'u105@old' "
		"THEN "
		"SIGNAL SQLSTATE '45000'; END IF; END");
	assert_int_not_equal(store_bulk_run(db, &member_a, id, LONG_MS), ERR_OK);
	run_sql("DROP TRIGGER stop_it");
	assert_int_equal(bulk(id).done, BULK_CHUNK);
	assert_int_equal(bulk(id).finished_at, 0);
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE state = 'queued'"), BULK_CHUNK);
	run(id);
	assert_true(bulk(id).finished_at > 0);
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE state = 'queued'"), BULK_CHUNK + 20);
	assert_int_equal(
	    number("SELECT COUNT(DISTINCT parent_id) FROM job WHERE state = 'queued'"), BULK_CHUNK + 20);
}

static void a_lost_answer_is_no_second_action(void **state)
{
	struct db *lossy;
	uint64_t id;

	(void)state;
	for (unsigned fault = PROXY_LOSE_REQUEST; fault <= PROXY_LOSE_ANSWER; fault++) {
		run_sql("DELETE FROM job");
		job_in(JOB_DONE, 1);
		id = asked(BULK_RUN_REAL);
		lossy = proxy_connect();
		proxy_arm((enum proxy_fault)fault);
		assert_int_equal(store_bulk_run(lossy, &member_a, id, LONG_MS), ERR_UNCERTAIN);
		db_close(&lossy);
		run(id);
		assert_int_equal(number("SELECT COUNT(*) FROM job"), 2);
		assert_int_equal(
		    number("SELECT COUNT(*) FROM job_event WHERE kind = 'created' AND detail LIKE 'bulk %'"),
		    1);
		run_sql("DELETE FROM job_event");
	}
}

struct racer {
	struct db *db;
	uint64_t id;
	enum err e;
};

static void *race(void *arg)
{
	struct racer *r = arg;

	r->e = store_bulk_run(r->db, &member_a, r->id, LONG_MS);
	return NULL;
}

static void two_who_run_it_at_the_same_moment_do_it_once(void **state)
{
	struct racer racers[2];
	pthread_t threads[2];
	uint64_t id;

	(void)state;
	for (unsigned n = 0; n < 3 * BULK_CHUNK; n++)
		job_in(JOB_DONE, n);
	id = asked(BULK_RUN_REAL);
	for (size_t i = 0; i < 2; i++) {
		racers[i] = (struct racer){.db = fixture_connect(NULL), .id = id};
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	}
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_ok(racers[i].e);
		db_close(&racers[i].db);
	}
	run(id);
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE parent_id IS NOT NULL"), 3 * BULK_CHUNK);
	assert_int_equal(number("SELECT COUNT(DISTINCT parent_id) FROM job"), 3 * BULK_CHUNK);
	/* nobody judged again what the other had done */
	assert_int_equal(number("SELECT COUNT(*) FROM bulk_job WHERE outcome = 'requeued'"), 3 * BULK_CHUNK);
}

static void a_chunk_that_somebody_else_does_is_left_to_them(void **state)
{
	struct db *second = fixture_connect(NULL);
	struct racer racer = {.db = second};
	pthread_t thread;
	uint64_t job = job_in(JOB_DONE, 1);

	(void)state;
	racer.id = asked(BULK_RUN_REAL);
	/* the other one has moved bulk.done, and not committed yet */
	assert_ok(db_begin(db));
	assert_ok(db_exec(db, "UPDATE bulk SET confirmed_at = UTC_TIMESTAMP(6), done = 1 WHERE id = ?",
	    DB_ARGS(db_p_u64(racer.id)), NULL));
	assert_int_equal(pthread_create(&thread, NULL, race, &racer), 0);
	/* the server renews this view only when nobody has read it for a tenth of a second */
	while (
	    number("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'") == 0)
		(void)poll(NULL, 0, 150);
	assert_ok(db_commit(db));
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_ok(racer.e);
	assert_int_equal(
	    number(arena_printf(arena, "SELECT COUNT(*) FROM job WHERE parent_id = %lu", job)), 0);
	db_close(&second);
}

static void a_question_waits_an_hour(void **state)
{
	uint64_t id, next;

	(void)state;
	job_in(JOB_DONE, 1);
	id = asked(BULK_DELETE);
	run_sql("UPDATE bulk SET created_at = created_at - INTERVAL 61 MINUTE");
	assert_true(bulk(id).is_expired);
	assert_int_equal(store_bulk_run(db, &member_a, id, LONG_MS), ERR_CONFLICT);
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 1);
	next = asked(BULK_DELETE);
	assert_int_equal(number("SELECT COUNT(*) FROM bulk"), 1);
	run(next);
}

static void a_bulk_is_its_askers_and_takes_only_what_they_see(void **state)
{
	uint64_t theirs, id, ids[1], counts[BULK_OUTCOME__MAX];
	struct bulk b;

	(void)state;
	theirs = make_job(&member_b, server_b, 0);
	ids[0] = theirs;
	assert_int_equal(
	    ask(&member_a, BULK_CANCEL, (struct job_filter){.ids = ids, .ids_count = 1}, &id), ERR_NOT_FOUND);
	assert_int_equal(number("SELECT COUNT(*) FROM bulk"), 0);
	assert_ok(ask(&admin_a, BULK_CANCEL, (struct job_filter){.ids = ids, .ids_count = 1}, &id));
	assert_int_equal(store_bulk_get(db, arena, &member_a, id, &b), ERR_NOT_FOUND);
	assert_int_equal(store_bulk_judge(db, &member_b, id, counts), ERR_NOT_FOUND);
	assert_int_equal(store_bulk_run(db, &member_b, id, LONG_MS), ERR_NOT_FOUND);
	assert_ok(store_bulk_run(db, &admin_a, id, LONG_MS));
	assert_int_equal(state_of(theirs), JOB_CANCELLED);
	job_in(JOB_DONE, 9);
	id = asked(BULK_DELETE);
	assert_int_equal(store_bulk_get(db, arena, &member_b, id, &b), ERR_NOT_FOUND);
	assert_int_equal(store_bulk_get(db, arena, &admin_a, id, &b), ERR_NOT_FOUND);
	/* who is no administrator any more, or whose token is not, has nothing of what they asked as one */
	make_job(&member_b, server_b, 0);
	assert_ok(ask(&admin_a, BULK_DELETE, (struct job_filter){.states = 1u << JOB_QUEUED}, &id));
	admin_a.role = ROLE_MEMBER;
	assert_int_equal(store_bulk_run(db, &admin_a, id, LONG_MS), ERR_NOT_FOUND);
	assert_int_equal(store_bulk_get(db, arena, &admin_a, id, &b), ERR_NOT_FOUND);
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE state = 'queued'"), 1);
}

static void what_was_asked_for_one_account_is_not_anothers(void **state)
{
	struct viewer for_a = {.user_id = admin_a.user_id,
			  .account_id = member_a.account_id,
			  .role = ROLE_MEMBER},
		      for_b = for_a;
	uint64_t counts[BULK_OUTCOME__MAX], mine = make_job(&member_a, server_a, 0), id, other;
	struct bulk_question q = {.action = BULK_CANCEL, .request_key = key};
	struct bulk_job *list;
	struct bulk b;
	size_t count;

	(void)state;
	make_job(&member_b, server_b, 0);
	for_b.account_id = member_b.account_id;
	key[0]++;
	assert_ok(store_bulk_ask(db, &for_a, &q, &id));
	assert_int_equal(store_bulk_get(db, arena, &for_b, id, &b), ERR_NOT_FOUND);
	assert_int_equal(store_bulk_judge(db, &for_b, id, counts), ERR_NOT_FOUND);
	assert_int_equal(store_bulk_jobs(db, arena, &for_b, id, -1, 0, 10, &list, &count), ERR_NOT_FOUND);
	assert_int_equal(store_bulk_run(db, &for_b, id, LONG_MS), ERR_NOT_FOUND);
	/* nor does a key that was used for one answer for the other */
	assert_ok(store_bulk_ask(db, &for_b, &q, &other));
	assert_int_not_equal(other, id);
	assert_ok(store_bulk_ask(db, &for_a, &q, &other));
	assert_int_equal(other, id);
	assert_ok(store_bulk_run(db, &for_a, id, LONG_MS));
	assert_int_equal(state_of(mine), JOB_CANCELLED);
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE state = 'queued'"), 1);
}

static void the_filter_knows_batch_kind_reason_and_the_last_run(void **state)
{
	uint64_t first, again, once_more, id;
	struct job_filter f = {.latest_only = true};

	(void)state;
	job_in(JOB_FAILED, 2);
	first = job_in(JOB_DONE, 1);
	assert_ok(store_job_rerun(db, &member_a, first, &(struct job_rerun){0}, &again, NULL));
	run_sql("UPDATE job SET state = 'failed', finished_at = queued_at, reason = 'auth_source' WHERE "
		"state = 'queued'");
	assert_ok(store_job_rerun(db, &member_a, first, &(struct job_rerun){0}, &once_more, NULL));
	assert_ok(ask(&member_a, BULK_CANCEL, f, &id));
	assert_int_equal(bulk(id).total, 2);
	assert_int_equal(row(id, once_more).n, 2);
	assert_ok(ask(&member_a, BULK_CANCEL, (struct job_filter){.kind = JOB_KIND_REAL}, &id));
	assert_int_equal(bulk(id).total, 2);
	assert_ok(ask(&member_a, BULK_CANCEL, (struct job_filter){.reason = "auth_source"}, &id));
	assert_int_equal(bulk(id).total, 1);
	assert_int_equal(ask(&member_a, BULK_CANCEL, (struct job_filter){.reason = "é"}, &id), ERR_INVALID);
	assert_int_equal(
	    ask(&member_a, BULK_CANCEL, (struct job_filter){.above_id = 1000000000}, &id), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(a_rerun_makes_linked_jobs_with_the_same_seals_batch_and_order),
	    STORE_TEST(a_retry_keeps_the_kind_and_the_other_reruns_choose_it),
	    STORE_TEST(mailboxes_already_on_their_way_are_not_queued_a_second_time),
	    STORE_TEST(cancel_stops_what_waits_asks_what_runs_and_leaves_the_rest),
	    STORE_TEST(delete_takes_rows_and_logs_but_no_running_job),
	    STORE_TEST(only_what_was_counted_is_touched_and_in_the_state_it_is_in_then),
	    STORE_TEST(an_action_sent_twice_is_done_once),
	    STORE_TEST(an_action_cut_short_goes_on_where_it_stopped),
	    STORE_TEST(a_lost_answer_is_no_second_action),
	    STORE_TEST(two_who_run_it_at_the_same_moment_do_it_once),
	    STORE_TEST(a_chunk_that_somebody_else_does_is_left_to_them),
	    STORE_TEST(a_question_waits_an_hour),
	    STORE_TEST(a_bulk_is_its_askers_and_takes_only_what_they_see),
	    STORE_TEST(what_was_asked_for_one_account_is_not_anothers),
	    STORE_TEST(the_filter_knows_batch_kind_reason_and_the_last_run),
	};

	return FIXTURE_RUN(tests);
}
