/* A session is for who still is what they proved to be, also when that changes at the same moment. */
#include "tests/store/fixture.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "sql/store_second_factor.h"
#include "sql/store_session.h"
#include "sql/store_user_admin.h"

static const uint8_t hash[SESSION_HASH_BYTES] = "0123456789abcdef0123456789abcde";

static struct user proved(void)
{
	struct user u;

	assert_ok(store_user_get(db, arena, member_a.user_id, &u));
	return u;
}

static enum err sign_in(struct db *by, const struct user *u)
{
	return store_session_create(by, hash, u, 3600, NULL, NULL, NULL);
}

static void set_password(void)
{
	assert_ok(store_user_set_password(db, member_a.user_id, "$new"));
}

static void disable(void)
{
	assert_ok(store_user_admit(db, &installation, member_a.user_id, true));
}

static void turn_on(void)
{
	assert_ok(store_second_factor_create(db, member_a.user_id, "box", 3, 1, NULL, 0));
}

static void turn_off(void)
{
	assert_ok(store_second_factor_delete(db, member_a.user_id));
}

static void replace(void)
{
	turn_off();
	turn_on();
}

static void what_was_proved_before_a_change_signs_nobody_in_after_it(void **state)
{
	static const struct {
		bool has_factor;
		void (*change)(void);
	} changes[] = {{false, set_password}, {false, disable}, {false, turn_on}, {true, set_password},
	    {true, turn_off}, {true, replace}};

	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		struct user u;

		assert_int_equal(fixture_reset(state), 0);
		if (changes[i].has_factor) {
			turn_on();
			run_sql("UPDATE second_factor SET created_at = created_at - INTERVAL 1 DAY");
		}
		u = proved();
		changes[i].change();
		assert_int_equal(sign_in(db, &u), ERR_DENIED);
		assert_int_equal(number("SELECT COUNT(*) FROM session"), 0);
		assert_int_equal(number("SELECT COUNT(last_login_at) FROM user"), 0);
		if (changes[i].change == disable)
			continue;
		u = proved();
		assert_ok(sign_in(db, &u));
	}
}

static void who_is_gone_is_not_signed_in(void **state)
{
	struct user u = proved();

	(void)state;
	u.id = 424242;
	assert_int_equal(sign_in(db, &u), ERR_DENIED);
}

struct attempt {
	struct db *db;
	struct user u;
	enum err e;
	atomic_bool is_over;
};

static void *sign_in_at_once(void *arg)
{
	struct attempt *at = arg;

	at->e = sign_in(at->db, &at->u);
	at->is_over = true;
	return NULL;
}

/* Those who change it end the sessions there are, so one that comes in between must wait for them. */
static void a_sign_in_waits_for_a_change_that_is_under_way(void **state)
{
	static const char *const changes[] = {
	    "UPDATE user SET password_hash = '$new' WHERE email = 'member-a@example.org'",
	    "INSERT INTO second_factor (user_id, sealed, last_step, created_at) SELECT id, 'box', 1, "
	    "UTC_TIMESTAMP(6) FROM user WHERE email = 'member-a@example.org'"};

	for (size_t i = 0; i < COUNT_OF(changes); i++) {
		struct attempt at = {0};
		pthread_t thread;

		assert_int_equal(fixture_reset(state), 0);
		at.db = fixture_connect(NULL);
		at.u = proved();
		assert_ok(db_begin(db));
		assert_ok(db_exec(db, changes[i], DB_NONE, NULL));
		assert_ok(db_exec(
		    db, "DELETE FROM session WHERE user_id = ?", DB_ARGS(db_p_u64(member_a.user_id)), NULL));
		assert_int_equal(pthread_create(&thread, NULL, sign_in_at_once, &at), 0);
		/* the server renews this view only when nobody has read it for a tenth of a second */
		while (
		    !at.is_over &&
		    number(
			"SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'") ==
			0)
			(void)poll(NULL, 0, 150);
		assert_ok(db_commit(db));
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_int_equal(at.e, ERR_DENIED);
		assert_int_equal(number("SELECT COUNT(*) FROM session"), 0);
		db_close(&at.db);
	}
}

static void signing_out_ends_links_and_sign_ins_that_wait_for_a_code(void **state)
{
	(void)state;
	run_sql(
	    "INSERT INTO sso_link (id_hash, user_id, issuer, role, return_to, created_at, expires_at) SELECT"
	    " UNHEX(SHA2(email, 256)), id, 'local', role, '/', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL "
	    "1"
	    " HOUR FROM user");
	run_sql(
	    "INSERT INTO login_ticket (id_hash, user_id, password, tries_left, expires_at) SELECT"
	    " UNHEX(SHA2(email, 256)), id, UNHEX(SHA2(password_hash, 256)), 5, UTC_TIMESTAMP(6) + INTERVAL 1"
	    " HOUR FROM user");
	assert_ok(store_user_sign_out(db, &installation, member_a.user_id));
	/* of this user alone */
	assert_int_equal(number("SELECT COUNT(*) FROM sso_link"), number("SELECT COUNT(*) - 1 FROM user"));
	assert_int_equal(
	    number("SELECT COUNT(*) FROM login_ticket"), number("SELECT COUNT(*) - 1 FROM user"));
	assert_int_equal(
	    number("SELECT COUNT(*) FROM sso_link l JOIN user u ON u.id = l.user_id WHERE u.email LIKE"
		   " 'member-a%'"),
	    0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(what_was_proved_before_a_change_signs_nobody_in_after_it),
	    STORE_TEST(who_is_gone_is_not_signed_in),
	    STORE_TEST(signing_out_ends_links_and_sign_ins_that_wait_for_a_code),
	    STORE_TEST(a_sign_in_waits_for_a_change_that_is_under_way),
	};

	return FIXTURE_RUN(tests);
}
