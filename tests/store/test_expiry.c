/* What is stored of ended jobs goes after its time, or at once when asked: nothing of it stays anywhere, and
 * what waits or runs is never touched. */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <string.h>

#include "sql/store_batch.h"
#include "sql/store_bulk.h"
#include "sql/store_chore.h"
#include "sql/store_expiry.h"
#include "sql/store_import.h"
#include "sql/store_log.h"

static const struct expiry thirty_days = {.days = 30, .worker_id = 7};

/* A job in each state, by the fixture's own hands; those that have ended did so so many days ago. */
static void make_one_of_each(uint64_t ids[JOB_STATE__MAX], unsigned days)
{
	struct queue_token t;

	for (int s = 0; s < JOB_STATE__MAX; s++)
		ids[s] = make_job(&member_a, 0, 0);
	for (int s = JOB_RUNNING; s < JOB_STATE__MAX; s++) {
		ids[s] = claim_next(&t);
		assert_ok(store_log_append(db, &t, 0, "hello", 5));
		if (s != JOB_RUNNING)
			finish_as(&t, (enum job_state)s);
	}
	ids[JOB_QUEUED] = (uint64_t)number("SELECT id FROM job WHERE state = 'queued'");
	run_sql(arena_printf(arena,
	    "UPDATE job SET queued_at = queued_at - INTERVAL %u DAY, started_at = started_at"
	    " - INTERVAL %u DAY, finished_at = finished_at - INTERVAL %u DAY",
	    days, days, days));
}

static unsigned remove_all(
    enum err (*part)(struct db *, const struct expiry *, unsigned *), const struct expiry *x)
{
	unsigned count = 1, all = 0;

	while (count > 0) {
		assert_ok(part(db, x, &count));
		all += count;
	}
	return all;
}

static const char with_passwords[] =
    "SELECT GROUP_CONCAT(state ORDER BY id) FROM job WHERE src_sealed IS NOT NULL"
    " AND dst_sealed IS NOT NULL";

static void passwords_of_ended_jobs_go_after_their_days_and_no_others(void **state)
{
	uint64_t old[JOB_STATE__MAX], young[JOB_STATE__MAX];

	(void)state;
	make_one_of_each(old, 31);
	assert_int_equal(remove_all(store_expiry_passwords, &thirty_days), 4);
	assert_string_equal(text(with_passwords), "running,queued");
	run_sql("DELETE FROM run_slot");
	run_sql("INSERT INTO run_slot (kind, owner, n) VALUES ('global', 0, 1), ('global', 0, 2)");
	run_sql("DELETE FROM job");
	make_one_of_each(young, 29);
	assert_int_equal(remove_all(store_expiry_passwords, &thirty_days), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE src_sealed IS NULL"), 0);
}

static void every_removal_is_an_event_that_names_its_worker(void **state)
{
	uint64_t ids[JOB_STATE__MAX];

	(void)state;
	make_one_of_each(ids, 31);
	(void)remove_all(store_expiry_passwords, &thirty_days);
	assert_int_equal(
	    number("SELECT COUNT(*) FROM job_event WHERE kind = 'passwords_removed' AND worker_id = 7"
		   " AND detail = '30 days after its end' AND from_state IS NULL"),
	    4);
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE passwords_removed_at IS NOT NULL"), 4);
	assert_consistent();
}

static void passwords_given_anew_have_days_of_their_own(void **state)
{
	const struct job_credentials both = {.src_sealed = {"new source", 10}, .dst_sealed = {"new dest", 8}};
	const struct job_credentials one = {.src_sealed = {"new source", 10}};
	uint64_t ids[JOB_STATE__MAX];
	struct job j;

	(void)state;
	make_one_of_each(ids, 100);
	(void)remove_all(store_expiry_passwords, &thirty_days);
	assert_int_equal(store_job_edit(db, &member_a, ids[JOB_DONE], &one, NULL), ERR_INVALID);
	assert_ok(store_job_edit(db, &member_a, ids[JOB_DONE], &both, NULL));
	assert_int_equal(remove_all(store_expiry_passwords, &thirty_days), 0);
	assert_ok(store_job_get(db, arena, &member_a, ids[JOB_DONE], &j));
	assert_int_equal(j.passwords_removed_at, 0);
	run_sql("UPDATE job SET sealed_at = sealed_at - INTERVAL 31 DAY");
	assert_int_equal(remove_all(store_expiry_passwords, &thirty_days), 1);
}

static void a_job_without_passwords_runs_again_only_with_new_ones(void **state)
{
	const struct job_rerun bare = {0}, half = {.src_sealed = {"new source", 10}};
	const struct job_rerun whole = {.src_sealed = {"new source", 10}, .dst_sealed = {"new dest", 8}};
	struct queue_token t;
	struct queue_job q;
	uint64_t id = make_job(&member_a, 0, 0), again;

	(void)state;
	(void)claim_next(&t);
	finish_as(&t, JOB_DONE);
	assert_ok(store_job_remove_passwords(db, &member_a, id, NULL));
	assert_int_equal(store_job_rerun(db, &member_a, id, &bare, &again, NULL), ERR_CONFLICT);
	assert_int_equal(store_job_rerun(db, &member_a, id, &half, &again, NULL), ERR_CONFLICT);
	assert_ok(store_job_rerun(db, &member_a, id, &whole, &again, NULL));
	queue_token_new(&t);
	assert_ok(store_queue_claim(db, arena, worker_1, 60, &t, &q));
	assert_int_equal(q.job.id, again);
	assert_int_equal(q.src_sealed_len, 10);
	assert_memory_equal(q.src_sealed, "new source", 10);
	assert_memory_equal(q.dst_sealed, "new dest", 8);
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE src_sealed IS NULL"), 1);
}

static void a_rerun_keeps_copies_that_go_by_their_own_days(void **state)
{
	struct queue_token t;
	uint64_t id = make_job(&member_a, 0, 0), again;

	(void)state;
	(void)claim_next(&t);
	finish_as(&t, JOB_DONE);
	run_sql("UPDATE job SET finished_at = finished_at - INTERVAL 31 DAY");
	assert_ok(store_job_rerun(db, &member_a, id, &(struct job_rerun){0}, &again, NULL));
	assert_int_equal(remove_all(store_expiry_passwords, &thirty_days), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE src_sealed = 'sealed source'"), 1);
	assert_int_equal(claim_next(&t), again);
	finish_as(&t, JOB_DONE);
	assert_int_equal(remove_all(store_expiry_passwords, &thirty_days), 0);
	run_sql("UPDATE job SET finished_at = finished_at - INTERVAL 31 DAY WHERE parent_id IS NOT NULL");
	assert_int_equal(remove_all(store_expiry_passwords, &thirty_days), 1);
}

static void who_asks_has_them_removed_at_once_but_not_of_a_job_that_needs_them(void **state)
{
	uint64_t ids[JOB_STATE__MAX];
	bool had;

	(void)state;
	make_one_of_each(ids, 0);
	for (int s = 0; s < JOB_STATE__MAX; s++) {
		assert_int_equal(store_job_remove_passwords(db, &member_b, ids[s], &had), ERR_NOT_FOUND);
		if (s == JOB_QUEUED || s == JOB_RUNNING) {
			assert_int_equal(
			    store_job_remove_passwords(db, &member_a, ids[s], &had), ERR_CONFLICT);
			continue;
		}
		assert_ok(store_job_remove_passwords(db, &member_a, ids[s], &had));
		assert_true(had);
		assert_ok(store_job_remove_passwords(db, &member_a, ids[s], &had));
		assert_false(had);
	}
	assert_string_equal(text(with_passwords), "running,queued");
	assert_int_equal(number("SELECT COUNT(*) FROM job_event WHERE kind = 'passwords_removed'"), 4);
}

/* In how many columns of how many rows of the whole database these bytes stand. */
static int64_t copies_of(const char *bytes)
{
	struct db_rows columns;
	int64_t found = 0;

	assert_ok(db_query(db, arena,
	    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()"
	    " AND data_type IN ('varbinary', 'binary', 'blob', 'mediumblob', 'longblob', 'varchar', 'text',"
	    " 'mediumtext', 'char')",
	    DB_NONE, &columns));
	assert_true(columns.count > 40);
	for (size_t i = 0; i < columns.count; i++)
		found += number(
		    arena_printf(arena, "SELECT COUNT(*) FROM `%s` WHERE INSTR(CAST(`%s` AS BINARY), '%s')",
			db_str(&columns, i, 0), db_str(&columns, i, 1), bytes));
	return found;
}

static void import_one(const char *sealed)
{
	const struct import_row row = {.line = 2,
	    .dry_run = -1,
	    .src_server_id = server_shared,
	    .dst_server_id = server_shared,
	    .src_user = "imported@example.org",
	    .dst_user = "to@example.org",
	    .src_sealed = {sealed, strlen(sealed)},
	    .dst_sealed = {sealed, strlen(sealed)}};
	struct import_writer *w;
	enum import_outcome outcome;
	uint64_t id, batch;

	assert_ok(store_import_begin(db, &member_a, NULL, &w));
	assert_ok(store_import_add(w, &row));
	assert_ok(store_import_end(&w, &id));
	assert_ok(store_import_confirm(db, &member_a, id, "tag", true, false, &outcome, &batch));
	assert_int_equal(outcome, IMPORT_DONE);
}

static void no_copy_of_what_was_removed_is_left_anywhere(void **state)
{
	static const char sealed[] = "a-sealed-box-nobody-else-has";
	struct queue_token t;
	uint64_t id;

	(void)state;
	import_one(sealed);
	id = claim_next(&t);
	finish_as(&t, JOB_DONE);
	assert_true(copies_of(sealed) >= 4);
	assert_ok(store_job_remove_passwords(db, &member_a, id, NULL));
	assert_int_equal(copies_of(sealed), 0);
}

static uint64_t ask_bulk(enum bulk_action action)
{
	uint8_t key[JOB_REQUEST_KEY_BYTES] = {(uint8_t)action, 77};
	const struct bulk_question q = {.action = action, .request_key = key};
	uint64_t id;

	assert_ok(store_bulk_ask(db, &member_a, &q, &id));
	return id;
}

static void a_bulk_action_removes_those_of_all_that_have_ended(void **state)
{
	static const char sealed[] = "a-sealed-box-nobody-else-has";
	uint64_t ids[JOB_STATE__MAX], counts[BULK_OUTCOME__MAX], id;
	struct queue_token t;

	(void)state;
	import_one(sealed);
	(void)claim_next(&t);
	finish_as(&t, JOB_DONE);
	make_one_of_each(ids, 0);
	assert_ok(store_job_remove_passwords(db, &member_a, ids[JOB_FAILED], NULL));
	id = ask_bulk(BULK_REMOVE_PASSWORDS);
	assert_ok(store_bulk_judge(db, &member_a, id, counts));
	assert_int_equal(counts[BULK_PASSWORDS_REMOVED], 4);
	assert_ok(store_bulk_run(db, &member_a, id, 1000));
	assert_ok(store_bulk_counts(db, &member_a, id, counts));
	assert_int_equal(counts[BULK_PASSWORDS_REMOVED], 4);
	assert_int_equal(counts[BULK_NO_PASSWORDS], 1);
	assert_int_equal(counts[BULK_NOT_ENDED], 2);
	assert_int_equal(copies_of(sealed), 0);
	assert_string_equal(text(with_passwords), "running,queued");
	assert_int_equal(number("SELECT COUNT(*) FROM job_event WHERE kind = 'passwords_removed'"), 5);
}

static void a_bulk_rerun_says_which_need_their_passwords(void **state)
{
	uint64_t counts[BULK_OUTCOME__MAX], id;
	struct queue_token t;

	(void)state;
	for (int i = 0; i < 2; i++) {
		import_one("box");
		run_sql(
		    arena_printf(arena, "UPDATE job SET src_user = 'user%d' WHERE src_user LIKE 'imp%%'", i));
		run_sql("DELETE FROM import");
		run_sql("UPDATE batch SET tag = CONCAT('other ', id)");
		id = claim_next(&t);
		finish_as(&t, JOB_DONE);
	}
	assert_ok(store_job_remove_passwords(db, &member_a, id, NULL));
	id = ask_bulk(BULK_RUN_REAL);
	assert_ok(store_bulk_run(db, &member_a, id, 1000));
	assert_ok(store_bulk_counts(db, &member_a, id, counts));
	assert_int_equal(counts[BULK_REQUEUED], 1);
	assert_int_equal(counts[BULK_NEEDS_PASSWORDS], 1);
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE state = 'queued'"), 1);
}

static void logs_of_ended_jobs_go_and_read_as_removed(void **state)
{
	uint64_t ids[JOB_STATE__MAX];
	struct log_slice s;

	(void)state;
	make_one_of_each(ids, 31);
	assert_int_equal(remove_all(store_expiry_logs, &thirty_days), 4);
	assert_int_equal(number("SELECT COUNT(*) FROM job_log"), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM job_event WHERE kind = 'log_removed'"), 4);
	assert_ok(store_log_read(db, arena, &member_a, ids[JOB_DONE], 0, 10, &s));
	assert_true(s.is_removed);
	assert_int_equal(s.len, 0);
	assert_ok(store_log_read(db, arena, &member_a, ids[JOB_RUNNING], 0, 10, &s));
	assert_int_equal(s.len, 5);
	assert_consistent();
}

static void a_removal_of_a_log_that_was_cut_short_is_finished(void **state)
{
	uint64_t ids[JOB_STATE__MAX];
	unsigned count;

	(void)state;
	make_one_of_each(ids, 31);
	run_sql("UPDATE job SET log_removed_at = UTC_TIMESTAMP(6) WHERE state = 'done'");
	assert_consistent();
	assert_ok(store_expiry_logs(db, &thirty_days, &count));
	assert_int_equal(number("SELECT COUNT(*) FROM job_log"), 1);
	assert_int_equal(number("SELECT SUM(log_bytes) FROM job"), 5);
	assert_consistent();
}

static void jobs_go_with_their_logs_and_leave_their_events(void **state)
{
	uint64_t ids[JOB_STATE__MAX];

	(void)state;
	make_one_of_each(ids, 31);
	assert_int_equal(remove_all(store_expiry_jobs, &thirty_days), 4);
	assert_string_equal(text("SELECT GROUP_CONCAT(state ORDER BY id) FROM job"), "running,queued");
	assert_int_equal(number("SELECT COUNT(*) FROM job_log"), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM job_event WHERE kind = 'deleted'"), 4);
	assert_consistent();
}

static int64_t rows_read(void)
{
	return number("SELECT SUM(variable_value) FROM information_schema.session_status"
		      " WHERE variable_name LIKE 'HANDLER_READ%'");
}

static void looking_for_what_expires_costs_nothing_while_nothing_does(void **state)
{
	int64_t counting = rows_read(), before = rows_read();
	unsigned count;

	(void)state;
	counting = before - counting;
	run_sql(arena_printf(arena,
	    "INSERT INTO job (account_id, dry_run, src_server_name, src_host, src_port, src_security, "
	    "src_verify, src_user, src_sealed, dst_server_name, dst_host, dst_port, dst_security, dst_verify,"
	    " dst_user, dst_sealed, state, queued_at, finished_at, log_bytes, reason, updated_at)"
	    " SELECT %lu, 1, 's', 'h', 993, 'tls', 1, CONCAT('u', seq), 's', 'd', 'h', 993, 'tls', 1,"
	    " CONCAT('u', seq), 'd', IF(seq %% 2, 'queued', 'done'), UTC_TIMESTAMP(6),"
	    " IF(seq %% 2, NULL, UTC_TIMESTAMP(6)), 1, IF(seq %% 2, NULL, 'test'), UTC_TIMESTAMP(6)"
	    " FROM seq_1_to_5000",
	    member_a.account_id));
	(void)text("ANALYZE TABLE job");
	before = rows_read();
	assert_ok(store_expiry_passwords(db, &thirty_days, &count));
	assert_ok(store_expiry_logs(db, &thirty_days, &count));
	assert_ok(store_expiry_jobs(db, &thirty_days, &count));
	assert_in_range(rows_read() - before - counting, 0, 10);
}

static void a_chore_is_one_workers_at_a_time(void **state)
{
	(void)state;
	run_sql("UPDATE chore SET worker_id = NULL, due_at = UTC_TIMESTAMP(6)");
	assert_ok(store_chore_take(db, CHORE_EXPIRY, 1, 60));
	assert_int_equal(store_chore_take(db, CHORE_EXPIRY, 2, 60), ERR_NOT_FOUND);
	assert_ok(store_chore_take(db, CHORE_EXPIRY, 1, 60));
	run_sql("UPDATE chore SET due_at = UTC_TIMESTAMP(6)");
	assert_ok(store_chore_take(db, CHORE_EXPIRY, 2, 60));
	assert_ok(store_chore_done(db, CHORE_EXPIRY, 1, 0));
	assert_int_equal(store_chore_take(db, CHORE_EXPIRY, 1, 60), ERR_NOT_FOUND);
	assert_ok(store_chore_done(db, CHORE_EXPIRY, 2, 60));
	assert_int_equal(store_chore_take(db, CHORE_EXPIRY, 1, 60), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(passwords_of_ended_jobs_go_after_their_days_and_no_others),
	    STORE_TEST(every_removal_is_an_event_that_names_its_worker),
	    STORE_TEST(passwords_given_anew_have_days_of_their_own),
	    STORE_TEST(a_job_without_passwords_runs_again_only_with_new_ones),
	    STORE_TEST(a_rerun_keeps_copies_that_go_by_their_own_days),
	    STORE_TEST(who_asks_has_them_removed_at_once_but_not_of_a_job_that_needs_them),
	    STORE_TEST(no_copy_of_what_was_removed_is_left_anywhere),
	    STORE_TEST(a_bulk_action_removes_those_of_all_that_have_ended),
	    STORE_TEST(a_bulk_rerun_says_which_need_their_passwords),
	    STORE_TEST(logs_of_ended_jobs_go_and_read_as_removed),
	    STORE_TEST(a_removal_of_a_log_that_was_cut_short_is_finished),
	    STORE_TEST(jobs_go_with_their_logs_and_leave_their_events),
	    STORE_TEST(looking_for_what_expires_costs_nothing_while_nothing_does),
	    STORE_TEST(a_chore_is_one_workers_at_a_time),
	};

	return FIXTURE_RUN(tests);
}
