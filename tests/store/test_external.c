/* What issuers call accounts: each by names of its own. */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/scope.h"
#include "sql/migrate.h"
#include "sql/store_account.h"
#include "sql/store_external.h"
#include "sql/store_token.h"

static const uint8_t hash[TOKEN_ID_HASH_BYTES] = "0123456789abcdef0123456789abcde";

static enum err call(const struct viewer *account_of, const char *name, const char *issuer, const char *id)
{
	const struct account_fields f = {
	    .name = name, .issuer = issuer, .external_id = id, .max_queued = -1, .max_daily = -1};
	uint64_t account = account_of->account_id;

	return store_account_save(db, &installation, &account, &f);
}

static void the_same_name_of_two_issuers_is_two_accounts(void **state)
{
	struct account a;

	(void)state;
	assert_ok(call(&member_a, "A", "local", "bob"));
	assert_ok(call(&member_b, "B", "whmcs", "bob"));
	assert_int_equal(call(&member_b, "B", "local", "bob"), ERR_CONFLICT);
	assert_ok(store_account_by_external(db, arena, "local", "bob", &a));
	assert_int_equal(a.id, member_a.account_id);
	assert_ok(store_account_by_external(db, arena, "whmcs", "bob", &a));
	assert_int_equal(a.id, member_b.account_id);
	assert_string_equal(a.external_ids, "whmcs bob");
	assert_int_equal(store_account_by_external(db, arena, "api", "bob", &a), ERR_NOT_FOUND);
	assert_int_equal(store_account_by_external(db, arena, "local", "Bob", &a), ERR_NOT_FOUND);
	assert_int_equal(store_account_by_external(db, arena, "local", "bob ", &a), ERR_NOT_FOUND);
	assert_int_equal(store_account_by_external(db, arena, "Löcal", "bob", &a), ERR_NOT_FOUND);
}

static void one_issuer_changes_its_own_name_alone(void **state)
{
	static const struct external two[] = {{"whmcs", "7"}, {"local", "bob"}};
	static const struct external twice[] = {{"whmcs", "7"}, {"whmcs", "8"}};
	struct account_fields f = {
	    .name = "A", .max_queued = -1, .max_daily = -1, .externals = two, .external_count = 2};
	uint64_t id = member_a.account_id;
	struct account a;

	(void)state;
	assert_ok(store_account_save(db, &installation, &id, &f));
	assert_ok(call(&member_a, "A", "whmcs", "8"));
	assert_ok(store_account_get(db, arena, id, &a));
	assert_string_equal(a.external_ids, "local bob\nwhmcs 8");
	f.externals = NULL;
	assert_ok(store_account_save(db, &installation, &id, &f));
	assert_ok(store_account_get(db, arena, id, &a));
	assert_string_equal(a.external_ids, "local bob\nwhmcs 8");
	assert_ok(call(&member_a, "A", "local", ""));
	f.externals = twice;
	f.external_count = 2;
	assert_int_equal(store_account_save(db, &installation, &id, &f), ERR_CONFLICT);
	assert_ok(store_account_get(db, arena, id, &a));
	assert_string_equal(a.external_ids, "whmcs 8");
	f.external_count = 0;
	assert_ok(store_account_save(db, &installation, &id, &f));
	assert_ok(store_account_get(db, arena, id, &a));
	assert_null(a.external_ids);
}

/* The uid is what keeps the next of that name out. */
static void a_name_that_stays_stays_the_same_system_users(void **state)
{
	static const struct external two[] = {{"whmcs", "7"}, {"local", "bob"}};
	struct account_fields f = {
	    .name = "A", .max_queued = -1, .max_daily = -1, .externals = two, .external_count = 2};
	uint64_t id = member_a.account_id;

	(void)state;
	assert_ok(call(&member_a, "A", "local", "bob"));
	run_sql("UPDATE account_external SET uid = 1001 WHERE issuer = 'local'");
	assert_ok(call(&member_a, "A", "local", "bob"));
	assert_int_equal(number("SELECT uid FROM account_external WHERE issuer = 'local'"), 1001);
	assert_ok(store_account_save(db, &installation, &id, &f));
	assert_int_equal(number("SELECT uid FROM account_external WHERE issuer = 'local'"), 1001);
	assert_ok(call(&member_a, "A", "whmcs", "8"));
	assert_int_equal(number("SELECT uid FROM account_external WHERE issuer = 'local'"), 1001);
	/* another name is another user's */
	assert_ok(call(&member_a, "A", "local", "rob"));
	assert_int_equal(number("SELECT COUNT(*) FROM account_external WHERE uid IS NOT NULL"), 0);
}

static void names_are_read_a_line_each(void **state)
{
	struct external *list = NULL;
	const char *bad = NULL;
	size_t count = 0;

	(void)state;
	assert_ok(external_parse(arena, "\r\n  whmcs \t whmcs-7 \r\n\nlocal a b\n", &list, &count, &bad));
	assert_int_equal(count, 2);
	assert_string_equal(list[0].issuer, "whmcs");
	assert_string_equal(list[0].id, "whmcs-7");
	assert_string_equal(list[1].id, "a b");
	for (size_t i = 0; i < 3; i++) {
		static const char *const wrong[] = {"local bob\nwhmcs", "WHMCS 7", "w_1 7"};

		assert_int_equal(external_parse(arena, wrong[i], &list, &count, &bad), ERR_INVALID);
		assert_string_equal(bad, i == 0 ? "whmcs" : wrong[i]);
	}
}

static enum err token(const struct viewer *v, bool is_installation, const char *issuer)
{
	const struct api_token_fields f = {
	    .name = "t", .is_installation = is_installation, .scopes = SCOPE_JOBS_READ, .issuer = issuer};
	uint64_t id;

	run_sql("DELETE FROM api_token");
	return store_token_create(db, v, &f, hash, &id);
}

static const char *issuer_of_token(void)
{
	struct token_holder h;

	assert_ok(store_token_find(db, arena, hash, &h));
	return h.issuer;
}

/* A customer who chose it could take the names that a billing system gives to others. */
static void only_administrators_choose_a_tokens_issuer(void **state)
{
	(void)state;
	assert_ok(token(&admin_a, true, NULL));
	assert_string_equal(issuer_of_token(), "api");
	assert_ok(token(&admin_a, true, "whmcs"));
	assert_string_equal(issuer_of_token(), "whmcs");
	assert_int_equal(token(&admin_a, true, "local"), ERR_INVALID);
	assert_int_equal(token(&admin_a, true, "account-1"), ERR_INVALID);
	assert_int_equal(token(&admin_a, true, "WHMCS"), ERR_INVALID);
	assert_int_equal(token(&member_a, false, "whmcs"), ERR_DENIED);
	assert_ok(token(&member_a, false, ""));
	assert_string_equal(
	    issuer_of_token(), arena_printf(arena, "account-%llu", (unsigned long long)member_a.account_id));
}

/* The migrations up to n, in a directory of their own. */
static const char *first_migrations(unsigned n)
{
	char *dir = arena_printf(arena, "%s/up-to-%u", fixture_dir(), n);
	char *command = arena_printf(arena,
	    "mkdir -p %s && for f in %s/00*.sql; do n=${f##*/}; n=${n%%%%_*}; [ ${n#00} -gt %u ] || ln -sf "
	    "$f "
	    "%s/; done",
	    dir, MCV_TEST_SQL_DIR, n, dir);

	assert_int_equal(system(command), 0);
	return dir;
}

static void names_from_before_there_were_issuers_are_kept(void **state)
{
	struct db *fresh;
	const char *why = "";
	unsigned applied;

	(void)state;
	run_sql("DROP DATABASE IF EXISTS before_issuers");
	run_sql("CREATE DATABASE before_issuers CHARACTER SET utf8mb4");
	fresh = fixture_connect("before_issuers");
	assert_non_null(fresh);
	assert_ok(migrate_run(fresh, arena, first_migrations(12), &applied, &why));
	assert_ok(db_exec_text(fresh,
	    "INSERT INTO account (name, external_id, suspended_at, closed_at, created_at) VALUES"
	    " ('W', 'whmcs-7', NULL, NULL, UTC_TIMESTAMP(6)), ('B', 'bob', NULL, NULL, UTC_TIMESTAMP(6)),"
	    " ('N', NULL, NULL, NULL, UTC_TIMESTAMP(6)),"
	    " ('C', NULL, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))"));
	assert_ok(db_exec_text(fresh,
	    "INSERT INTO api_token (account_id, name, token_hash, scopes, created_at) VALUES"
	    " (NULL, 'billing', 0x01, 'accounts:write', UTC_TIMESTAMP(6)),"
	    " (NULL, 'graphs', 0x02, 'jobs:read', UTC_TIMESTAMP(6)),"
	    " (2, 'own', 0x03, 'jobs:read', UTC_TIMESTAMP(6))"));
	/* cut short at its very end, and run again */
	assert_ok(migrate_run(fresh, arena, first_migrations(13), &applied, &why));
	assert_ok(db_exec_text(fresh, "DELETE FROM schema_migration WHERE version = 13"));
	assert_ok(migrate_run(fresh, arena, MCV_TEST_SQL_DIR, &applied, &why));
	db_close(&fresh);
	run_sql("USE before_issuers");
	assert_string_equal(
	    text("SELECT GROUP_CONCAT(CONCAT(a.name, '=', e.issuer, ' ', e.external_id) ORDER BY a.id) FROM "
		 "account a JOIN account_external e ON e.account_id = a.id"),
	    "W=whmcs whmcs-7,B=api bob");
	assert_string_equal(
	    text("SELECT GROUP_CONCAT(issuer ORDER BY id) FROM api_token"), "whmcs,api,account-2");
	assert_int_equal(number("SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = "
				"DATABASE() AND table_name = 'account' AND column_name = 'external_id'"),
	    0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(the_same_name_of_two_issuers_is_two_accounts),
	    STORE_TEST(one_issuer_changes_its_own_name_alone),
	    STORE_TEST(a_name_that_stays_stays_the_same_system_users),
	    STORE_TEST(names_are_read_a_line_each),
	    STORE_TEST(only_administrators_choose_a_tokens_issuer),
	    STORE_TEST(names_from_before_there_were_issuers_are_kept),
	};

	return FIXTURE_RUN(tests);
}
