/* What an import file's header and rows are judged by. */
#include "tests/unit/unit.h"

#include <string.h>

#include "fcgi/import_check.h"

#define HEADER "sourceServerId", "sourceEmail", "sourcePassword", "destServerId", "destEmail", "destPassword"
#define ROW(...) \
	((struct csv_row){.line = 7, \
	    .count = sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), \
	    .fields = (const char *[]){__VA_ARGS__}})

static const struct import_server servers[] = {{1, "Old", "old.example.org", true},
    {2, "New", "new.example.org", true}, {3, "2", "two.example.org", true},
    {4, "Twin", "old.example.org", true}, {5, "Twin", "twin.example.org", true},
    {6, "Far", "far.example.org", false}};
static struct import_check check;
static struct arena *arena;
static struct buf problems = BUF_INIT;
static struct import_mailbox_row good;

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	check = (struct import_check){
	    .servers = servers, .servers_count = 6, .seen = import_seen_new(), .active = import_seen_new()};
	assert_int_equal(import_map_read(&ROW(HEADER, "name", "dryRun"), &check.map, &problems), ERR_OK);
	buf_clear(&problems);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	import_seen_free(&check.seen);
	import_seen_free(&check.active);
	arena_free(&arena);
	buf_free(&problems);
	return 0;
}

static enum err judge(struct csv_row row)
{
	buf_clear(&problems);
	return import_check_row(&check, arena, &row, &good, &problems);
}

static void columns_stand_in_any_order(void **state)
{
	struct import_map m;

	(void)state;
	assert_int_equal(import_map_read(&ROW("dryRun", "destPassword", " destEmail ", "destServerId",
					     "sourcePassword", "sourceEmail", "sourceServerId", "reason"),
			     &m, &problems),
	    ERR_OK);
	assert_int_equal(m.at[IMPORT_DRY_RUN], 0);
	assert_int_equal(m.at[IMPORT_DEST_EMAIL], 2);
	assert_int_equal(m.at[IMPORT_SOURCE_SERVER], 6);
	assert_int_equal(m.at[IMPORT_NAME], -1);
	assert_int_equal(m.count, 8);
}

static void all_that_is_wrong_with_a_header_is_told(void **state)
{
	struct import_map m;

	(void)state;
	assert_int_equal(import_map_read(&ROW("sourceserverid", "sourceEmail", "sourceEmail", "",
					     "other\ncolumn", "destServerId", "destEmail", "destPassword"),
			     &m, &problems),
	    ERR_INVALID);
	assert_string_equal(problems.data, "There is no column “sourceserverid”. Write it “sourceServerId”.\n"
					   "The column “sourceEmail” is there twice.\n"
					   "Column 4 has no name.\n"
					   "There is no column “other column”.\n"
					   "The column “sourceServerId” is missing.\n"
					   "The column “sourcePassword” is missing.\n");
}

static void a_server_is_named_by_id_or_exactly(void **state)
{
	(void)state;
	assert_int_equal(judge(ROW("Old", "a", "p", " 1 ", "b", "q", "", "")), ERR_OK);
	assert_int_equal(good.src_server_id, 1);
	assert_int_equal(good.dst_server_id, 1);
	assert_int_equal(judge(ROW("old", "a", "p", "01", "c", "q", "", "")), ERR_INVALID);
	assert_string_equal(
	    problems.data, "sourceServerId\tUnknown server “old”.\ndestServerId\tUnknown server “01”.\n");
	assert_int_equal(judge(ROW("Twin", "a", "p", "2", "c", "q", "", "")), ERR_INVALID);
	assert_string_equal(problems.data, "sourceServerId\t“Twin” fits 2 servers: give the id.\n"
					   "destServerId\t“2” fits 2 servers: give the id.\n");
}

static void where_the_account_may_not_copy_to_is_no_destination(void **state)
{
	(void)state;
	assert_int_equal(judge(ROW("Far", "a", "p", "6", "b", "q", "", "")), ERR_INVALID);
	assert_string_equal(problems.data, "destServerId\tYour account may not copy to “Far”.\n");
}

static void passwords_stay_as_they_are(void **state)
{
	(void)state;
	assert_int_equal(
	    judge(ROW("1", " a@example.org ", " p ", "Old", "'+b", "'=q\t", " x \r\n y ", "NO")), ERR_OK);
	assert_string_equal(good.src_password, " p ");
	assert_string_equal(good.dst_password, "'=q\t");
	assert_string_equal(good.mailboxes.src_user, "a@example.org");
	assert_string_equal(good.mailboxes.dst_user, "+b");
	assert_string_equal(good.name, "x y");
	assert_int_equal(good.dry_run, 0);
	assert_int_equal(judge(ROW("1", "a", "p\nq", "1", "b", "r\r", "", "")), ERR_INVALID);
	assert_null(strstr(problems.data, "q"));
}

static void an_address_is_an_address_or_a_user_name(void **state)
{
	static const char *const fine[] = {"user1", "a.b@example.org", "DOMAIN\\user", "ä@example.org"};
	static const char *const bad[] = {
	    "a b", "@", "a@", "@b", "a@@b", "a@b c", "a\tb", "a@ä.org", "a@b@c"};

	(void)state;
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		assert_int_equal(judge(ROW("1", fine[i], "p", "Old", "x", "q", "", "")), ERR_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(judge(ROW("1", bad[i], "p", "Old", "x", "q", "", "")), ERR_INVALID);
		assert_non_null(strstr(problems.data, "sourceEmail\t“"));
	}
}

static void the_same_mailboxes_are_told_with_where_they_were(void **state)
{
	const struct import_mailboxes active = {"old.example.org", "Busy", "two.example.org", "x"};

	(void)state;
	import_seen_add(check.active, &active, 99);
	assert_int_equal(judge(ROW("1", "A@example.org", "p", "1", "x", "q", "", "")), ERR_OK);
	assert_int_equal(judge(ROW("Old", "a@Example.org", "p2", "Old", "X", "q2", "", "")), ERR_INVALID);
	assert_string_equal(problems.data, "\tThe same mailboxes as in line 7.\n");
	/* another server of the same host */
	assert_int_equal(judge(ROW("4", "a@example.org", "p", "1", "x", "q", "", "")), ERR_INVALID);
	assert_string_equal(problems.data, "\tThe same mailboxes as in line 7.\n");
	assert_int_equal(judge(ROW("1", "a@example.org", "p", "3", "x", "q", "", "")), ERR_OK);
	assert_int_equal(judge(ROW("1", "busy", "p", "3", "X", "q", "", "")), ERR_INVALID);
	assert_non_null(strstr(problems.data, "as job 99."));
	assert_null(strstr(problems.data, "as in line"));
	assert_int_equal(judge(ROW("1", "busy", "p", "3", "X", "q", "", "")), ERR_INVALID);
	assert_non_null(strstr(problems.data, "as job 99."));
	assert_non_null(strstr(problems.data, "as in line 7."));
}

static void a_row_of_another_length_shows_nothing_of_itself(void **state)
{
	AUTO_BUF struct buf text = BUF_INIT;
	struct csv_row row = ROW("1", "a", "secret", "part", "1", "b", "secret", "n", "1");

	(void)state;
	assert_int_equal(judge(row), ERR_INVALID);
	assert_null(strstr(problems.data, "secret"));
	assert_null(strstr(problems.data, "part"));
	import_row_text(&check.map, &row, &text);
	assert_string_equal(text.data, ",,,,,,,");
}

static void the_text_of_a_row_has_no_password_and_no_formula(void **state)
{
	AUTO_BUF struct buf text = BUF_INIT;
	struct csv_row row = ROW("=1", "'+a", "secret", "N, \"2\"", "b", "secret", "", "1");

	(void)state;
	import_row_text(&check.map, &row, &text);
	assert_string_equal(text.data, "\"'=1\",\"'+a\",,\"N, \"\"2\"\"\",b,,,1");
}

static void many_mailboxes_are_remembered(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++)
		for (unsigned i = 0; i < 5000; i++) {
			const struct import_mailboxes m = {"a", arena_printf(arena, "u%u", i), "b", "x"};

			assert_int_equal(import_seen_add(check.seen, &m, i + 1), round == 0 ? 0 : i + 1);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(columns_stand_in_any_order, setup, teardown),
	    cmocka_unit_test_setup_teardown(all_that_is_wrong_with_a_header_is_told, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_server_is_named_by_id_or_exactly, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		where_the_account_may_not_copy_to_is_no_destination, setup, teardown),
	    cmocka_unit_test_setup_teardown(passwords_stay_as_they_are, setup, teardown),
	    cmocka_unit_test_setup_teardown(an_address_is_an_address_or_a_user_name, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		the_same_mailboxes_are_told_with_where_they_were, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_row_of_another_length_shows_nothing_of_itself, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		the_text_of_a_row_has_no_password_and_no_formula, setup, teardown),
	    cmocka_unit_test_setup_teardown(many_mailboxes_are_remembered, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
