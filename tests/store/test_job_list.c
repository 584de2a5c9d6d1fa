/* The jobs list: filters, pages that neither skip nor repeat, counts, and plans that stay cheap. */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/store_log.h"

/* 6 * each jobs: every state equally often, names and moments with many ties. */
static void make_many(const struct viewer *v, unsigned each)
{
	run_sql(arena_printf(arena,
	    "INSERT INTO job (account_id, owner_user_id, name, dry_run, src_server_name, src_host, src_port,"
	    " src_security, src_verify, src_user, src_sealed, dst_server_name, dst_host, dst_port, "
	    "dst_security,"
	    " dst_verify, dst_user, dst_sealed, state, queued_at, started_at, finished_at, reason, worker_id,"
	    " claim_token, lease_until, updated_at)"
	    " SELECT %lu, %lu, IF(seq %% 3 = 0, NULL, CONCAT('Name ', seq %% 7)), 1, 'Old', "
	    "'old.example.org', 993, 'tls', 1,"
	    " CONCAT('user', seq, '@example.org'), 's', 'New', 'new.example.org', 993, 'tls', 1, "
	    "CONCAT('to', seq, '@', %lu), 'd',"
	    " 1 + seq %% 6, '2026-01-01' + INTERVAL seq DIV 4 SECOND,"
	    " IF(seq %% 6 = 0, NULL, '2026-01-02' + INTERVAL seq DIV 5 SECOND),"
	    " IF(seq %% 6 < 2, NULL, '2026-01-03' + INTERVAL seq DIV 3 SECOND), IF(seq %% 6 < 2, NULL, "
	    "'test'),"
	    " IF(seq %% 6 = 1, 1, NULL), IF(seq %% 6 = 1, LPAD(CONCAT(%lu, '.', seq), 16, '0'), NULL),"
	    " IF(seq %% 6 = 1, UTC_TIMESTAMP(6) + INTERVAL 1 HOUR, NULL), UTC_TIMESTAMP(6)"
	    " FROM seq_1_to_%u",
	    v->account_id, v->user_id, v->account_id, v->account_id, each * 6));
}

/* Walk all pages forward, then back, and compare; returns how many rows there are. */
static size_t walk(const struct viewer *v, const struct job_filter *f, enum job_sort sort, bool descending)
{
	struct job_page p = {.sort = sort, .descending = descending, .limit = 7};
	uint64_t *ids = arena_array(arena, 1000, sizeof(*ids));
	struct job_list list;
	size_t count = 0, back;

	do {
		assert_ok(store_job_list(db, arena, v, f, &p, &list));
		for (size_t i = 0; i < list.count; i++) {
			for (size_t k = 0; k < count; k++)
				assert_int_not_equal(ids[k], list.jobs[i].id);
			ids[count++] = list.jobs[i].id;
		}
		assert_true((list.prev != NULL) == (p.after != NULL && list.count > 0));
		p.after = list.next;
	} while (list.next != NULL);
	back = count - list.count;
	while (list.prev != NULL) {
		p.after = NULL;
		p.before = list.prev;
		assert_ok(store_job_list(db, arena, v, f, &p, &list));
		assert_non_null(list.next);
		assert_true(list.count <= back);
		for (size_t i = 0; i < list.count; i++)
			assert_int_equal(list.jobs[i].id, ids[back - list.count + i]);
		back -= list.count;
	}
	assert_int_equal(back, 0);
	return count;
}

static void every_sort_pages_forward_and_back_without_loss(void **state)
{
	(void)state;
	make_many(&member_a, 10);
	make_many(&member_b, 3);
	for (int sort = 0; sort < JOB_SORT__MAX; sort++)
		for (int descending = 0; descending < 2; descending++) {
			assert_int_equal(
			    walk(&member_a, &(struct job_filter){0}, (enum job_sort)sort, descending), 60);
			assert_int_equal(
			    walk(&admin_a, &(struct job_filter){0}, (enum job_sort)sort, descending), 78);
			assert_int_equal(
			    walk(&member_a, &(struct job_filter){.states = 1u << JOB_DONE | 1u << JOB_FAILED},
				(enum job_sort)sort, descending),
			    20);
		}
}

static void sorts_are_in_order(void **state)
{
	struct job_page p = {.limit = 100};
	struct job_list list;

	(void)state;
	make_many(&member_a, 10);
	p.sort = JOB_SORT_STATE;
	assert_ok(store_job_list(db, arena, &member_a, &(struct job_filter){0}, &p, &list));
	for (size_t i = 1; i < list.count; i++)
		assert_true(list.jobs[i - 1].state <= list.jobs[i].state);
	p.sort = JOB_SORT_STARTED;
	p.descending = true;
	assert_ok(store_job_list(db, arena, &member_a, &(struct job_filter){0}, &p, &list));
	assert_int_equal(list.jobs[0].started_at, 0); /* not begun yet: newest of all */
	for (size_t i = 1; i < list.count; i++)
		assert_true(
		    list.jobs[i - 1].started_at == 0 ||
		    (list.jobs[i].started_at != 0 && list.jobs[i - 1].started_at >= list.jobs[i].started_at));
}

static void rows_that_come_and_go_move_no_page(void **state)
{
	struct job_page p = {.sort = JOB_SORT_QUEUED, .descending = true, .limit = 5};
	struct job_list first, second;

	(void)state;
	make_many(&member_a, 5);
	assert_ok(store_job_list(db, arena, &member_a, &(struct job_filter){0}, &p, &first));
	make_job(&member_a, 0, 0);
	run_sql(arena_printf(arena, "DELETE FROM job WHERE id = %lu", first.jobs[4].id));
	p.after = first.next;
	assert_ok(store_job_list(db, arena, &member_a, &(struct job_filter){0}, &p, &second));
	assert_int_equal(second.jobs[0].id, first.jobs[4].id - 1);
}

static void text_finds_names_users_and_hosts_whatever_the_case(void **state)
{
	uint64_t counts[JOB_STATE__MAX], all = 0;
	struct job_page p = {.limit = 100};
	struct job_list list;

	(void)state;
	make_many(&member_a, 2);
	assert_ok(store_job_list(db, arena, &member_a, &(struct job_filter){.text = "USER7@"}, &p, &list));
	assert_int_equal(list.count, 1);
	assert_ok(
	    store_job_list(db, arena, &member_a, &(struct job_filter){.text = "OLD.example"}, &p, &list));
	assert_int_equal(list.count, 12);
	assert_ok(store_job_list(db, arena, &member_a, &(struct job_filter){.text = "name 1"}, &p, &list));
	assert_int_equal(list.count, 2);
	assert_ok(store_job_list(db, arena, &member_a, &(struct job_filter){.text = "%"}, &p, &list));
	assert_int_equal(list.count, 0);
	assert_ok(store_job_list(db, arena, &member_a, &(struct job_filter){.text = "_ser1@"}, &p, &list));
	assert_int_equal(list.count, 0);
	assert_ok(store_job_counts(db, &member_a, &(struct job_filter){.text = "name 1"}, counts));
	for (int s = 0; s < JOB_STATE__MAX; s++)
		all += counts[s];
	assert_int_equal(all, 2);
}

static void counts_ignore_the_state_filter(void **state)
{
	uint64_t counts[JOB_STATE__MAX];

	(void)state;
	make_many(&member_a, 4);
	make_many(&member_b, 1);
	assert_ok(store_job_counts(db, &member_a, &(struct job_filter){.states = 1u << JOB_DONE}, counts));
	for (int s = 0; s < JOB_STATE__MAX; s++)
		assert_int_equal(counts[s], 4);
	assert_ok(store_job_counts(db, &admin_a, &(struct job_filter){0}, counts));
	assert_int_equal(counts[JOB_QUEUED], 5);
}

static void a_page_being_refreshed_is_found_by_its_ids(void **state)
{
	uint64_t ids[3];
	struct job_page p = {.limit = 100};
	struct job_list list;

	(void)state;
	ids[0] = make_job(&member_a, 0, 0);
	ids[1] = make_job(&member_b, 0, 0);
	ids[2] = make_job(&member_a, 0, 0);
	assert_ok(store_job_list(
	    db, arena, &member_a, &(struct job_filter){.ids = ids, .ids_count = 3}, &p, &list));
	assert_int_equal(list.count, 2);
	assert_ok(store_job_list(
	    db, arena, &member_a, &(struct job_filter){.ids = ids, .ids_count = 0}, &p, &list));
	assert_int_equal(list.count, 0);
}

static void cursors_from_elsewhere_are_refused(void **state)
{
	static const char *const bad[] = {"", "q", "q1", "q1.", "qx.1", "q1.1x", "n4.1", "n00.1", "nzz.1",
	    "s9.1.1", "s1.1", "d1.1", "q.1", "q1..1", "q1.1.1"};
	struct job_list list;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct job_page p = {.sort = bad[i][0] == 'n'   ? JOB_SORT_NAME
					     : bad[i][0] == 's' ? JOB_SORT_STATE
								: JOB_SORT_QUEUED,
		    .limit = 5,
		    .after = bad[i]};

		assert_int_equal(
		    store_job_list(db, arena, &member_a, &(struct job_filter){0}, &p, &list), ERR_INVALID);
	}
}

/* From here on the server writes down each statement of this connection with its plan. */
static void plans_begin(void)
{
	run_sql("ANALYZE TABLE job, job_log, account");
	db_close(&db);
	db = fixture_connect(NULL);
	run_sql("SET SESSION log_slow_verbosity = 'query_plan,explain', SESSION long_query_time = 0,"
		" SESSION min_examined_row_limit = 0");
}

/* All lines about statements that hold word; fails if there is none. */
static const char *plan_of(const char *word)
{
	char *path = arena_printf(arena, "%s/data/slow.log", fixture_dir());
	char *log = arena_alloc(arena, 8 << 20), *found = NULL;
	FILE *in = fopen(path, "re");

	assert_non_null(in);
	log[fread(log, 1, (8 << 20) - 1, in)] = '\0';
	fclose(in);
	for (char *p = strstr(log, "# User@Host"); p != NULL;) {
		char *next = strstr(p + 1, "# User@Host");
		size_t len = next != NULL ? (size_t)(next - p) : strlen(p);

		if (memmem(p, len, word, strlen(word)) != NULL)
			found = arena_strndup(arena, p, len);
		p = next;
	}
	if (found == NULL)
		fail_msg("the slow log has no statement with %s", word);
	return found;
}

static void assert_plan(const char *word, const char *index, unsigned rows_max)
{
	const char *plan = plan_of(word);
	const char *examined = strstr(plan, "Rows_examined: ");

	if (strstr(plan, index) == NULL || strstr(plan, "Filesort: Yes") != NULL || examined == NULL ||
	    strtoul(examined + 15, NULL, 10) > rows_max)
		fail_msg("expected index %s, no filesort, at most %u rows:\n%s", index, rows_max, plan);
}

static void the_claim_reads_a_few_rows_of_its_index(void **state)
{
	struct queue_token t;

	(void)state;
	make_many(&member_a, 800);
	run_sql("DELETE FROM job WHERE state = 'running'");
	plans_begin();
	claim_next(&t);
	assert_plan("WHERE j.waits_in = ", "job_turn", 20);
	assert_plan("UPDATE job SET state = 'running'", "PRIMARY", 1);
	assert_plan("UPDATE run_slot SET job_id", "PRIMARY", 1);
}

static void every_list_page_reads_its_index_in_order(void **state)
{
	static const char *const mine[JOB_SORT__MAX] = {"job_account_queued", "job_account_state",
	    "job_account_label", "job_account_started", "job_account_duration"};
	static const char *const all[JOB_SORT__MAX] = {
	    "job_all_queued", "job_queue", "job_all_label", "job_all_started", "job_all_duration"};

	(void)state;
	make_many(&member_a, 800);
	make_many(&member_b, 800);
	plans_begin();
	for (int sort = 0; sort < JOB_SORT__MAX; sort++)
		for (int who = 0; who < 2; who++) {
			const struct viewer *v = who == 0 ? &member_a : &admin_a;
			struct job_page p = {.sort = (enum job_sort)sort, .descending = true, .limit = 50};
			struct job_list list;

			assert_ok(store_job_list(db, arena, v, &(struct job_filter){0}, &p, &list));
			assert_plan("SELECT j.id, j.account_id", who == 0 ? mine[sort] : all[sort], 220);
			for (int page = 0; page < 30; page++) {
				p.after = list.next;
				assert_ok(store_job_list(db, arena, v, &(struct job_filter){0}, &p, &list));
			}
			assert_plan("SELECT j.id, j.account_id", who == 0 ? mine[sort] : all[sort], 300);
		}
}

static void a_tail_reads_a_few_chunks_of_any_log(void **state)
{
	struct queue_token t;
	struct log_slice s;
	uint64_t id = make_job(&member_a, 0, 0);

	(void)state;
	claim_next(&t);
	run_sql(arena_printf(arena,
	    "INSERT INTO job_log (job_id, start, length, encoding, bytes, at)"
	    " SELECT %lu, seq * 100, 100, 0, REPEAT('x', 100), UTC_TIMESTAMP(6) FROM seq_0_to_19999",
	    id));
	run_sql("UPDATE job SET log_bytes = 2000000");
	plans_begin();
	assert_ok(store_log_read(db, arena, &member_a, id, 1999750, 65536, &s));
	assert_int_equal(s.len, 250);
	assert_plan("SELECT start, length, encoding, bytes FROM job_log", "PRIMARY", 20);
	assert_plan("SELECT start, length FROM job_log", "PRIMARY", 2);
	assert_plan("SELECT state, log_bytes", "PRIMARY", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(every_sort_pages_forward_and_back_without_loss),
	    STORE_TEST(sorts_are_in_order),
	    STORE_TEST(rows_that_come_and_go_move_no_page),
	    STORE_TEST(text_finds_names_users_and_hosts_whatever_the_case),
	    STORE_TEST(counts_ignore_the_state_filter),
	    STORE_TEST(a_page_being_refreshed_is_found_by_its_ids),
	    STORE_TEST(cursors_from_elsewhere_are_refused),
	    STORE_TEST(the_claim_reads_a_few_rows_of_its_index),
	    STORE_TEST(every_list_page_reads_its_index_in_order),
	    STORE_TEST(a_tail_reads_a_few_chunks_of_any_log),
	};

	return FIXTURE_RUN(tests);
}
