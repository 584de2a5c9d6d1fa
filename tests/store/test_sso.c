/* Links that sign in: once, for a moment, exactly whom their issuer calls so, and never more than a member by
 * mistake. */
#include "tests/store/fixture.h"

#include <pthread.h>
#include <string.h>

#include "lib/scope.h"
#include "sql/store_account.h"
#include "sql/store_sso.h"
#include "sql/store_token.h"
#include "sql/store_user_admin.h"

static const uint8_t hash[SSO_HASH_BYTES] = "0123456789abcdef0123456789abcde";
static enum sso_refusal why;
static struct sso_issued issued;
static struct sso_link opened;

/* As the machine's own socket asks for root. */
static const struct sso_issuer local = {
    .name = "local", .may_create_account = true, .may_give_email = true, .role_max = ROLE_ADMIN};

static enum err issue(const struct sso_issuer *by, const struct sso_wish *w)
{
	run_sql("DELETE FROM sso_link");
	return store_sso_issue(db, by, w, hash, &issued, &why);
}

static enum err issue_for(const struct sso_issuer *by, const char *account, const char *user)
{
	return issue(by, &(struct sso_wish){.account = account, .user = user});
}

static enum err use(void)
{
	return store_sso_use(db, arena, hash, &opened);
}

static void name_account(const struct viewer *of, const char *issuer, const char *id)
{
	assert_ok(store_external_set(db, EXTERNAL_ACCOUNT, of->account_id, issuer, id));
}

static void name_user(const struct viewer *of, const char *issuer, const char *id)
{
	assert_ok(store_external_set(db, EXTERNAL_USER, of->user_id, issuer, id));
}

static void accounts_and_users_are_made_once_and_found_again(void **state)
{
	uint64_t account, user;

	(void)state;
	assert_ok(issue_for(&local, "bob", "bob"));
	assert_true(issued.is_new_account && issued.is_new_user);
	account = issued.account_id;
	user = issued.user_id;
	assert_ok(use());
	assert_int_equal(opened.user.id, user);
	assert_int_equal(opened.user.account_id, account);
	assert_int_equal(opened.user.role, ROLE_MEMBER);
	assert_false(opened.user.has_password);
	assert_string_equal(opened.user.email, "bob@local.invalid");
	assert_string_equal(opened.return_to, "/migration/jobs");
	assert_string_equal(opened.issuer, "local");
	assert_ok(issue_for(&local, "bob", "bob"));
	assert_false(issued.is_new_account || issued.is_new_user);
	assert_int_equal(issued.account_id, account);
	assert_int_equal(issued.user_id, user);
	assert_ok(issue_for(&local, "bob", "Bob von B"));
	assert_true(issued.is_new_user && !issued.is_new_account);
}

static void an_account_is_made_only_by_who_may(void **state)
{
	const struct sso_issuer none = {.name = "whmcs", .role_max = ROLE_ADMIN};

	(void)state;
	assert_int_equal(issue_for(&none, "7", "u"), ERR_NOT_FOUND);
	assert_int_equal(why, SSO_NO_ACCOUNT);
	assert_int_equal(number("SELECT COUNT(*) FROM account"), 2);
	name_account(&member_a, "local", "7");
	assert_int_equal(issue_for(&none, "7", "u"), ERR_NOT_FOUND);
	name_account(&member_a, "whmcs", "7");
	assert_ok(issue_for(&none, "7", "u"));
	assert_int_equal(issued.account_id, member_a.account_id);
}

static void a_new_account_gets_a_name_that_is_free(void **state)
{
	(void)state;
	assert_ok(issue(&local, &(struct sso_wish){.account = "1", .user = "u1", .account_name = "A"}));
	assert_ok(issue(&local, &(struct sso_wish){.account = "2", .user = "u2", .account_name = "A"}));
	assert_int_equal(number("SELECT COUNT(*) FROM account WHERE name LIKE 'A (local%)'"), 2);
}

static void an_issuer_of_one_account_reaches_no_other(void **state)
{
	const struct sso_issuer own = {
	    .name = "account-1", .account_id = member_a.account_id, .may_create_account = true};

	(void)state;
	assert_ok(issue_for(&own, NULL, "u"));
	assert_int_equal(issued.account_id, member_a.account_id);
	assert_int_equal(issue_for(&own, "unknown", "u"), ERR_NOT_FOUND);
	name_account(&member_b, "account-1", "b");
	assert_int_equal(issue_for(&own, "b", "u"), ERR_NOT_FOUND);
	assert_int_equal(number("SELECT COUNT(*) FROM account"), 2);
}

static void a_user_of_another_account_is_never_signed_in_or_moved(void **state)
{
	(void)state;
	name_account(&member_a, "local", "a");
	name_user(&member_b, "local", "shared");
	assert_int_equal(issue_for(&local, "a", "shared"), ERR_DENIED);
	assert_int_equal(why, SSO_USER_ELSEWHERE);
	assert_int_equal(number("SELECT COUNT(*) FROM sso_link"), 0);
}

static void nobody_is_found_by_an_address(void **state)
{
	struct sso_wish w = {.account = "a", .user = "new", .email = "Member-B@example.org"};

	(void)state;
	name_account(&member_a, "local", "a");
	assert_ok(issue(&local, &w));
	assert_ok(use());
	assert_true(opened.user.id != member_b.user_id && opened.user.account_id == member_a.account_id);
	assert_string_equal(opened.user.email, "new@local.invalid");
	assert_false(opened.user.mail_on_done || opened.user.mail_on_failed);
	/* what stands for an address may be somebody's, too */
	w = (struct sso_wish){.account = "a", .user = "member"};
	assert_ok(store_user_set_password(db, member_b.user_id, "x"));
	run_sql("UPDATE user SET email = 'member@local.invalid' WHERE email = 'member-b@example.org'");
	assert_ok(issue(&local, &w));
	assert_true(issued.is_new_user && issued.user_id != member_b.user_id);
}

static void an_address_is_taken_from_who_may_give_one(void **state)
{
	struct sso_issuer by = local;
	struct sso_wish w = {.account = "a", .user = "1", .email = "Carol@example.org"};

	(void)state;
	by.may_give_email = false;
	name_account(&member_a, "local", "a");
	assert_ok(issue(&by, &w));
	assert_ok(use());
	assert_string_equal(opened.user.email, "1@local.invalid");
	w.user = "2";
	assert_ok(issue(&local, &w));
	assert_ok(use());
	assert_string_equal(opened.user.email, "carol@example.org");
	/* the same user with another address is the same user, with the address they have */
	w.email = "dave@example.org";
	assert_ok(issue(&local, &w));
	assert_ok(use());
	assert_string_equal(opened.user.email, "carol@example.org");
	w.email = "no address";
	assert_int_equal(issue(&local, &w), ERR_INVALID);
	assert_int_equal(why, SSO_BAD_EMAIL);
}

static void a_link_never_raises_a_role(void **state)
{
	struct sso_wish w = {.account = "a", .user = "m", .role = ROLE_ADMIN};
	struct sso_issuer members = local;

	(void)state;
	members.role_max = ROLE_MEMBER;
	name_account(&admin_a, "local", "a");
	name_user(&member_a, "local", "m");
	name_user(&admin_a, "local", "boss");
	assert_int_equal(issue(&local, &w), ERR_DENIED);
	assert_int_equal(why, SSO_USER_IS_NO_ADMIN);
	w.user = "new";
	assert_int_equal(issue(&local, &w), ERR_DENIED);
	assert_int_equal(why, SSO_USER_IS_NO_ADMIN);
	assert_int_equal(number("SELECT COUNT(*) FROM user"), 3);
	/* an administrator only when an administrator is meant, by who may */
	assert_int_equal(issue_for(&local, "a", "boss"), ERR_DENIED);
	assert_int_equal(why, SSO_USER_IS_ADMIN);
	w.user = "boss";
	assert_int_equal(issue(&members, &w), ERR_DENIED);
	assert_int_equal(why, SSO_USER_IS_ADMIN);
	assert_ok(issue(&local, &w));
	assert_ok(use());
	assert_int_equal(opened.user.role, ROLE_ADMIN);
	/* a member who became an administrator meanwhile is not signed in by a member's link */
	assert_ok(issue_for(&local, "a", "m"));
	assert_ok(store_user_set_role(db, &installation, member_a.user_id, ROLE_ADMIN));
	assert_int_equal(use(), ERR_NOT_FOUND);
}

static void disabled_users_and_closed_accounts_get_none(void **state)
{
	(void)state;
	name_account(&member_b, "local", "b");
	name_user(&member_b, "local", "m");
	assert_ok(issue_for(&local, "b", "m"));
	assert_ok(store_user_admit(db, &installation, member_b.user_id, true));
	assert_int_equal(use(), ERR_NOT_FOUND);
	assert_int_equal(issue_for(&local, "b", "m"), ERR_DENIED);
	assert_int_equal(why, SSO_USER_DISABLED);
	assert_ok(store_user_admit(db, &installation, member_b.user_id, false));
	assert_ok(issue_for(&local, "b", "m"));
	assert_ok(store_account_close(db, &installation, member_b.account_id));
	assert_int_equal(use(), ERR_NOT_FOUND);
	/* the names are free: whoever has them now is somebody new */
	assert_ok(issue_for(&local, "b", "m"));
	assert_true(issued.is_new_account && issued.is_new_user);
	assert_true(issued.account_id != member_b.account_id && issued.user_id != member_b.user_id);
	assert_int_equal(
	    issue_for(&(struct sso_issuer){.name = "x", .account_id = member_b.account_id}, NULL, "u"),
	    ERR_NOT_FOUND);
}

static void a_suspended_account_may_sign_in(void **state)
{
	(void)state;
	name_account(&member_b, "local", "b");
	assert_ok(store_account_suspend(db, &installation, member_b.account_id, true));
	assert_ok(issue_for(&local, "b", "m"));
	assert_ok(use());
	assert_true(opened.user.account_suspended_at != 0);
}

static void a_link_works_once_and_for_its_time(void **state)
{
	struct sso_wish w = {.account = "b", .user = "b", .ttl_s = SSO_TTL_MAX_S, .return_to = "/"};

	(void)state;
	assert_ok(issue(&local, &w));
	assert_int_equal(number("SELECT TIMESTAMPDIFF(SECOND, created_at, expires_at) FROM sso_link"), 120);
	for (int looks = 0; looks < 3; looks++)
		assert_ok(store_sso_get(db, arena, hash, &opened));
	assert_string_equal(opened.return_to, "/");
	assert_ok(use());
	assert_int_equal(use(), ERR_NOT_FOUND);
	assert_int_equal(store_sso_get(db, arena, hash, &opened), ERR_NOT_FOUND);
	w.ttl_s = 0;
	assert_ok(issue(&local, &w));
	assert_int_equal(number("SELECT TIMESTAMPDIFF(SECOND, created_at, expires_at) FROM sso_link"), 60);
	run_sql("UPDATE sso_link SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND");
	assert_int_equal(store_sso_get(db, arena, hash, &opened), ERR_NOT_FOUND);
	assert_int_equal(use(), ERR_NOT_FOUND);
	assert_ok(store_sso_purge(db));
	assert_int_equal(number("SELECT COUNT(*) FROM sso_link"), 0);
	w.ttl_s = SSO_TTL_MAX_S + 1;
	assert_int_equal(issue(&local, &w), ERR_INVALID);
	assert_int_equal(why, SSO_BAD_TTL);
}

struct racer {
	struct db *db;
	pthread_barrier_t *start;
	enum err e;
};

static void *race(void *arg)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct racer *r = arg;
	struct sso_link l;

	pthread_barrier_wait(r->start);
	r->e = store_sso_use(r->db, a, hash, &l);
	return NULL;
}

static void of_many_at_once_one_uses_a_link(void **state)
{
	enum { RACERS = 8 };
	struct racer racers[RACERS];
	pthread_t threads[RACERS];
	pthread_barrier_t start;
	unsigned winners = 0;

	(void)state;
	assert_ok(issue_for(&local, "b", "b"));
	assert_int_equal(pthread_barrier_init(&start, NULL, RACERS), 0);
	for (size_t i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){.db = fixture_connect(NULL), .start = &start};
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	}
	for (size_t i = 0; i < RACERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		winners += racers[i].e == ERR_OK;
		assert_true(racers[i].e == ERR_OK || racers[i].e == ERR_NOT_FOUND);
		db_close(&racers[i].db);
	}
	pthread_barrier_destroy(&start);
	assert_int_equal(winners, 1);
}

struct maker {
	struct db *db;
	pthread_barrier_t *start;
	uint8_t hash[SSO_HASH_BYTES];
	struct sso_issued issued;
	enum err e;
};

static void *make(void *arg)
{
	const struct sso_wish w = {.account = "bob", .user = "bob"};
	enum sso_refusal reason;
	struct maker *m = arg;

	pthread_barrier_wait(m->start);
	m->e = store_sso_issue(m->db, &local, &w, m->hash, &m->issued, &reason);
	return NULL;
}

static void two_first_links_at_once_make_one_account_and_one_user(void **state)
{
	struct maker makers[2];
	pthread_t threads[2];
	pthread_barrier_t start;

	(void)state;
	assert_int_equal(pthread_barrier_init(&start, NULL, 2), 0);
	for (size_t i = 0; i < 2; i++) {
		makers[i] =
		    (struct maker){.db = fixture_connect(NULL), .start = &start, .hash = {(uint8_t)i}};
		assert_int_equal(pthread_create(&threads[i], NULL, make, &makers[i]), 0);
	}
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_ok(makers[i].e);
		db_close(&makers[i].db);
	}
	pthread_barrier_destroy(&start);
	assert_int_equal(makers[0].issued.account_id, makers[1].issued.account_id);
	assert_int_equal(makers[0].issued.user_id, makers[1].issued.user_id);
	assert_int_equal(number("SELECT COUNT(*) FROM account"), 3);
}

static void a_link_ends_with_its_token_and_with_whom_that_acts_for(void **state)
{
	struct api_token_fields f = {.name = "t", .is_installation = true, .scopes = SCOPE_SSO_CREATE};
	struct sso_issuer by = {.name = "api", .role_max = ROLE_ADMIN, .user_id = admin_a.user_id};

	(void)state;
	assert_ok(store_token_create(db, &admin_a, &f, hash, &by.token_id));
	name_account(&member_b, "api", "b");
	assert_ok(issue_for(&by, "b", "u"));
	assert_ok(use());
	assert_int_equal(opened.token_id, by.token_id);
	assert_ok(issue_for(&by, "b", "u"));
	run_sql("UPDATE user SET role = 'member' WHERE email = 'admin@example.org'");
	assert_int_equal(use(), ERR_NOT_FOUND);
	assert_int_equal(issue_for(&by, "b", "u"), ERR_DENIED);
	assert_int_equal(why, SSO_MAY_NOT);
	run_sql("UPDATE user SET role = 'admin' WHERE email = 'admin@example.org'");
	assert_ok(issue_for(&by, "b", "u"));
	assert_ok(store_token_revoke(db, &admin_a, by.token_id));
	assert_int_equal(use(), ERR_NOT_FOUND);
	by.name = "local";
	assert_int_equal(issue_for(&by, "b", "u"), ERR_DENIED);
	assert_int_equal(why, SSO_MAY_NOT);
}

static void a_link_leads_to_our_pages_alone(void **state)
{
	static const char *const good[] = {"/", "/migration/jobs", "/migration/jobs?embed=1",
	    "/migration/jobs/17#log", "/migration/batches?q=http://a//b", "/migration"};
	static const char *const bad[] = {"//evil.example", "/\\evil.example", "https://evil.example",
	    "migration", "/migration/../../evil", "/migration//evil", "/migration/./x", "/migration/%2e%2e/x",
	    "/migrationx", "/migration/a\\b", "/migration/a?\\", "/migration/a\nb", "/migration/a b",
	    "/migration/ä", "/logout", "/api/v1/jobs", "/sso/x", "/login?next=/", "@evil", "?x", "",
	    "/migration/jobs\tx", "/?\x7f"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		if (!sso_return_fits(good[i]))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (sso_return_fits(bad[i]))
			fail_msg("%s", bad[i]);
	assert_int_equal(
	    issue(&local, &(struct sso_wish){.account = "b", .user = "b", .return_to = "//evil"}),
	    ERR_INVALID);
	assert_int_equal(why, SSO_BAD_RETURN);
}

static enum err issue_own(const char *name, uint32_t uid)
{
	return issue(&local, &(struct sso_wish){.account = name, .user = name, .uid = &uid});
}

static void a_name_is_the_first_uids_that_uses_it(void **state)
{
	uint64_t account;

	(void)state;
	assert_ok(issue_own("bob", 1001));
	account = issued.account_id;
	assert_ok(issue_own("bob", 1001));
	assert_int_equal(issue_own("bob", 1002), ERR_DENIED);
	assert_int_equal(why, SSO_NAME_OF_ANOTHER);
	assert_int_equal(number("SELECT COUNT(*) FROM sso_link"), 0);
	/* a name that was given, or used by others, is nobody's until then */
	name_account(&member_b, "local", "b");
	assert_ok(issue_for(&local, "b", "b"));
	assert_ok(issue_own("b", 1002));
	assert_int_equal(issued.account_id, member_b.account_id);
	assert_int_equal(issue_own("b", 1001), ERR_DENIED);
	assert_ok(issue_for(&local, "bob", "bob"));
	assert_int_equal(issued.account_id, account);
	/* somebody else's account begins anew */
	assert_ok(store_account_close(db, &installation, account));
	assert_ok(issue_own("bob", 1002));
	assert_true(issued.account_id != account);
}

static void a_refused_link_binds_no_name(void **state)
{
	(void)state;
	name_account(&member_a, "local", "a");
	name_user(&member_b, "local", "a");
	assert_int_equal(issue_own("a", 1001), ERR_DENIED);
	assert_int_equal(why, SSO_USER_ELSEWHERE);
	assert_int_equal(number("SELECT COUNT(*) FROM account_external WHERE uid IS NOT NULL"), 0);
}

static void an_account_that_is_handed_over_is_the_next_uids(void **state)
{
	int64_t uid = 0;

	(void)state;
	assert_int_equal(
	    store_account_hand_over(db, &installation, member_b.account_id, &uid), ERR_NOT_FOUND);
	name_account(&member_b, "local", "b");
	assert_int_equal(store_account_hand_over(db, &member_b, member_b.account_id, &uid), ERR_DENIED);
	assert_ok(store_account_hand_over(db, &admin_a, member_b.account_id, &uid));
	assert_int_equal(uid, -1);
	assert_ok(issue_own("b", 1001));
	run_sql(
	    "INSERT INTO session (id_hash, user_id, created_at, last_seen_at, expires_at) SELECT 'x', id,"
	    " UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) FROM user WHERE email LIKE 'member-b%'");
	assert_ok(store_account_hand_over(db, &installation, member_b.account_id, &uid));
	assert_int_equal(uid, 1001);
	assert_int_equal(use(), ERR_NOT_FOUND);
	assert_int_equal(number("SELECT COUNT(*) FROM session"), 0);
	assert_ok(issue_own("b", 1002));
	assert_int_equal(issued.account_id, member_b.account_id);
	assert_int_equal(issue_own("b", 1001), ERR_DENIED);
}

static void links_fill_no_account_with_users(void **state)
{
	struct sso_issuer own = {.name = "own", .account_id = member_a.account_id, .role_max = ROLE_MEMBER};

	(void)state;
	run_sql("INSERT INTO user (account_id, email, password_hash, role, created_at) SELECT a.id, "
		"CONCAT('u', s.seq,"
		" '@example.org'), '!', 'member', UTC_TIMESTAMP(6) FROM seq_1_to_997 s JOIN account a ON "
		"a.id = (SELECT"
		" account_id FROM user WHERE email = 'member-a@example.org')");
	assert_ok(issue_for(&own, NULL, "last"));
	assert_int_equal(issue_for(&own, NULL, "more"), ERR_LIMIT);
	assert_int_equal(why, SSO_MANY_USERS);
	name_account(&member_a, "local", "ay");
	assert_int_equal(issue_for(&local, "ay", "more"), ERR_LIMIT);
	assert_int_equal(number("SELECT COUNT(*) FROM user_external WHERE external_id = 'more'"), 0);
	/* who is there is signed in, and another account has room */
	assert_ok(issue_for(&own, NULL, "last"));
	own.account_id = member_b.account_id;
	assert_ok(issue_for(&own, NULL, "more"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(accounts_and_users_are_made_once_and_found_again),
	    STORE_TEST(an_account_is_made_only_by_who_may),
	    STORE_TEST(a_new_account_gets_a_name_that_is_free),
	    STORE_TEST(an_issuer_of_one_account_reaches_no_other),
	    STORE_TEST(a_user_of_another_account_is_never_signed_in_or_moved),
	    STORE_TEST(nobody_is_found_by_an_address),
	    STORE_TEST(an_address_is_taken_from_who_may_give_one),
	    STORE_TEST(a_link_never_raises_a_role),
	    STORE_TEST(disabled_users_and_closed_accounts_get_none),
	    STORE_TEST(a_suspended_account_may_sign_in),
	    STORE_TEST(a_link_works_once_and_for_its_time),
	    STORE_TEST(of_many_at_once_one_uses_a_link),
	    STORE_TEST(two_first_links_at_once_make_one_account_and_one_user),
	    STORE_TEST(a_link_ends_with_its_token_and_with_whom_that_acts_for),
	    STORE_TEST(a_link_leads_to_our_pages_alone),
	    STORE_TEST(a_name_is_the_first_uids_that_uses_it),
	    STORE_TEST(a_refused_link_binds_no_name),
	    STORE_TEST(an_account_that_is_handed_over_is_the_next_uids),
	    STORE_TEST(links_fill_no_account_with_users),
	};

	return FIXTURE_RUN(tests);
}
