/* Four worker processes at one queue: each job runs exactly once and never more than two at a time.  The same
 * with the naive claim shows that this test would notice. */
#include "tests/store/fixture.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { WORKERS = 4, JOBS = 2000, NAIVE_JOBS = 400, SHARED_JOBS = 300, SHARED_MAILBOXES = 3 };

extern char **environ;

/* What a naive worker does: look, then take. */
static enum err naive_claim(struct arena *a, uint64_t worker_id, struct queue_token *t)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT id FROM job WHERE state = 'queued' ORDER BY queued_at, id LIMIT 1", DB_NONE, &rows);

	if (e != ERR_OK)
		return e;
	t->job_id = db_u64(&rows, 0, 0);
	e = db_exec(db,
	    "UPDATE job SET state = 'running', claim_token = ?, worker_id = ?, started_at = "
	    "UTC_TIMESTAMP(6), finished_at = NULL,"
	    " lease_until = UTC_TIMESTAMP(6) + INTERVAL 60 SECOND WHERE id = ?",
	    DB_ARGS(db_p_blob(t->bytes, JOB_TOKEN_BYTES), db_p_u64(worker_id), db_p_u64(t->job_id)), NULL);
	if (e != ERR_OK)
		return e;
	return db_exec(db,
	    "INSERT INTO job_event (job_id, account_id, at, kind) VALUES (?, 1, UTC_TIMESTAMP(6), 'claimed')",
	    DB_ARGS(db_p_u64(t->job_id)), NULL);
}

/* Ask again what was not answered, as long as the server is there. */
static enum err ask_again(struct queue_token *t, struct queue_job *j)
{
	enum err e = ERR_UNCERTAIN;

	while ((e == ERR_UNCERTAIN || e == ERR_BUSY) && db_reconnect(db) == ERR_OK)
		e = store_queue_claim_resolve(db, arena, t, j);
	return e == ERR_NOT_FOUND ? ERR_BUSY : e; /* it did not happen */
}

static enum err finish(const struct queue_token *t, const struct queue_ending *done)
{
	enum err e = ERR_BUSY;

	while (e == ERR_BUSY || (e == ERR_UNCERTAIN && db_reconnect(db) == ERR_OK))
		e = store_queue_finish(db, t, done);
	return e;
}

/* A worker process: claims and ends jobs until none waits.  Returns its exit status. */
static int work(const char *socket, uint64_t worker_id, bool naive)
{
	struct db_options options = {.socket = socket, .database = "mcv"};
	const struct timespec pause = {.tv_nsec = 500000};
	struct queue_ending done = ending_of(JOB_DONE);

	if (db_open(&options, &db) != ERR_OK)
		return 2;
	arena = arena_new();
	for (;;) {
		struct queue_token t;
		struct queue_job j;
		enum err e;

		arena_reset(arena);
		queue_token_new(&t);
		e = naive ? naive_claim(arena, worker_id, &t)
			  : store_queue_claim(db, arena, worker_id, 60, &t, &j);
		if (e == ERR_UNCERTAIN && !naive)
			e = ask_again(&t, &j);
		if (e == ERR_NOT_FOUND)
			break;
		if (e == ERR_BUSY) {
			nanosleep(&pause, NULL);
			continue;
		}
		if (e == ERR_OK)
			e = finish(&t, &done);
		if (e != ERR_OK && !(naive && e == ERR_LOST)) {
			fprintf(stderr, "# worker: %s: %s\n", err_text(e), db_error(db));
			return 3;
		}
	}
	db_close(&db);
	arena_free(&arena);
	return 0;
}

/* Jobs of as many mailboxes, one after the other. */
static void queue_up(unsigned count, unsigned mailboxes)
{
	run_sql(arena_printf(arena,
	    "INSERT INTO job (account_id, dry_run, src_server_name, src_host, src_port, src_security, "
	    "src_verify,"
	    " src_user, src_sealed, dst_server_name, dst_host, dst_port, dst_security, dst_verify, dst_user, "
	    "dst_sealed,"
	    " state, queued_at, updated_at) SELECT %lu, 1, 's', 'h', 993, 'tls', 1, CONCAT('u', seq %% %u), "
	    "'s', "
	    "'d', 'h', 993, 'tls', 1,"
	    " 'u', 'd', 'queued', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) FROM seq_1_to_%u",
	    member_a.account_id, mailboxes, count));
}

/* Run the workers to the end; returns the most jobs seen running at any look. */
static int64_t run_workers(const char *how)
{
	pid_t pids[WORKERS];
	int left = WORKERS;
	int64_t most = 0;

	for (int i = 0; i < WORKERS; i++) {
		char id[24];

		snprintf(id, sizeof(id), "%lu", worker_1);
		assert_int_equal(
		    posix_spawn(&pids[i], "/proc/self/exe", NULL, NULL,
			(char *[]){"test_claims", (char *)how, (char *)fixture_socket(), id, NULL}, environ),
		    0);
	}
	while (left > 0) {
		const struct timespec pause = {.tv_nsec = 1000000};
		int64_t now = number("SELECT COUNT(*) FROM job WHERE state = 'running'");
		int status;

		arena_reset(arena);
		most = now > most ? now : most;
		for (int i = 0; i < WORKERS; i++)
			if (pids[i] > 0 && waitpid(pids[i], &status, WNOHANG) == pids[i]) {
				assert_true(WIFEXITED(status));
				assert_int_equal(WEXITSTATUS(status), 0);
				pids[i] = 0;
				left--;
			}
		nanosleep(&pause, NULL);
	}
	return most;
}

static const char claimed_twice[] =
    "SELECT COUNT(*) FROM (SELECT job_id FROM job_event WHERE kind = 'claimed'"
    " GROUP BY job_id HAVING COUNT(*) > 1) d";

static void four_workers_run_each_of_two_thousand_jobs_once(void **state)
{
	int64_t most;

	(void)state;
	queue_up(JOBS, JOBS);
	most = run_workers("--work");
	assert_in_range(most, 1, 2);
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE state = 'done'"), JOBS);
	assert_int_equal(number("SELECT COUNT(*) FROM job_event WHERE kind = 'claimed'"), JOBS);
	assert_int_equal(number(claimed_twice), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM job_event WHERE kind = 'finished'"), JOBS);
	assert_int_equal(number("SELECT COUNT(*) FROM run_slot WHERE job_id IS NOT NULL"), 0);
	assert_consistent();
}

static void four_workers_never_run_the_same_mailboxes_twice_at_once(void **state)
{
	(void)state;
	queue_up(SHARED_JOBS, SHARED_MAILBOXES);
	(void)run_workers("--work");
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE state = 'done'"), SHARED_JOBS);
	assert_int_equal(
	    number("SELECT COUNT(*) FROM job a JOIN job b ON a.id < b.id AND a.src_user = b.src_user"
		   " AND a.started_at < b.finished_at AND b.started_at < a.finished_at"),
	    0);
	assert_consistent();
}

static void the_naive_claim_is_caught(void **state)
{
	(void)state;
	queue_up(NAIVE_JOBS, NAIVE_JOBS);
	run_workers("--naive");
	assert_true(number(claimed_twice) > 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(four_workers_run_each_of_two_thousand_jobs_once),
	    STORE_TEST(four_workers_never_run_the_same_mailboxes_twice_at_once),
	    STORE_TEST(the_naive_claim_is_caught),
	};

	if (argc == 4)
		return work(argv[2], strtoull(argv[3], NULL, 10), strcmp(argv[1], "--naive") == 0);
	return FIXTURE_RUN(tests);
}
