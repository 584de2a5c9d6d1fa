/* What administrators allow: limits hold whoever makes the jobs; nobody else makes or raises anybody. */
#include "tests/store/fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "sql/store_account.h"
#include "sql/store_bulk.h"
#include "sql/store_user.h"
#include "sql/store_user_admin.h"

static const uint8_t hash[USER_LINK_HASH_BYTES] = "0123456789abcdef0123456789abcde";

static void limit(int64_t queued, int64_t daily, const char *host)
{
	const struct account_fields f = {.name = "A",
	    .max_queued = queued,
	    .max_daily = daily,
	    .hosts = &host,
	    .host_count = host != NULL};
	uint64_t id = member_a.account_id;

	assert_ok(store_account_save(db, &admin_a, &id, &f));
}

static enum err create(const struct viewer *v, uint64_t destination)
{
	const struct job_new n = {.src_server_id = server_shared,
	    .dst_server_id = destination,
	    .src_user = "u",
	    .dst_user = "v",
	    .src_sealed = {"s", 1},
	    .dst_sealed = {"d", 1}};
	uint64_t id;

	return store_job_create(db, v, &n, &id, NULL);
}

static void no_more_jobs_wait_than_allowed(void **state)
{
	struct queue_token t;

	(void)state;
	limit(2, -1, NULL);
	assert_ok(create(&member_a, server_a));
	assert_ok(create(&member_a, server_a));
	assert_int_equal(create(&member_a, server_a), ERR_LIMIT);
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 2);
	assert_ok(create(&member_b, server_b));
	claim_next(&t);
	assert_ok(create(&member_a, server_a));
}

static void no_more_jobs_are_made_in_a_day_than_allowed_deleted_ones_counted(void **state)
{
	uint64_t first;
	struct account a;

	(void)state;
	limit(-1, 2, NULL);
	first = make_job(&member_a, 0, 0);
	assert_ok(create(&member_a, server_a));
	assert_ok(store_job_delete(db, &member_a, first, NULL));
	assert_int_equal(create(&member_a, server_a), ERR_LIMIT);
	assert_ok(store_account_get(db, arena, member_a.account_id, &a));
	assert_int_equal(a.made_today, 2);
	run_sql("UPDATE account SET made_on = UTC_DATE() - INTERVAL 1 DAY");
	assert_ok(create(&member_a, server_a));
}

static void reruns_and_bulk_actions_count(void **state)
{
	struct queue_token t;
	uint64_t id = make_job(&member_a, 0, 0), made, bulk;
	const uint64_t ids[] = {id};
	uint8_t key[JOB_REQUEST_KEY_BYTES] = "0123456789abcde";
	const struct bulk_question q = {
	    .action = BULK_RETRY, .request_key = key, .jobs = {.ids = ids, .ids_count = 1}, .picked = true};

	(void)state;
	claim_next(&t);
	finish_as(&t, JOB_FAILED);
	limit(0, -1, NULL);
	assert_int_equal(
	    store_job_rerun(db, &member_a, id, &(struct job_rerun){.dry_run = true}, &made, NULL), ERR_LIMIT);
	assert_ok(store_bulk_ask(db, &member_a, &q, &bulk));
	assert_int_equal(store_bulk_run(db, &member_a, bulk, 1000), ERR_LIMIT);
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 1);
	limit(1, -1, NULL);
	assert_ok(store_bulk_run(db, &member_a, bulk, 1000));
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 2);
}

static void jobs_go_to_allowed_hosts_only(void **state)
{
	static const char *const fits[] = {"imap.example.org", "*.example.org", "IMAP.Example.ORG"};
	static const char *const others[] = {
	    "example.org", "imap.example.com", "*.imap.example.org", "*.org.example"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fits); i++) {
		limit(-1, -1, fits[i]);
		assert_ok(create(&member_a, server_a));
	}
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		limit(-1, -1, others[i]);
		assert_int_equal(create(&member_a, server_a), ERR_LIMIT);
	}
	assert_int_equal(number("SELECT COUNT(*) FROM job"), 3);
}

/* The server was edited, or the list shortened, while the job waited. */
static void a_waiting_job_whose_host_is_no_longer_allowed_is_told_when_claimed(void **state)
{
	struct queue_token t;
	struct queue_job j;

	(void)state;
	limit(-1, -1, "imap.example.org");
	make_job(&member_a, 0, server_a);
	run_sql("UPDATE server SET host = 'elsewhere.example.com'");
	queue_token_new(&t);
	assert_ok(store_queue_claim(db, arena, worker_1, 60, &t, &j));
	assert_true(j.is_dst_refused);
}

static void only_an_active_administrator_changes_accounts_and_users(void **state)
{
	const struct account_fields f = {.name = "New", .max_queued = -1, .max_daily = -1};
	struct viewer former = admin_a, liar = member_a;
	const struct viewer *const who[] = {&member_a, &liar, &former};
	uint64_t id = 0, user;

	(void)state;
	assert_ok(
	    store_user_invite(db, &admin_a, member_a.account_id, "second@example.org", ROLE_ADMIN, &user));
	former.user_id = user;
	liar.role = ROLE_ADMIN; /* as if the session had been read wrongly */
	assert_ok(store_user_admit(db, &admin_a, user, true));
	for (size_t i = 0; i < COUNT_OF(who); i++) {
		const struct viewer *v = who[i];

		assert_int_equal(store_account_save(db, v, &id, &f), ERR_DENIED);
		assert_int_equal(store_account_suspend(db, v, member_b.account_id, true), ERR_DENIED);
		assert_int_equal(
		    store_user_invite(db, v, v->account_id, "x@example.org", ROLE_ADMIN, &user), ERR_DENIED);
		assert_int_equal(store_user_set_role(db, v, member_a.user_id, ROLE_ADMIN), ERR_DENIED);
		assert_int_equal(store_user_admit(db, v, member_b.user_id, true), ERR_DENIED);
		assert_int_equal(store_user_sign_out(db, v, member_b.user_id), ERR_DENIED);
		assert_int_equal(store_user_link_create(db, v, admin_a.user_id, hash), ERR_DENIED);
	}
	assert_int_equal(number("SELECT COUNT(*) FROM user WHERE role = 'admin'"), 2);
	assert_int_equal(number("SELECT COUNT(*) FROM account"), 2);
	assert_int_equal(number("SELECT COUNT(*) FROM user_link"), 0);
}

static void nobody_locks_themselves_or_everybody_out(void **state)
{
	(void)state;
	assert_int_equal(store_user_set_role(db, &admin_a, admin_a.user_id, ROLE_MEMBER), ERR_CONFLICT);
	assert_int_equal(store_user_admit(db, &admin_a, admin_a.user_id, true), ERR_CONFLICT);
	assert_int_equal(store_user_set_role(db, &installation, admin_a.user_id, ROLE_MEMBER), ERR_CONFLICT);
	assert_int_equal(store_account_suspend(db, &admin_a, admin_a.account_id, true), ERR_CONFLICT);
	assert_int_equal(number("SELECT COUNT(*) FROM user WHERE role = 'admin' AND disabled_at IS NULL"), 1);
}

struct demotion {
	struct db *db;
	const struct viewer *by;
	uint64_t who;
	enum err e;
	atomic_bool ended;
};

static void *demote(void *arg)
{
	struct demotion *d = arg;

	d->e = store_user_set_role(d->db, d->by, d->who, ROLE_MEMBER);
	d->ended = true;
	return NULL;
}

/* Who is given the external id, or an address, next does not come upon what was the former one's. */
static void a_closed_account_ends_whole_and_frees_its_names(void **state)
{
	struct account_fields f = {.name = "A",
	    .issuer = "local",
	    .external_id = "bob",
	    .max_queued = -1,
	    .max_daily = -1,
	    .panel_origins = "https://p",
	    .notify_email = "n@example.org"};
	struct queue_token t;
	struct account a;
	uint64_t id = member_a.account_id, other = 0, user;

	(void)state;
	assert_ok(store_account_save(db, &installation, &id, &f));
	make_job(&member_a, 0, 0);
	make_job(&member_a, 0, 0);
	make_job(&member_b, 0, server_b);
	claim_next(&t);
	run_sql(
	    "INSERT INTO session (id_hash, user_id, created_at, last_seen_at, expires_at) SELECT "
	    "UNHEX(SHA2(email, 256)), id, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) FROM user");
	assert_ok(store_user_link_create(db, &admin_a, member_a.user_id, hash));
	assert_int_equal(store_account_close(db, &member_b, id), ERR_DENIED);
	assert_int_equal(store_account_close(db, &admin_a, 987654), ERR_NOT_FOUND);
	/* the only administrator belongs to it */
	assert_int_equal(store_account_close(db, &admin_a, id), ERR_CONFLICT);
	assert_int_equal(store_account_close(db, &installation, id), ERR_CONFLICT);
	assert_ok(store_user_invite(
	    db, &installation, member_b.account_id, "second@example.org", ROLE_ADMIN, &user));
	for (int again = 0; again < 2; again++)
		assert_ok(store_account_close(db, &installation, id));
	assert_ok(store_account_get(db, arena, id, &a));
	assert_true(a.closed_at != 0 && a.suspended_at != 0 && a.queued == 0);
	assert_null(a.external_ids);
	assert_null(a.panel_origins);
	assert_null(a.notify_email);
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE state = 'cancelled'"), 1);
	assert_int_equal(
	    number("SELECT COUNT(*) FROM job WHERE state = 'running' AND cancel_requested_at IS NOT NULL"),
	    1);
	assert_int_equal(number("SELECT COUNT(*) FROM job WHERE state = 'queued'"), 1);
	assert_int_equal(number("SELECT COUNT(*) FROM job_event WHERE detail = 'account closed'"), 3);
	assert_int_equal(
	    number("SELECT COUNT(*) FROM job WHERE src_sealed IS NULL AND state = 'cancelled'"), 1);
	assert_int_equal(
	    number("SELECT COUNT(*) FROM user WHERE email LIKE 'closed-%' AND disabled_at IS NULL"), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM session s JOIN user u ON u.id = s.user_id WHERE "
				"u.email LIKE 'closed-%'"),
	    0);
	assert_int_equal(number("SELECT COUNT(*) FROM user_link"), 0);
	assert_int_equal(store_account_suspend(db, &installation, id, false), ERR_NOT_FOUND);
	assert_int_equal(
	    store_user_invite(db, &installation, id, "late@example.org", ROLE_MEMBER, &user), ERR_NOT_FOUND);
	assert_int_equal(store_account_save(db, &installation, &id, &f), ERR_NOT_FOUND);
	assert_int_equal(store_account_by_external(db, arena, "local", "bob", &a), ERR_NOT_FOUND);
	assert_ok(store_account_save(db, &installation, &other, &f));
	assert_ok(store_user_invite(db, &installation, other, "member-a@example.org", ROLE_MEMBER, &user));
}

static void nobody_gets_into_a_closed_account(void **state)
{
	struct user u;
	uint64_t user;

	(void)state;
	assert_ok(store_account_close(db, &installation, member_b.account_id));
	assert_int_equal(store_user_admit(db, &installation, member_b.user_id, false), ERR_INVALID);
	assert_ok(store_user_get(db, arena, member_b.user_id, &u));
	assert_true(u.disabled_at != 0 && u.account_closed_at != 0);
	assert_int_equal(
	    store_user_create(db, member_b.account_id, "late@example.org", "$x", ROLE_MEMBER, &user),
	    ERR_NOT_FOUND);
	assert_int_equal(number("SELECT COUNT(*) FROM user WHERE email = 'late@example.org'"), 0);
	assert_ok(store_user_admit(db, &installation, member_a.user_id, true));
	assert_ok(store_user_admit(db, &installation, member_a.user_id, false));
}

static void two_administrators_who_demote_each_other_do_not_both(void **state)
{
	/* that view is made anew only when nobody read it for a tenth of a second */
	const struct timespec pause = {.tv_nsec = 200000000};
	struct demotion d = {.db = fixture_connect(NULL), .by = &admin_a};
	struct viewer second = admin_a;
	mono_time begun = mono_now();
	pthread_t thread;

	(void)state;
	assert_ok(store_user_invite(
	    db, &admin_a, member_a.account_id, "second@example.org", ROLE_ADMIN, &second.user_id));
	d.who = second.user_id;
	/* what the second does at the same moment is not committed yet */
	assert_ok(db_begin(db));
	assert_ok(db_exec(
	    db, "UPDATE user SET role = 'member' WHERE id = ?", DB_ARGS(db_p_u64(admin_a.user_id)), NULL));
	assert_int_equal(pthread_create(&thread, NULL, demote, &d), 0);
	while (
	    !d.ended &&
	    number("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'") == 0 &&
	    mono_diff_ms(begun, mono_now()) < 30000)
		(void)nanosleep(&pause, NULL);
	assert_ok(db_commit(db));
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(d.e, ERR_CONFLICT);
	assert_int_equal(number("SELECT COUNT(*) FROM user WHERE role = 'admin'"), 1);
	db_close(&d.db);
}

static void a_link_sets_a_password_once_and_ends_sessions(void **state)
{
	struct user u;

	(void)state;
	assert_int_equal(store_user_link_get(db, arena, hash, &u), ERR_NOT_FOUND);
	assert_ok(store_user_link_create(db, &admin_a, member_a.user_id, hash));
	run_sql(
	    "INSERT INTO session (id_hash, user_id, created_at, last_seen_at, expires_at) SELECT 'x', id,"
	    " UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) FROM user WHERE email LIKE 'member-a%'");
	assert_ok(store_user_link_get(db, arena, hash, &u));
	assert_string_equal(u.email, "member-a@example.org");
	assert_ok(store_user_link_use(db, hash, "$new"));
	assert_int_equal(store_user_link_use(db, hash, "$other"), ERR_NOT_FOUND);
	assert_string_equal(text("SELECT password_hash FROM user WHERE email LIKE 'member-a%'"), "$new");
	assert_int_equal(number("SELECT COUNT(*) FROM session"), 0);
}

static void a_link_that_is_old_or_of_a_disabled_user_is_none(void **state)
{
	struct user u;

	(void)state;
	assert_ok(store_user_link_create(db, &admin_a, member_a.user_id, hash));
	run_sql("UPDATE user_link SET expires_at = UTC_TIMESTAMP(6)");
	assert_int_equal(store_user_link_use(db, hash, "$x"), ERR_NOT_FOUND);
	assert_ok(store_user_link_create(db, &admin_a, member_a.user_id, hash));
	assert_ok(store_user_admit(db, &admin_a, member_a.user_id, true));
	assert_int_equal(store_user_link_get(db, arena, hash, &u), ERR_NOT_FOUND);
	assert_int_equal(store_user_link_use(db, hash, "$x"), ERR_NOT_FOUND);
}

static void a_link_does_not_outlive_another_password_a_disabling_or_the_role(void **state)
{
	struct user u;

	(void)state;
	assert_ok(store_user_link_create(db, &admin_a, member_a.user_id, hash));
	assert_ok(store_user_set_password(db, member_a.user_id, "$by hand"));
	assert_int_equal(store_user_link_get(db, arena, hash, &u), ERR_NOT_FOUND);
	assert_ok(store_user_link_create(db, &admin_a, member_a.user_id, hash));
	for (int disabled = 1; disabled >= 0; disabled--)
		assert_ok(store_user_admit(db, &admin_a, member_a.user_id, disabled));
	assert_int_equal(store_user_link_get(db, arena, hash, &u), ERR_NOT_FOUND);
	assert_ok(store_user_link_create(db, &admin_a, member_a.user_id, hash));
	assert_ok(store_user_set_role(db, &admin_a, member_a.user_id, ROLE_ADMIN));
	assert_int_equal(store_user_link_get(db, arena, hash, &u), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(no_more_jobs_wait_than_allowed),
	    STORE_TEST(no_more_jobs_are_made_in_a_day_than_allowed_deleted_ones_counted),
	    STORE_TEST(reruns_and_bulk_actions_count),
	    STORE_TEST(jobs_go_to_allowed_hosts_only),
	    STORE_TEST(a_waiting_job_whose_host_is_no_longer_allowed_is_told_when_claimed),
	    STORE_TEST(only_an_active_administrator_changes_accounts_and_users),
	    STORE_TEST(nobody_locks_themselves_or_everybody_out),
	    STORE_TEST(a_closed_account_ends_whole_and_frees_its_names),
	    STORE_TEST(nobody_gets_into_a_closed_account),
	    STORE_TEST(two_administrators_who_demote_each_other_do_not_both),
	    STORE_TEST(a_link_sets_a_password_once_and_ends_sessions),
	    STORE_TEST(a_link_that_is_old_or_of_a_disabled_user_is_none),
	    STORE_TEST(a_link_does_not_outlive_another_password_a_disabling_or_the_role),
	};

	return FIXTURE_RUN(tests);
}
