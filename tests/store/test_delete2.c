/* Deleting on the destination: counted by a dry run, confirmed once, by who may, and never by another way. */
#include "tests/store/fixture.h"

#include <string.h>

#include "sql/store_bulk.h"
#include "sql/store_delete2.h"

static const uint8_t key[JOB_REQUEST_KEY_BYTES] = "0123456789abcde";
static const uint8_t other_key[JOB_REQUEST_KEY_BYTES] = "edcba9876543210";

static void allow(void)
{
	run_sql("UPDATE account SET may_delete2 = 1");
}

static struct job_new form(void)
{
	return (struct job_new){.dry_run = true,
	    .src_server_id = server_a,
	    .dst_server_id = server_shared,
	    .src_user = "old@example.org",
	    .dst_user = "new@example.org",
	    .src_sealed = {"s", 1},
	    .dst_sealed = {"d", 1},
	    .options = "{\"noautomap\":true}",
	    .delete2 = true};
}

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* A dry run that has counted so many. */
static uint64_t counted(int64_t count)
{
	struct job_new n = form();
	struct queue_token t;
	struct queue_ending ending = ending_of(JOB_DONE);
	struct job_counters c;
	uint64_t id;

	allow();
	assert_ok(store_job_create(db, &member_a, &n, &id, NULL));
	assert_int_equal(claim_next(&t), id);
	job_counters_init(&c);
	c.messages_to_delete = count;
	ending.counters = &c;
	ending.delete2_digest = DIGEST;
	assert_ok(store_queue_finish(db, &t, &ending));
	return id;
}

static enum err confirm_as(const struct viewer *v, uint64_t id, uint64_t count, const uint8_t *request_key,
    uint64_t *made_r, enum delete2_state *state_r)
{
	const struct delete2_confirmation c = {.count = count, .request_key = request_key};
	bool existed;

	return store_delete2_confirm(db, v, id, &c, made_r, &existed, state_r);
}

static void assert_refused(uint64_t id, uint64_t count, enum delete2_state why)
{
	int64_t jobs = number("SELECT COUNT(*) FROM job");
	enum delete2_state state;
	uint64_t made;

	assert_int_equal(confirm_as(&member_a, id, count, other_key, &made, &state), ERR_CONFLICT);
	assert_int_equal(state, why);
	assert_int_equal(number("SELECT COUNT(*) FROM job"), jobs);
}

static void an_account_may_not_unless_it_is_said(void **state)
{
	struct job_new n = form();
	uint64_t id;

	(void)state;
	assert_int_equal(store_job_create(db, &member_a, &n, &id, NULL), ERR_DENIED);
	assert_int_equal(store_job_create(db, &admin_a, &n, &id, NULL), ERR_DENIED);
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 0);
	allow();
	assert_ok(store_job_create(db, &member_a, &n, &id, NULL));
}

static void only_a_dry_run_can_ask_for_it(void **state)
{
	struct job_new n = form();
	uint64_t id;

	(void)state;
	allow();
	n.dry_run = false;
	assert_int_equal(store_job_create(db, &member_a, &n, &id, NULL), ERR_INVALID);
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 0);
}

static void what_was_counted_is_the_limit_of_a_real_run_like_the_dry_one(void **state)
{
	uint64_t dry = counted(42), real;
	enum delete2_state s;
	struct job j, d;

	(void)state;
	assert_ok(confirm_as(&member_a, dry, 42, key, &real, &s));
	assert_ok(store_job_get(db, arena, &member_a, real, &j));
	assert_ok(store_job_get(db, arena, &member_a, dry, &d));
	assert_true(j.delete2 && !j.dry_run && j.parent_id == dry && j.max_delete == 42);
	assert_string_equal(j.delete2_digest, DIGEST);
	assert_string_equal(j.source.user, d.source.user);
	assert_string_equal(j.destination.user, d.destination.user);
	assert_string_equal(j.destination.host, d.destination.host);
	assert_string_equal(j.options, d.options);
	assert_true(d.delete2_confirmed_at > 0 && d.max_delete == -1);
	assert_string_equal(
	    text("SELECT detail FROM job_event WHERE kind = 'created' ORDER BY id DESC LIMIT 1"),
	    arena_printf(arena, "deletes at most 42 messages, counted by job %llu", (unsigned long long)dry));
}

static void another_number_is_no_confirmation(void **state)
{
	uint64_t dry = counted(42);

	(void)state;
	assert_refused(dry, 41, DELETE2_OTHER);
	assert_refused(dry, 43, DELETE2_OTHER);
	assert_refused(dry, 0, DELETE2_OTHER);
}

static void a_count_is_used_once(void **state)
{
	uint64_t dry = counted(3), real, again;
	enum delete2_state s;
	struct queue_token t;

	(void)state;
	assert_ok(confirm_as(&member_a, dry, 3, key, &real, &s));
	/* the same request again is that job */
	assert_ok(confirm_as(&member_a, dry, 3, key, &again, &s));
	assert_int_equal(real, again);
	assert_refused(dry, 3, DELETE2_USED);
	claim_next(&t);
	finish_as(&t, JOB_INTERRUPTED);
	assert_refused(dry, 3, DELETE2_USED);
	/* nor by deleting what it was used for */
	assert_ok(store_job_delete(db, &member_a, real, NULL));
	assert_refused(dry, 3, DELETE2_USED);
}

static void a_count_that_is_no_count_or_old_is_refused(void **state)
{
	uint64_t dry = counted(3);

	(void)state;
	run_sql("UPDATE job SET finished_at = UTC_TIMESTAMP(6) - INTERVAL 86401 SECOND");
	assert_refused(dry, 3, DELETE2_OLD);
	run_sql(
	    "UPDATE job SET finished_at = UTC_TIMESTAMP(6) - INTERVAL 86390 SECOND, messages_to_delete = 0");
	assert_refused(dry, 0, DELETE2_NOTHING);
	run_sql("UPDATE job SET messages_to_delete = NULL");
	assert_refused(dry, 0, DELETE2_UNCOUNTED);
	run_sql("UPDATE job SET messages_to_delete = 3, delete2_digest = NULL");
	assert_refused(dry, 3, DELETE2_UNCOUNTED);
	run_sql("UPDATE job SET delete2_digest = '" DIGEST "', state = 'failed'");
	assert_refused(dry, 3, DELETE2_UNCOUNTED);
	run_sql("UPDATE job SET state = 'done', delete2 = 0");
	assert_refused(dry, 3, DELETE2_UNCOUNTED);
}

static void other_servers_mailboxes_or_options_make_a_count_void(void **state)
{
	static const char *const changes[] = {
	    "host = 'elsewhere.example.org'", "port = 144", "security = 'none'", "verify = NOT verify"};
	struct job_credentials edits[] = {
	    {.dst_user = "other@example.org"}, {.src_user = "other@example.org"}, {.options = ""}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		uint64_t dry = counted(3);

		run_sql(arena_printf(arena, "UPDATE server SET %s WHERE id = %llu", changes[i],
		    (unsigned long long)(i % 2 ? server_a : server_shared)));
		assert_refused(dry, 3, DELETE2_CHANGED);
		run_sql("DELETE FROM job");
		fixture_reset(state);
	}
	for (size_t i = 0; i < COUNT_OF(edits); i++) {
		uint64_t dry = counted(3);

		assert_ok(store_job_edit(db, &member_a, dry, &edits[i], NULL));
		assert_refused(dry, 3, DELETE2_UNCOUNTED);
	}
}

static void who_may_not_any_more_confirms_nothing(void **state)
{
	uint64_t dry = counted(3);

	(void)state;
	run_sql("UPDATE account SET may_delete2 = 0");
	assert_refused(dry, 3, DELETE2_DENIED);
	run_sql("UPDATE account SET may_delete2 = 1, suspended_at = UTC_TIMESTAMP(6)");
	assert_refused(dry, 3, DELETE2_SUSPENDED);
}

static void another_account_sees_nothing_to_confirm(void **state)
{
	uint64_t dry = counted(3), made;
	enum delete2_state s;

	(void)state;
	assert_int_equal(confirm_as(&member_b, dry, 3, key, &made, &s), ERR_NOT_FOUND);
	assert_int_equal(store_delete2_look(db, &member_b, dry, &s), ERR_NOT_FOUND);
	assert_ok(store_delete2_look(db, &member_a, dry, &s));
	assert_int_equal(s, DELETE2_READY);
}

static void a_claim_asks_once_more(void **state)
{
	uint64_t dry = counted(3), real;
	struct queue_token t;
	struct queue_job j;
	enum delete2_state s;

	(void)state;
	assert_ok(confirm_as(&member_a, dry, 3, key, &real, &s));
	queue_token_new(&t);
	assert_ok(store_queue_claim(db, arena, worker_1, 60, &t, &j));
	assert_false(j.is_delete2_refused || j.is_delete2_changed);
	run_sql("UPDATE account SET may_delete2 = 0");
	assert_ok(store_queue_claim_resolve(db, arena, &t, &j));
	assert_true(j.is_delete2_refused && !j.is_delete2_changed);
}

static void a_server_changed_after_the_confirmation_is_told_and_not_gone_to(void **state)
{
	uint64_t dry = counted(3), real;
	struct queue_token t;
	struct queue_job j;
	enum delete2_state s;
	const char *host;

	(void)state;
	host = text("SELECT dst_host FROM job");
	assert_ok(confirm_as(&member_a, dry, 3, key, &real, &s));
	run_sql("UPDATE server SET host = 'elsewhere.example.org'");
	queue_token_new(&t);
	assert_ok(store_queue_claim(db, arena, worker_1, 60, &t, &j));
	assert_int_equal(j.job.id, real);
	assert_true(j.is_delete2_changed);
	assert_string_equal(j.job.destination.host, host);
}

static void a_queued_deletion_cannot_be_turned_to_another_mailbox(void **state)
{
	uint64_t dry = counted(3), real;
	enum delete2_state s;
	struct job_credentials c = {.dst_user = "other@example.org"};

	(void)state;
	assert_ok(confirm_as(&member_a, dry, 3, key, &real, &s));
	assert_int_equal(store_job_edit(db, &member_a, real, &c, NULL), ERR_CONFLICT);
	assert_string_equal(
	    text(arena_printf(arena, "SELECT dst_user FROM job WHERE id = %llu", (unsigned long long)real)),
	    "new@example.org");
}

static void no_rerun_deletes(void **state)
{
	uint64_t dry = counted(3), real, rerun;
	struct job_rerun wish = {.dry_run = false};
	enum delete2_state s;
	struct queue_token t;
	struct job j;

	(void)state;
	assert_ok(confirm_as(&member_a, dry, 3, key, &real, &s));
	claim_next(&t);
	finish_as(&t, JOB_FAILED);
	assert_ok(store_job_rerun(db, &member_a, real, &wish, &rerun, NULL));
	assert_ok(store_job_get(db, arena, &member_a, rerun, &j));
	assert_true(!j.delete2 && j.max_delete == -1 && !j.dry_run);
	claim_next(&t);
	finish_as(&t, JOB_DONE);
	wish.delete2 = true;
	assert_int_equal(store_job_rerun(db, &member_a, real, &wish, &rerun, NULL), ERR_INVALID);
	wish.dry_run = true;
	assert_ok(store_job_rerun(db, &member_a, real, &wish, &rerun, NULL));
	assert_ok(store_job_get(db, arena, &member_a, rerun, &j));
	assert_true(j.delete2 && j.max_delete == -1 && j.dry_run && j.counters.messages_to_delete == -1);
}

static void many_at_once_are_left_alone(void **state)
{
	static const enum bulk_action actions[] = {BULK_DRY_RUN, BULK_RUN_REAL, BULK_RETRY};
	uint64_t dry = counted(3);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(actions); i++) {
		struct bulk_question q = {.action = actions[i],
		    .jobs = {.ids = &dry, .ids_count = 1},
		    .picked = true,
		    .request_key = key};
		uint64_t id, counts[BULK_OUTCOME__MAX];

		assert_ok(store_bulk_ask(db, &member_a, &q, &id));
		assert_ok(store_bulk_run(db, &member_a, id, 10000));
		assert_ok(store_bulk_counts(db, &member_a, id, counts));
		assert_int_equal(counts[BULK_DELETES], 1);
		run_sql("DELETE FROM bulk");
	}
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 1);
}

/* However it comes about: the database itself refuses. */
static void no_row_deletes_without_a_limit_or_twice(void **state)
{
	uint64_t dry = counted(3), real;
	enum delete2_state s;

	(void)state;
	assert_ok(confirm_as(&member_a, dry, 3, key, &real, &s));
	assert_int_not_equal(
	    db_exec(db, "UPDATE job SET max_delete = NULL WHERE max_delete = 3", DB_NONE, NULL), ERR_OK);
	assert_int_not_equal(
	    db_exec(db, "UPDATE job SET max_delete = 0 WHERE max_delete = 3", DB_NONE, NULL), ERR_OK);
	assert_int_not_equal(db_exec(db, "UPDATE job SET dry_run = 0 WHERE dry_run", DB_NONE, NULL), ERR_OK);
	assert_int_not_equal(
	    db_exec(db, "UPDATE job SET delete2 = 0 WHERE max_delete = 3", DB_NONE, NULL), ERR_OK);
	assert_int_not_equal(
	    db_exec(db, "UPDATE job SET attempts = 2 WHERE max_delete = 3", DB_NONE, NULL), ERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(an_account_may_not_unless_it_is_said),
	    STORE_TEST(only_a_dry_run_can_ask_for_it),
	    STORE_TEST(what_was_counted_is_the_limit_of_a_real_run_like_the_dry_one),
	    STORE_TEST(another_number_is_no_confirmation),
	    STORE_TEST(a_count_is_used_once),
	    STORE_TEST(a_count_that_is_no_count_or_old_is_refused),
	    STORE_TEST(other_servers_mailboxes_or_options_make_a_count_void),
	    STORE_TEST(who_may_not_any_more_confirms_nothing),
	    STORE_TEST(another_account_sees_nothing_to_confirm),
	    STORE_TEST(a_claim_asks_once_more),
	    STORE_TEST(a_server_changed_after_the_confirmation_is_told_and_not_gone_to),
	    STORE_TEST(a_queued_deletion_cannot_be_turned_to_another_mailbox),
	    STORE_TEST(no_rerun_deletes),
	    STORE_TEST(many_at_once_are_left_alone),
	    STORE_TEST(no_row_deletes_without_a_limit_or_twice),
	};

	return FIXTURE_RUN(tests);
}
