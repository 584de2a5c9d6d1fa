/* Batches: a tag is one of its account's, and shown to those who may see it. */
#include "tests/store/fixture.h"

#include "sql/store_batch.h"

static void a_tag_is_letters_digits_and_few_signs(void **state)
{
	static const char *const good[] = {"x", "2026-01-31 mail.example.org", "A_b-c.9",
	    "1234567890123456789012345678901234567890123456789012345678901234"};
	static const char *const bad[] = {"", " ", " x", "x ", "a  b", "a/b", "a\tb", "ä", "=x", "a,b", "<b>",
	    "12345678901234567890123456789012345678901234567890123456789012345"};
	uint64_t id;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_ok(store_batch_create(db, &member_a, good[i], &id));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(store_batch_create(db, &member_a, bad[i], &id), ERR_INVALID);
	assert_int_equal(store_batch_create(db, &member_a, NULL, &id), ERR_INVALID);
}

static void a_tag_is_unique_in_its_account_whatever_its_case(void **state)
{
	uint64_t first, id, found;

	(void)state;
	assert_ok(store_batch_create(db, &member_a, "Move one", &first));
	assert_int_equal(store_batch_create(db, &admin_a, "move ONE", &id), ERR_CONFLICT);
	assert_ok(store_batch_create(db, &member_b, "Move one", &id));
	assert_ok(store_batch_find(db, &member_a, "move one", &found));
	assert_int_equal(found, first);
	assert_int_equal(store_batch_find(db, &member_a, "move two", &found), ERR_NOT_FOUND);
}

static void another_accounts_batch_does_not_exist(void **state)
{
	struct batch b;
	uint64_t id;

	(void)state;
	assert_ok(store_batch_create(db, &member_a, "ours", &id));
	assert_int_equal(store_batch_get(db, arena, &member_b, id, &b), ERR_NOT_FOUND);
	assert_ok(store_batch_get(db, arena, &member_a, id, &b));
	assert_string_equal(b.tag, "ours");
	assert_string_equal(b.created_by_email, "member-a@example.org");
	assert_string_equal(b.account_name, "A");
	assert_int_equal(b.account_id, member_a.account_id);
	assert_true(b.created_at > 0);
}

static void the_list_goes_back_page_by_page(void **state)
{
	struct batch *list;
	size_t count;
	bool more;
	uint64_t id;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_ok(store_batch_create(db, &member_a, arena_printf(arena, "b%d", i), &id));
	assert_ok(store_batch_create(db, &member_b, "theirs", &id));
	assert_ok(store_batch_list(db, arena, &member_a, NULL, 0, 3, &list, &count, &more));
	assert_int_equal(count, 3);
	assert_true(more);
	assert_string_equal(list[0].tag, "b4");
	assert_ok(store_batch_list(db, arena, &member_a, NULL, list[2].id, 3, &list, &count, &more));
	assert_int_equal(count, 2);
	assert_false(more);
	assert_string_equal(list[1].tag, "b0");
	assert_ok(store_batch_list(db, arena, &admin_a, NULL, 0, 200, &list, &count, &more));
	assert_int_equal(count, 6);
	assert_ok(store_batch_list(db, arena, &admin_a, "B2", 0, 200, &list, &count, &more));
	assert_int_equal(count, 1);
	assert_string_equal(list[0].tag, "b2");
	assert_ok(store_batch_list(db, arena, &member_a, "theirs", 0, 200, &list, &count, &more));
	assert_int_equal(count, 0);
	assert_int_equal(
	    store_batch_list(db, arena, &admin_a, NULL, 0, 201, &list, &count, &more), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(a_tag_is_letters_digits_and_few_signs),
	    STORE_TEST(a_tag_is_unique_in_its_account_whatever_its_case),
	    STORE_TEST(another_accounts_batch_does_not_exist),
	    STORE_TEST(the_list_goes_back_page_by_page),
	};

	return FIXTURE_RUN(tests);
}
