/* Accounts do not see each other, people sign in and out, and who tries too often waits. */
#include "tests/store/fixture.h"

#include <string.h>

#include "sql/store_account.h"
#include "sql/store_audit.h"
#include "sql/store_log.h"
#include "sql/store_server.h"
#include "sql/store_session.h"
#include "sql/store_throttle.h"
#include "sql/store_user_admin.h"

static const uint8_t hash[SESSION_HASH_BYTES] = "0123456789abcdef0123456789abcde";
static const uint8_t other_hash[SESSION_HASH_BYTES] = "1123456789abcdef0123456789abcde";

static struct server_fields fields(const char *name)
{
	return (struct server_fields){.name = name,
	    .host = "imap.example.org",
	    .port = 143,
	    .security = SECURITY_STARTTLS,
	    .verify = true};
}

/* Everything B can call with the id of a job or server of A, in every state, changes nothing and finds
 * nothing. */
static void another_accounts_rows_do_not_exist(void **state)
{
	const struct job_credentials k = {.src_user = "x", .src_sealed = {"x", 1}};
	struct server_fields f = fields("x");
	struct queue_token t;
	struct job job, *jobs;
	struct job_event *events;
	struct log_slice slice;
	struct server server;
	enum job_state s;
	size_t count;
	uint64_t id = make_job(&member_a, server_a, server_a), made, n1, n2, changed;
	struct job_new n = {.src_server_id = server_a,
	    .dst_server_id = server_shared,
	    .src_user = "u",
	    .dst_user = "v",
	    .src_sealed = {"s", 1},
	    .dst_sealed = {"d", 1}};

	(void)state;
	changed = (uint64_t)number("SELECT CRC32(GROUP_CONCAT(updated_at, state, src_user)) FROM job");
	for (int step = 0; step < 3; step++) {
		assert_int_equal(store_job_get(db, arena, &member_b, id, &job), ERR_NOT_FOUND);
		assert_int_equal(store_job_children(db, arena, &member_b, id, &jobs, &count), ERR_NOT_FOUND);
		assert_int_equal(store_job_edit(db, &member_b, id, &k, NULL), ERR_NOT_FOUND);
		assert_int_equal(store_job_cancel(db, &member_b, id, &s), ERR_NOT_FOUND);
		assert_int_equal(
		    store_job_rerun(db, &member_b, id, &(struct job_rerun){.dry_run = true}, &made, NULL),
		    ERR_NOT_FOUND);
		assert_int_equal(store_job_delete(db, &member_b, id, NULL), ERR_NOT_FOUND);
		assert_int_equal(store_job_events(db, arena, &member_b, id, &events, &count), ERR_NOT_FOUND);
		assert_int_equal(store_log_read(db, arena, &member_b, id, 0, 10, &slice), ERR_NOT_FOUND);
		if (step == 0) {
			assert_int_equal(
			    number("SELECT CRC32(GROUP_CONCAT(updated_at, state, src_user)) FROM job"),
			    changed);
			claim_next(&t);
			assert_ok(store_log_append(db, &t, 0, "secret", 6));
		} else if (step == 1) {
			finish_as(&t, JOB_DONE);
		}
	}
	assert_int_equal(number("SELECT COUNT(*) FROM job_event WHERE user_id IS NOT NULL"), 1);
	assert_int_equal(store_server_get(db, arena, &member_b, server_a, &server), ERR_NOT_FOUND);
	assert_int_equal(store_server_update(db, &member_b, server_a, &f), ERR_NOT_FOUND);
	assert_int_equal(store_server_delete(db, &member_b, server_a, NULL, &n1, &n2), ERR_NOT_FOUND);
	assert_int_equal(store_job_create(db, &member_b, &n, &made, NULL), ERR_NOT_FOUND);
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 1);
}

static void lists_and_counts_hold_ones_own_rows_only(void **state)
{
	struct job_page p = {.limit = 100};
	uint64_t counts[JOB_STATE__MAX];
	struct job_list list;
	struct server *servers;
	struct audit *audits;
	size_t count;

	(void)state;
	make_job(&member_a, 0, 0);
	make_job(&member_b, 0, 0);
	make_job(&member_b, 0, 0);
	assert_ok(store_job_list(db, arena, &member_a, &(struct job_filter){0}, &p, &list));
	assert_int_equal(list.count, 1);
	assert_ok(store_job_list(db, arena, &admin_a, &(struct job_filter){0}, &p, &list));
	assert_int_equal(list.count, 3);
	assert_ok(store_job_counts(db, &member_b, &(struct job_filter){0}, counts));
	assert_int_equal(counts[JOB_QUEUED], 2);
	assert_ok(store_server_list(db, arena, &member_a, &servers, &count));
	assert_int_equal(count, 2);
	assert_string_equal(servers[1].name, "shared");
	assert_int_equal(servers[1].jobs_active, 1); /* not B's */
	assert_false(servers[1].can_edit);
	assert_true(servers[0].can_edit);
	assert_ok(store_server_list(db, arena, &admin_a, &servers, &count));
	assert_int_equal(count, 3);
	assert_int_equal(servers[2].jobs_active, 3);
	assert_ok(store_audit_add(db, &(struct audit){.account_id = member_a.account_id, .action = "login"}));
	assert_ok(store_audit_add(db, &(struct audit){.account_id = member_b.account_id, .action = "login"}));
	assert_ok(store_audit_list(db, arena, &member_a, &(struct audit_filter){0}, 10, &audits, &count));
	assert_int_equal(count, 1);
	assert_ok(store_audit_list(db, arena, &admin_a, &(struct audit_filter){0}, 10, &audits, &count));
	assert_int_equal(count, 2);
}

static void shared_servers_are_the_admins(void **state)
{
	struct server_fields f = fields("mine"), shared = fields("for all");
	struct server server;
	uint64_t id, n1, n2;

	(void)state;
	shared.shared = true;
	assert_int_equal(store_server_create(db, &member_a, &shared, &id), ERR_DENIED);
	assert_int_equal(store_server_update(db, &member_a, server_shared, &f), ERR_DENIED);
	assert_int_equal(store_server_update(db, &member_a, server_a, &shared), ERR_DENIED);
	assert_int_equal(store_server_delete(db, &member_a, server_shared, NULL, &n1, &n2), ERR_DENIED);
	assert_ok(store_server_update(db, &admin_a, server_b, &f));
	assert_ok(store_server_get(db, arena, &member_b, server_b, &server));
	assert_string_equal(server.name, "mine");
	assert_int_equal(server.account_id, member_b.account_id);
	assert_int_equal(server.port, 143);
}

static void names_of_servers_are_unique_in_their_account(void **state)
{
	struct server_fields f = fields("OF a"), bad = fields("x");
	uint64_t id;

	(void)state;
	assert_int_equal(store_server_create(db, &member_a, &f, &id), ERR_CONFLICT);
	assert_ok(store_server_create(db, &member_b, &f, &id));
	bad.host = "a\nb";
	assert_int_equal(store_server_create(db, &member_b, &bad, &id), ERR_INVALID);
	bad = fields("x");
	bad.port = 65536;
	assert_int_equal(store_server_create(db, &member_b, &bad, &id), ERR_INVALID);
	bad = fields("x");
	bad.security = 0;
	assert_int_equal(store_server_create(db, &member_b, &bad, &id), ERR_INVALID);
}

static void a_server_in_use_stays_and_an_unused_one_leaves_its_jobs(void **state)
{
	struct queue_token t;
	struct job job;
	uint64_t id = make_job(&member_a, server_a, 0), queued, running;

	(void)state;
	make_job(&member_a, 0, server_a);
	claim_next(&t);
	assert_int_equal(store_server_delete(db, &member_a, server_a, NULL, &queued, &running), ERR_CONFLICT);
	assert_int_equal(queued, 1);
	assert_int_equal(running, 1);
	finish_as(&t, JOB_DONE);
	claim_next(&t);
	finish_as(&t, JOB_DONE);
	assert_ok(store_server_delete(db, &member_a, server_a, NULL, &queued, &running));
	assert_int_equal(queued + running, 0);
	assert_ok(store_job_get(db, arena, &member_a, id, &job));
	assert_int_equal(job.source.server_id, 0);
	assert_string_equal(job.source.server_name, "of A");
	assert_ok(store_job_rerun(db, &member_a, id, &(struct job_rerun){.dry_run = true}, &id, NULL));
	assert_ok(store_job_get(db, arena, &member_a, id, &job));
	assert_string_equal(job.source.host, "imap.example.org");
}

static void addresses_are_the_same_in_any_case(void **state)
{
	struct user u;
	uint64_t id;

	(void)state;
	assert_ok(store_user_by_email(db, arena, "Member-A@Example.ORG", &u));
	assert_int_equal(u.id, member_a.user_id);
	assert_int_equal(u.role, ROLE_MEMBER);
	assert_string_equal(u.account_name, "A");
	assert_int_equal(
	    store_user_create(db, member_b.account_id, "MEMBER-A@example.org", "x", ROLE_MEMBER, &id),
	    ERR_CONFLICT);
	assert_int_equal(
	    store_user_create(db, 424242, "c@example.org", "x", ROLE_MEMBER, &id), ERR_NOT_FOUND);
	assert_int_equal(
	    store_user_create(db, member_b.account_id, "no address", "x", ROLE_MEMBER, &id), ERR_INVALID);
	assert_int_equal(store_user_by_email(db, arena, "nobody@example.org", &u), ERR_NOT_FOUND);
	assert_int_equal(store_user_by_email(db, arena, "\xff", &u), ERR_NOT_FOUND);
}

static const struct user *member(void)
{
	struct user *u = arena_alloc(arena, sizeof(*u));

	assert_ok(store_user_get(db, arena, member_a.user_id, u));
	return u;
}

static enum err sign_in(const uint8_t *id_hash)
{
	return store_session_create(db, id_hash, member(), 3600, NULL, NULL, NULL);
}

static void a_session_lives_until_a_limit_ends_it(void **state)
{
	struct session s;
	uint64_t removed;

	(void)state;
	assert_ok(store_session_create(db, hash, member(), 3600, "192.0.2.1", "Browser\x01\xff", NULL));
	assert_ok(store_session_touch(db, arena, hash, 600, &s));
	assert_int_equal(s.viewer.user_id, member_a.user_id);
	assert_int_equal(s.viewer.account_id, member_a.account_id);
	assert_string_equal(s.email, "member-a@example.org");
	run_sql("UPDATE session SET last_seen_at = UTC_TIMESTAMP(6) - INTERVAL 599 SECOND");
	assert_ok(store_session_touch(db, arena, hash, 600, &s)); /* being used keeps it */
	assert_int_equal(
	    number("SELECT last_seen_at > UTC_TIMESTAMP(6) - INTERVAL 9 SECOND FROM session"), 1);
	run_sql("UPDATE session SET last_seen_at = UTC_TIMESTAMP(6) - INTERVAL 601 SECOND");
	assert_int_equal(store_session_touch(db, arena, hash, 600, &s), ERR_NOT_FOUND);
	run_sql("UPDATE session SET last_seen_at = UTC_TIMESTAMP(6), expires_at = UTC_TIMESTAMP(6)");
	assert_int_equal(store_session_touch(db, arena, hash, 600, &s), ERR_NOT_FOUND);
	assert_ok(store_session_purge(db, 600, &removed));
	assert_int_equal(removed, 1);
}

static void signing_out_ends_the_session(void **state)
{
	struct session s;

	(void)state;
	assert_ok(sign_in(hash));
	assert_ok(sign_in(other_hash));
	assert_ok(store_session_delete(db, hash));
	assert_ok(store_session_delete(db, hash));
	assert_int_equal(store_session_touch(db, arena, hash, 600, &s), ERR_NOT_FOUND);
	assert_ok(store_session_touch(db, arena, other_hash, 600, &s));
	assert_ok(sign_in(hash));
	assert_ok(store_session_delete_all(db, member_a.user_id, hash));
	assert_ok(store_session_touch(db, arena, hash, 600, &s));
	assert_int_equal(store_session_touch(db, arena, other_hash, 600, &s), ERR_NOT_FOUND);
	assert_ok(store_session_delete_all(db, member_a.user_id, NULL));
	assert_int_equal(number("SELECT COUNT(*) FROM session"), 0);
}

static void whoever_loses_access_loses_the_session(void **state)
{
	struct session s;

	(void)state;
	assert_ok(sign_in(hash));
	assert_ok(store_user_admit(db, &installation, member_a.user_id, true));
	assert_int_equal(store_session_touch(db, arena, hash, 600, &s), ERR_NOT_FOUND);
	assert_ok(store_user_admit(db, &installation, member_a.user_id, false));
	assert_int_equal(store_session_touch(db, arena, hash, 600, &s), ERR_NOT_FOUND);
	assert_ok(sign_in(hash));
	assert_ok(store_user_set_password(db, member_a.user_id, "new"));
	assert_int_equal(store_session_touch(db, arena, hash, 600, &s), ERR_NOT_FOUND);
	assert_ok(sign_in(hash));
	assert_ok(store_session_touch(db, arena, hash, 600, &s));
	assert_false(s.is_suspended);
	assert_ok(store_account_suspend(db, &installation, member_a.account_id, true));
	assert_ok(store_session_touch(db, arena, hash, 600, &s));
	assert_true(s.is_suspended);
	assert_int_equal(store_user_set_password(db, 424242, "new"), ERR_NOT_FOUND);
	assert_int_equal(store_account_suspend(db, &installation, 424242, true), ERR_NOT_FOUND);
}

/* Threat T22. */
static void what_runs_is_stopped_when_its_account_is_suspended(void **state)
{
	uint64_t running = make_job(&member_a, 0, 0), other = make_job(&member_b, 0, 0);
	struct queue_token t, u;

	(void)state;
	assert_int_equal(claim_next(&t), running);
	assert_int_equal(claim_next(&u), other);
	make_job(&member_a, 0, 0);
	assert_ok(store_account_suspend(db, &installation, member_a.account_id, true));
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE cancel_requested_at IS NOT NULL"), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM job_event WHERE kind = 'cancel_asked'"), 1);
	assert_int_equal(
	    number("SELECT job_id FROM job_event WHERE kind = 'cancel_asked'"), (int64_t)running);
	assert_int_equal(state_of(running), JOB_RUNNING);
}

static void who_fails_too_often_waits(void **state)
{
	const struct throttle_rule rule = {.window_s = 600, .failures_max = 3, .block_s = 60};
	unsigned wait;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_ok(store_throttle_count(db, THROTTLE_LOGIN_USER, "a@example.org", &rule, &wait));
		assert_int_equal(wait, 0);
	}
	assert_ok(store_throttle_count(db, THROTTLE_LOGIN_USER, "a@example.org", &rule, &wait));
	assert_in_range(wait, 55, 60);
	assert_ok(store_throttle_check(db, THROTTLE_LOGIN_USER, "a@example.org", &wait));
	assert_in_range(wait, 55, 60);
	assert_ok(store_throttle_check(db, THROTTLE_LOGIN_ADDRESS, "a@example.org", &wait));
	assert_int_equal(wait, 0);
	assert_ok(store_throttle_check(db, THROTTLE_LOGIN_USER, "b@example.org", &wait));
	assert_int_equal(wait, 0);
	run_sql("UPDATE login_throttle SET blocked_until = UTC_TIMESTAMP(6)");
	assert_ok(store_throttle_count(db, THROTTLE_LOGIN_USER, "a@example.org", &rule, &wait));
	assert_int_equal(wait, 0); /* a new window */
	assert_int_equal(number("SELECT failures FROM login_throttle"), 1);
	assert_ok(store_throttle_reset(db, THROTTLE_LOGIN_USER, "a@example.org"));
	assert_int_equal(number("SELECT COUNT(*) FROM login_throttle"), 0);
}

static void old_failures_are_forgotten(void **state)
{
	const struct throttle_rule rule = {.window_s = 600, .failures_max = 3, .block_s = 60};
	unsigned wait;

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_ok(store_throttle_count(db, THROTTLE_PROBE, "7", &rule, &wait));
		assert_int_equal(wait, 0);
		run_sql("UPDATE login_throttle SET window_start = window_start - INTERVAL 601 SECOND");
	}
	run_sql("UPDATE login_throttle SET window_start = window_start - INTERVAL 2 DAY");
	assert_ok(store_throttle_purge(db));
	assert_int_equal(number("SELECT COUNT(*) FROM login_throttle"), 0);
}

static void looking_at_jobs_and_signing_in_are_noted(void **state)
{
	struct user u;

	(void)state;
	assert_ok(store_user_jobs_seen(db, &member_a));
	assert_ok(store_user_jobs_seen(db, &member_a));
	assert_ok(store_user_get(db, arena, member_a.user_id, &u));
	assert_true(u.jobs_seen_at > 0);
	assert_int_equal(u.last_login_at, 0);
	assert_ok(sign_in(hash));
	assert_true(member()->last_login_at > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(another_accounts_rows_do_not_exist),
	    STORE_TEST(lists_and_counts_hold_ones_own_rows_only),
	    STORE_TEST(shared_servers_are_the_admins),
	    STORE_TEST(names_of_servers_are_unique_in_their_account),
	    STORE_TEST(a_server_in_use_stays_and_an_unused_one_leaves_its_jobs),
	    STORE_TEST(addresses_are_the_same_in_any_case),
	    STORE_TEST(a_session_lives_until_a_limit_ends_it),
	    STORE_TEST(signing_out_ends_the_session),
	    STORE_TEST(whoever_loses_access_loses_the_session),
	    STORE_TEST(what_runs_is_stopped_when_its_account_is_suspended),
	    STORE_TEST(who_fails_too_often_waits),
	    STORE_TEST(old_failures_are_forgotten),
	    STORE_TEST(looking_at_jobs_and_signing_in_are_noted),
	};

	return FIXTURE_RUN(tests);
}
