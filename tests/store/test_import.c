/* Imports: kept for an hour for the one who made them, and made a batch once. */
#include "tests/store/fixture.h"

#include <string.h>

#include "sql/store_batch.h"
#include "sql/store_import.h"
#include "sql/store_server.h"

static struct import_row row(unsigned line, const char *user)
{
	return (struct import_row){.line = line,
	    .dry_run = -1,
	    .src_server_id = server_a,
	    .dst_server_id = server_shared,
	    .src_user = user,
	    .dst_user = "new@example.org",
	    .src_sealed = {"sealed source", 13},
	    .dst_sealed = {"sealed destination", 18}};
}

/* An import of that many good rows on lines 2, 3, … and bad ones behind. */
static uint64_t make_import(const struct viewer *v, unsigned good, unsigned bad)
{
	struct import_writer *w;
	uint64_t id;

	assert_ok(store_import_begin(db, v, NULL, &w));
	for (unsigned i = 0; i < good; i++) {
		struct import_row r = row(2 + i, arena_printf(arena, "user%05u@example.org", i));

		assert_ok(store_import_add(w, &r));
	}
	for (unsigned i = 0; i < bad; i++) {
		const struct import_bad b = {
		    .line = 2 + good + i, .fields = "1,x", .problems = "destEmail\tbad\n"};

		assert_ok(store_import_add_bad(w, &b));
	}
	assert_ok(store_import_end(&w, &id));
	assert_null(w);
	return id;
}

static enum import_outcome confirm(const struct viewer *v, uint64_t id, const char *tag, uint64_t *batch_r)
{
	enum import_outcome o;

	assert_ok(store_import_confirm(db, v, id, tag, true, false, &o, batch_r));
	return o;
}

static void rows_become_jobs_in_the_order_of_the_file(void **state)
{
	uint64_t id = make_import(&member_a, 100, 0), batch;

	(void)state;
	assert_int_equal(confirm(&member_a, id, "tag", &batch), IMPORT_DONE);
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE state = 'queued' AND dry_run = 1"), 100);
	assert_int_equal(number("SELECT GROUP_CONCAT(src_user ORDER BY queued_at, id) = "
				"GROUP_CONCAT(src_user ORDER BY src_user)"
				" FROM job"),
	    1);
	assert_int_equal(
	    number("SELECT COUNT(*) FROM job_event WHERE kind = 'created' AND to_state = 'queued'"), 100);
	assert_int_equal(number("SELECT COUNT(DISTINCT batch_id) FROM job"), 1);
	assert_string_equal(text("SELECT src_sealed FROM job LIMIT 1"), "sealed source");
	assert_string_equal(text("SELECT dst_server_name FROM job LIMIT 1"), "shared");
	assert_consistent();
}

static void a_row_may_say_itself_whether_it_is_a_dry_run(void **state)
{
	struct import_writer *w;
	uint64_t id, batch;

	(void)state;
	assert_ok(store_import_begin(db, &member_a, NULL, &w));
	for (int d = -1; d <= 1; d++) {
		struct import_row r = row((unsigned)(10 + d), arena_printf(arena, "u%d", d + 1));

		r.dry_run = d;
		assert_ok(store_import_add(w, &r));
	}
	assert_ok(store_import_end(&w, &id));
	assert_int_equal(confirm(&member_a, id, "tag", &batch), IMPORT_DONE);
	assert_string_equal(
	    text("SELECT GROUP_CONCAT(src_user, dry_run ORDER BY id) FROM job"), "u01,u10,u21");
}

/* An import of two rows with these options, confirmed. */
static uint64_t import_with(const char *options, const char *tag)
{
	struct import_writer *w;
	uint64_t id, batch;

	assert_ok(store_import_begin(db, &member_a, options, &w));
	for (unsigned i = 0; i < 2; i++) {
		struct import_row r = row(2 + i, arena_printf(arena, "%s%u", tag, i));

		assert_ok(store_import_add(w, &r));
	}
	assert_ok(store_import_end(&w, &id));
	assert_int_equal(confirm(&member_a, id, tag, &batch), IMPORT_DONE);
	return batch;
}

static void options_are_the_imports_then_the_batchs_and_every_jobs(void **state)
{
	static const char *const none[] = {NULL, ""};
	struct import_writer *w;
	struct import im;
	struct batch b;
	uint64_t id;

	(void)state;
	assert_ok(store_import_begin(db, &member_a, "{\"maxage\":30}", &w));
	assert_ok(store_import_end(&w, &id));
	assert_ok(store_import_get(db, arena, &member_a, id, &im));
	assert_string_equal(im.options, "{\"maxage\":30}");
	assert_int_equal(store_import_get(db, arena, &member_b, id, &im), ERR_NOT_FOUND);
	assert_ok(store_batch_get(db, arena, &member_a, import_with("{\"maxage\":30}", "with"), &b));
	assert_string_equal(b.options, "{\"maxage\":30}");
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE options = '{\"maxage\":30}'"), 2);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t batch = import_with(none[i], i == 0 ? "null" : "empty");

		assert_ok(store_batch_get(db, arena, &member_a, batch, &b));
		assert_null(b.options);
	}
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE options IS NULL"), 4);
}

static void options_longer_than_many_jobs_may_have_begin_no_import(void **state)
{
	char *text = arena_printf(arena, "{\"a\":\"%*s\"}", IMPORT_OPTIONS_MAX_BYTES - 8, "");
	struct import_writer *w;
	uint64_t id;

	(void)state;
	assert_int_equal(strlen(text), IMPORT_OPTIONS_MAX_BYTES);
	assert_ok(store_import_begin(db, &member_a, text, &w));
	assert_ok(store_import_end(&w, &id));
	text = arena_printf(arena, "{\"a\":\"%*s\"}", IMPORT_OPTIONS_MAX_BYTES - 7, "");
	assert_int_equal(store_import_begin(db, &member_a, text, &w), ERR_INVALID);
	assert_int_equal(number("SELECT COUNT(*) FROM import"), 1);
}

/* An access token, sealed, is as long as a job takes it. */
static void the_longest_secret_of_a_job_fits_a_row(void **state)
{
	struct import_row r = row(2, "token");
	struct import_writer *w;
	uint64_t id, batch;

	(void)state;
	r.src_sealed = r.dst_sealed = (struct job_sealed){
	    .bytes = arena_printf(arena, "%*s", JOB_SEALED_MAX, ""), .len = JOB_SEALED_MAX};
	assert_ok(store_import_begin(db, &member_a, NULL, &w));
	assert_ok(store_import_add(w, &r));
	assert_ok(store_import_end(&w, &id));
	assert_int_equal(confirm(&member_a, id, "tag", &batch), IMPORT_DONE);
	assert_int_equal(
	    number("SELECT MIN(LENGTH(src_sealed) + LENGTH(dst_sealed)) FROM job"), 2 * JOB_SEALED_MAX);
}

static void confirming_twice_makes_one_batch(void **state)
{
	uint64_t id = make_import(&member_a, 3, 0), first, second;

	(void)state;
	assert_int_equal(confirm(&member_a, id, "tag", &first), IMPORT_DONE);
	assert_int_equal(confirm(&member_a, id, "tag", &second), IMPORT_DONE_BEFORE);
	assert_int_equal(first, second);
	assert_int_equal(confirm(&member_a, id, "another tag", &second), IMPORT_DONE_BEFORE);
	assert_int_equal(first, second);
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 3);
	assert_int_equal(number("SELECT COUNT(*) FROM batch"), 1);
}

static void a_commit_without_an_answer_is_found_again(void **state)
{
	struct db *proxied = proxy_connect();
	uint64_t id = make_import(&member_a, 3, 0), batch;
	enum import_outcome o;

	(void)state;
	proxy_arm(PROXY_LOSE_ANSWER);
	assert_int_equal(
	    store_import_confirm(proxied, &member_a, id, "tag", true, false, &o, &batch), ERR_UNCERTAIN);
	assert_int_equal(confirm(&member_a, id, "tag", &batch), IMPORT_DONE_BEFORE);
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 3);
	db_close(&proxied);
}

static void a_taken_tag_makes_nothing(void **state)
{
	uint64_t id = make_import(&member_a, 3, 0), batch;

	(void)state;
	assert_ok(store_batch_create(db, &member_a, "Tag", &batch));
	assert_int_equal(confirm(&member_a, id, "tag", &batch), IMPORT_TAG_TAKEN);
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 0);
	assert_int_equal(confirm(&member_a, id, "tag2", &batch), IMPORT_DONE);
}

static void bad_rows_are_left_out_only_when_asked(void **state)
{
	uint64_t id = make_import(&member_a, 3, 2), batch;
	enum import_outcome o;

	(void)state;
	assert_int_equal(confirm(&member_a, id, "tag", &batch), IMPORT_HAS_BAD);
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 0);
	assert_ok(store_import_confirm(db, &member_a, id, "tag", false, true, &o, &batch));
	assert_int_equal(o, IMPORT_DONE);
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE dry_run = 0"), 3);
	assert_int_equal(confirm(&member_a, make_import(&member_a, 0, 1), "tag", &batch), IMPORT_EMPTY);
}

static void a_server_deleted_meanwhile_makes_nothing(void **state)
{
	uint64_t id = make_import(&member_a, 3, 0), batch, queued, running;

	(void)state;
	assert_ok(store_server_delete(db, &member_a, server_a, NULL, &queued, &running));
	assert_int_equal(confirm(&member_a, id, "tag", &batch), IMPORT_SERVER_GONE);
	assert_int_equal(number("SELECT COUNT(*) FROM job") + number("SELECT COUNT(*) FROM batch"), 0);
}

static void a_mailbox_queued_meanwhile_makes_nothing(void **state)
{
	uint64_t id = make_import(&member_a, 3, 0), other = make_import(&member_a, 2, 0), batch;

	(void)state;
	assert_int_equal(confirm(&member_a, other, "first", &batch), IMPORT_DONE);
	assert_int_equal(confirm(&member_a, id, "second", &batch), IMPORT_QUEUED_ELSEWHERE);
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 2);
}

static void nobody_else_sees_an_import(void **state)
{
	const struct viewer *const others[] = {&member_b, &admin_a};
	uint64_t id = make_import(&member_a, 1, 1), batch;
	struct import_bad *bad;
	struct import_pair *pairs;
	struct import_sample *samples;
	struct import im;
	enum import_outcome o;
	size_t count;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		assert_int_equal(store_import_get(db, arena, others[i], id, &im), ERR_NOT_FOUND);
		assert_int_equal(
		    store_import_confirm(db, others[i], id, "tag", true, true, &o, &batch), ERR_NOT_FOUND);
		assert_int_equal(store_import_discard(db, others[i], id), ERR_NOT_FOUND);
		assert_ok(store_import_bad_list(db, arena, others[i], id, 0, 10, &bad, &count));
		assert_int_equal(count, 0);
		assert_ok(store_import_pairs(db, arena, others[i], id, 10, &pairs, &count));
		assert_int_equal(count, 0);
		assert_ok(store_import_samples(db, arena, others[i], id, 10, &samples, &count));
		assert_int_equal(count, 0);
	}
	assert_ok(store_import_get(db, arena, &member_a, id, &im));
	assert_int_equal(im.rows_good, 1);
	assert_int_equal(im.rows_bad, 1);
	assert_ok(store_import_pairs(db, arena, &member_a, id, 10, &pairs, &count));
	assert_int_equal(count, 1);
	assert_string_equal(pairs[0].dst_name, "shared");
	assert_ok(store_import_bad_list(db, arena, &member_a, id, 2, 10, &bad, &count));
	assert_int_equal(count, 1);
	assert_int_equal(bad[0].line, 3);
	assert_ok(store_import_bad_list(db, arena, &member_a, id, 3, 10, &bad, &count));
	assert_int_equal(count, 0);
}

static void an_hour_later_it_is_over_and_swept_away(void **state)
{
	uint64_t id = make_import(&member_a, 30, 3), kept = make_import(&member_a, 1, 1), batch;
	struct import im;
	enum import_outcome o;
	unsigned rounds = 0;
	bool more = true;

	(void)state;
	run_sql(arena_printf(arena, "UPDATE import SET expires_at = UTC_TIMESTAMP(6) WHERE id = %llu",
	    (unsigned long long)id));
	assert_int_equal(store_import_get(db, arena, &member_a, id, &im), ERR_NOT_FOUND);
	assert_int_equal(
	    store_import_confirm(db, &member_a, id, "tag", true, true, &o, &batch), ERR_NOT_FOUND);
	for (; more; rounds++)
		assert_ok(store_import_sweep(db, 10, &more));
	assert_true(rounds > 3);
	assert_int_equal(number("SELECT COUNT(*) FROM import_row"), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM import_bad"), 1);
	assert_int_equal(number("SELECT id FROM import"), (int64_t)kept);
	assert_ok(store_import_discard(db, &member_a, kept));
	assert_int_equal(store_import_get(db, arena, &member_a, kept, &im), ERR_NOT_FOUND);
}

static void of_one_user_ten_wait_at_most(void **state)
{
	uint64_t ids[IMPORT_WAITING_MAX + 2], theirs = make_import(&admin_a, 1, 0);
	struct viewer elsewhere = {
	    .user_id = member_a.user_id, .account_id = member_b.account_id, .role = ROLE_MEMBER};
	struct import im;
	uint64_t for_b;

	(void)state;
	for_b = make_import(&elsewhere, 1, 0);
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		ids[i] = make_import(&member_a, 1, 0);
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		assert_int_equal(
		    store_import_get(db, arena, &member_a, ids[i], &im), i < 2 ? ERR_NOT_FOUND : ERR_OK);
	assert_ok(store_import_get(db, arena, &admin_a, theirs, &im));
	/* who imports for many accounts takes no place from one by importing for another */
	assert_ok(store_import_get(db, arena, &elsewhere, for_b, &im));
}

static void an_abandoned_import_leaves_nothing(void **state)
{
	struct import_row r = row(2, "u");
	struct import_writer *w;

	(void)state;
	assert_ok(store_import_begin(db, &member_a, NULL, &w));
	assert_ok(store_import_add(w, &r));
	assert_int_equal(store_import_add(w, &r), ERR_INVALID);
	store_import_abandon(&w);
	store_import_abandon(&w);
	assert_int_equal(
	    number("SELECT COUNT(*) FROM import") + number("SELECT COUNT(*) FROM import_row"), 0);
}

static void count_active(void *arg, const struct import_active *job)
{
	uint64_t *sum = arg;

	assert_string_equal(job->dst_user, "new@example.org");
	*sum += job->job_id;
}

static void what_is_queued_or_running_is_told_once_each(void **state)
{
	struct queue_token t;
	uint64_t sum = 0, want = 0;

	(void)state;
	want += make_job(&member_a, server_a, 0);
	make_job(&member_b, server_b, 0);
	claim_next(&t);
	for (int i = 0; i < 3; i++)
		want += make_job(&member_a, server_a, 0);
	assert_ok(store_import_active(db, &member_a, count_active, &sum));
	assert_int_equal(sum, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(rows_become_jobs_in_the_order_of_the_file),
	    STORE_TEST(a_row_may_say_itself_whether_it_is_a_dry_run),
	    STORE_TEST(options_are_the_imports_then_the_batchs_and_every_jobs),
	    STORE_TEST(options_longer_than_many_jobs_may_have_begin_no_import),
	    STORE_TEST(the_longest_secret_of_a_job_fits_a_row),
	    STORE_TEST(confirming_twice_makes_one_batch),
	    STORE_TEST(a_commit_without_an_answer_is_found_again),
	    STORE_TEST(a_taken_tag_makes_nothing),
	    STORE_TEST(bad_rows_are_left_out_only_when_asked),
	    STORE_TEST(a_server_deleted_meanwhile_makes_nothing),
	    STORE_TEST(a_mailbox_queued_meanwhile_makes_nothing),
	    STORE_TEST(nobody_else_sees_an_import),
	    STORE_TEST(an_hour_later_it_is_over_and_swept_away),
	    STORE_TEST(of_one_user_ten_wait_at_most),
	    STORE_TEST(an_abandoned_import_leaves_nothing),
	    STORE_TEST(what_is_queued_or_running_is_told_once_each),
	};

	return FIXTURE_RUN(tests);
}
