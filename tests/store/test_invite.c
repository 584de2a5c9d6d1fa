/* Mails with a link: who asks for them, when there is one, and what ends it. */
#include "tests/store/fixture.h"

#include <string.h>

#include "sql/store_account.h"
#include "sql/store_invite.h"
#include "sql/store_user.h"

static const uint8_t hash[USER_LINK_HASH_BYTES] = "one", other_hash[USER_LINK_HASH_BYTES] = "two";

/* Ask for one for the member, and lease it. */
static struct outbox_mail leased(void)
{
	struct outbox_mail m;

	assert_ok(store_invite_add(db, &admin_a, member_a.user_id));
	assert_ok(store_outbox_claim(db, arena, 300, 0, &m));
	return m;
}

static const char *fate(void)
{
	struct outbox_status s;

	assert_ok(store_outbox_of_user(db, arena, &admin_a, member_a.user_id, &s));
	return s.state == OUTBOX_SUPPRESSED ? s.last_error : NULL;
}

static void a_mail_is_asked_for_without_a_link_and_gets_one_when_it_is_sent(void **state)
{
	struct outbox_mail m = leased();
	struct invite invite;
	struct user u;

	(void)state;
	assert_true(m.is_invite);
	assert_int_equal(m.user_id, member_a.user_id);
	assert_int_equal(m.job_id + m.batch_id, 0);
	assert_string_equal(m.to, "member-a@example.org");
	assert_int_equal(number("SELECT COUNT(*) FROM user_link"), 0);
	assert_ok(store_invite_link(db, arena, &m, hash, &invite));
	assert_string_equal(invite.account_name, text("SELECT name FROM account ORDER BY id LIMIT 1"));
	assert_ok(store_user_link_get(db, arena, hash, &u));
	assert_int_equal(u.id, member_a.user_id);
	assert_int_equal(number("SELECT created_by FROM user_link"), admin_a.user_id);
	assert_int_equal(
	    number("SELECT TIMESTAMPDIFF(SECOND, created_at, expires_at) FROM user_link"), USER_LINK_S);
	/* tried again */
	assert_ok(store_invite_link(db, arena, &m, other_hash, &invite));
	assert_int_equal(store_user_link_get(db, arena, hash, &u), ERR_NOT_FOUND);
	assert_ok(store_user_link_get(db, arena, other_hash, &u));
	assert_ok(store_outbox_sent(db, &m));
	assert_int_equal(store_invite_link(db, arena, &m, hash, &invite), ERR_LOST);
}

static void only_administrators_ask_and_only_for_an_address_that_somebody_gave(void **state)
{
	(void)state;
	assert_int_equal(store_invite_add(db, &member_a, member_a.user_id), ERR_DENIED);
	assert_int_equal(store_invite_add(db, &admin_a, 4711), ERR_NOT_FOUND);
	run_sql("UPDATE user SET email = 'bob@whmcs.invalid' WHERE email = 'member-a@example.org'");
	assert_int_equal(store_invite_add(db, &admin_a, member_a.user_id), ERR_INVALID);
	assert_int_equal(number("SELECT COUNT(*) FROM notification"), 0);
}

static void the_last_of_two_that_were_asked_for_is_sent(void **state)
{
	struct outbox_mail m;

	(void)state;
	assert_ok(store_invite_add(db, &admin_a, member_a.user_id));
	m = leased();
	assert_int_equal(m.id, number("SELECT MAX(id) FROM notification"));
	assert_int_equal(store_outbox_claim(db, arena, 300, 0, &m), ERR_NOT_FOUND);
}

static void it_goes_to_the_users_own_address_wherever_the_accounts_mails_go(void **state)
{
	struct outbox_status s;
	struct outbox_mail m;

	(void)state;
	run_sql("UPDATE account SET notify_email = 'everybody@example.org'");
	m = leased();
	assert_string_equal(m.to, "member-a@example.org");
	assert_ok(store_outbox_later(db, &m, 60, "busy"));
	assert_ok(store_outbox_of_user(db, arena, &admin_a, member_a.user_id, &s));
	assert_string_equal(s.to, "member-a@example.org");
	assert_string_equal(text("SELECT last_to FROM notification"), "member-a@example.org");
}

static void one_that_is_to_a_former_address_gets_no_link(void **state)
{
	struct outbox_mail m = leased();
	struct invite invite;

	(void)state;
	run_sql("UPDATE user SET email = 'new@example.org' WHERE email = 'member-a@example.org'");
	assert_int_equal(store_invite_link(db, arena, &m, hash, &invite), ERR_DENIED);
	assert_string_equal(invite.refusal, "the user has another address since");
	assert_int_equal(number("SELECT COUNT(*) FROM user_link"), 0);
}

static void asking_ends_the_links_there_are(void **state)
{
	struct user u;

	(void)state;
	assert_ok(store_user_link_create(db, &admin_a, member_a.user_id, other_hash));
	assert_ok(store_invite_add(db, &admin_a, member_a.user_id));
	assert_int_equal(store_user_link_get(db, arena, other_hash, &u), ERR_NOT_FOUND);
}

static void a_mail_that_is_given_up_takes_its_link_with_it(void **state)
{
	struct outbox_mail m = leased();
	struct invite invite;

	(void)state;
	assert_ok(store_invite_link(db, arena, &m, hash, &invite));
	assert_ok(store_outbox_failed(db, &m, "550 nobody"));
	assert_int_equal(number("SELECT COUNT(*) FROM user_link"), 0);
	assert_string_equal(text("SELECT last_error FROM notification"), "550 nobody");
}

static void who_may_not_sign_in_gets_no_link(void **state)
{
	static const char *const away[] = {"UPDATE user SET disabled_at = UTC_TIMESTAMP(6)",
	    "UPDATE account SET suspended_at = UTC_TIMESTAMP(6)"};
	static const char *const back[] = {
	    "UPDATE user SET disabled_at = NULL", "UPDATE account SET suspended_at = NULL"};
	static const char *const words[] = {"the user is disabled", "the account is suspended"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(away); i++) {
		struct invite invite;
		struct outbox_mail m;

		assert_ok(store_invite_add(db, &admin_a, member_a.user_id));
		run_sql(away[i]);
		assert_ok(store_outbox_claim(db, arena, 300, 0, &m));
		assert_int_equal(store_invite_link(db, arena, &m, hash, &invite), ERR_DENIED);
		assert_string_equal(invite.refusal, words[i]);
		assert_ok(store_outbox_suppressed(db, &m, invite.refusal));
		assert_string_equal(fate(), words[i]);
		run_sql(back[i]);
	}
	assert_int_equal(number("SELECT COUNT(*) FROM user_link"), 0);
	assert_int_equal(number("SELECT COUNT(*) FROM job_event"), 0);
}

static void set_password(void)
{
	assert_ok(store_user_set_password(db, member_a.user_id, "$new"));
}

static void use_link(void)
{
	run_sql("INSERT INTO user_link (id_hash, user_id, created_at, expires_at) SELECT 'shown', id,"
		" UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL 1 HOUR FROM user WHERE email ="
		" 'member-a@example.org'");
	assert_ok(store_user_link_use(db, (const uint8_t[USER_LINK_HASH_BYTES]){"shown"}, "$new"));
}

static void make_link(void)
{
	assert_ok(store_user_link_create(db, &admin_a, member_a.user_id, other_hash));
}

static void change_role(void)
{
	assert_ok(store_user_set_role(db, &admin_a, member_a.user_id, ROLE_ADMIN));
}

static void disable(void)
{
	assert_ok(store_user_admit(db, &admin_a, member_a.user_id, true));
}

static void close_account(void)
{
	assert_ok(store_account_close(db, &installation, member_a.account_id));
}

/* What ends a link ends the mail that would bring one, even when it is being sent. */
static void a_mail_does_not_outlive_what_ends_a_link(void **state)
{
	static const struct {
		void (*end)(void);
		const char *why;
	} ends[] = {{set_password, "a password was set since"}, {use_link, "a password was set since"},
	    {make_link, "a link was made to be passed on since"}, {change_role, "the role was changed since"},
	    {disable, "the user was disabled or enabled since"}, {close_account, "the account was closed"}};

	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		struct invite invite;
		struct outbox_mail m;

		assert_int_equal(fixture_reset(state), 0);
		run_sql("INSERT INTO user (account_id, email, password_hash, role, created_at) SELECT"
			" MAX(account_id), 'root@example.org', '!', 'admin', UTC_TIMESTAMP(6) FROM user");
		m = leased();
		ends[i].end();
		assert_int_equal(store_invite_link(db, arena, &m, hash, &invite), ERR_LOST);
		assert_int_equal(store_outbox_sent(db, &m), ERR_LOST);
		assert_int_equal(store_outbox_claim(db, arena, 300, 0, &m), ERR_NOT_FOUND);
		assert_int_equal(number("SELECT COUNT(*) FROM user_link WHERE id_hash LIKE 'one%'"), 0);
		if (ends[i].end != close_account)
			assert_string_equal(fate(), ends[i].why);
		assert_string_equal(text("SELECT last_error FROM notification"), ends[i].why);
	}
}

static void a_stranger_does_not_see_what_became_of_it(void **state)
{
	struct outbox_status s;

	(void)state;
	assert_ok(store_invite_add(db, &admin_a, member_a.user_id));
	assert_int_equal(store_outbox_of_user(db, arena, &member_b, member_a.user_id, &s), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(a_mail_is_asked_for_without_a_link_and_gets_one_when_it_is_sent),
	    STORE_TEST(only_administrators_ask_and_only_for_an_address_that_somebody_gave),
	    STORE_TEST(the_last_of_two_that_were_asked_for_is_sent),
	    STORE_TEST(it_goes_to_the_users_own_address_wherever_the_accounts_mails_go),
	    STORE_TEST(one_that_is_to_a_former_address_gets_no_link),
	    STORE_TEST(asking_ends_the_links_there_are),
	    STORE_TEST(a_mail_that_is_given_up_takes_its_link_with_it),
	    STORE_TEST(who_may_not_sign_in_gets_no_link),
	    STORE_TEST(a_mail_does_not_outlive_what_ends_a_link),
	    STORE_TEST(a_stranger_does_not_see_what_became_of_it),
	};

	return FIXTURE_RUN(tests);
}
