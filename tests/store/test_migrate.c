/* The schema: applied once, in order, by one at a time; never guessed at when it does not match. */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#include "sql/migrate.h"

static struct db *fresh;
static char files[128];
static const char *why;
static unsigned applied;

/* An empty database, and a directory with two small migrations. */
static void write_file(const char *name, const char *content)
{
	FILE *out = fopen(arena_printf(arena, "%s/%s", files, name), "we");

	assert_non_null(out);
	assert_true(fputs(content, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static int setup(void **state)
{
	(void)fixture_reset(state);
	run_sql("DROP DATABASE IF EXISTS fresh");
	run_sql("CREATE DATABASE fresh CHARACTER SET utf8mb4");
	fresh = fixture_connect("fresh");
	snprintf(files, sizeof(files), "%s/files-XXXXXX", fixture_dir());
	if (fresh == NULL || mkdtemp(files) == NULL)
		return 1;
	write_file("0001_first.sql",
	    "-- one; not a statement;\nCREATE TABLE IF NOT EXISTS a (id INT PRIMARY KEY,\n"
	    "\tb VARCHAR(9) DEFAULT 'x; y');\nINSERT IGNORE INTO a (id) VALUES (1);\n");
	write_file("0002_second.sql", "CREATE TABLE IF NOT EXISTS c (id INT PRIMARY KEY);\n");
	write_file("notes.txt", "not a migration");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	db_close(&fresh);
	return 0;
}

static enum err run(void)
{
	return migrate_run(fresh, arena, files, &applied, &why);
}

static void migrations_are_applied_once(void **state)
{
	struct migration *list;
	size_t count;

	(void)state;
	assert_ok(run());
	assert_int_equal(applied, 2);
	assert_ok(run());
	assert_int_equal(applied, 0);
	assert_string_equal(why, "");
	assert_ok(migrate_status(fresh, arena, files, &list, &count, &why));
	assert_int_equal(count, 2);
	assert_string_equal(list[1].name, "second");
	assert_true(list[0].applied_at > 0 && list[1].applied_at > 0);
	assert_false(list[0].is_changed || list[0].is_unknown);
}

static void a_new_file_is_applied_alone(void **state)
{
	(void)state;
	assert_ok(run());
	write_file("0003_third.sql", "ALTER TABLE c ADD COLUMN IF NOT EXISTS d INT;\n");
	assert_ok(run());
	assert_int_equal(applied, 1);
}

static void the_schema_of_this_tree_passes_its_own_check(void **state)
{
	(void)state;
	assert_int_equal(migrate_check(fresh, arena, &why), ERR_CONFLICT);
	assert_non_null(strstr(why, "mailconvoyctl db migrate"));
	assert_ok(migrate_check(db, arena, &why));
	assert_ok(migrate_run(db, arena, MCV_TEST_SQL_DIR, &applied, &why));
	assert_int_equal(applied, 0);
}

static void the_schema_can_be_run_again_after_being_cut_short(void **state)
{
	(void)state;
	assert_ok(migrate_run(fresh, arena, MCV_TEST_SQL_DIR, &applied, &why));
	assert_int_equal(applied, MCV_SCHEMA_VERSION);
	assert_ok(db_exec_text(fresh, "DELETE FROM schema_migration"));
	assert_ok(db_exec_text(fresh, "DROP TABLE audit"));
	assert_ok(db_exec_text(fresh, "DELETE FROM run_slot WHERE n = 2"));
	assert_ok(migrate_run(fresh, arena, MCV_TEST_SQL_DIR, &applied, &why));
	assert_ok(migrate_check(fresh, arena, &why));
	assert_ok(db_exec_text(fresh, "SELECT 1 FROM audit WHERE 0 INTO @x"));
}

static void a_newer_database_is_refused(void **state)
{
	struct migration *list;
	size_t count;

	(void)state;
	assert_ok(run());
	assert_int_equal(unlink(arena_printf(arena, "%s/0002_second.sql", files)), 0);
	assert_int_equal(run(), ERR_CONFLICT);
	assert_non_null(strstr(why, "newer"));
	assert_ok(migrate_status(fresh, arena, files, &list, &count, &why));
	assert_int_equal(count, 2);
	assert_true(list[1].is_unknown);
	assert_ok(db_exec_text(fresh, "UPDATE schema_migration SET version = 1000 WHERE version = 2"));
	assert_int_equal(migrate_check(fresh, arena, &why), ERR_CONFLICT);
	assert_non_null(strstr(why, "upgrade mailconvoy"));
}

static void a_changed_file_is_refused(void **state)
{
	struct migration *list;
	size_t count;

	(void)state;
	assert_ok(run());
	write_file("0001_first.sql", "CREATE TABLE IF NOT EXISTS other (id INT PRIMARY KEY);\n");
	assert_int_equal(run(), ERR_CONFLICT);
	assert_non_null(strstr(why, "0001_first.sql"));
	assert_ok(migrate_status(fresh, arena, files, &list, &count, &why));
	assert_true(list[0].is_changed);
}

static void a_gap_or_a_missing_directory_is_refused(void **state)
{
	(void)state;
	write_file("0004_late.sql", "SELECT 1;\n");
	assert_int_equal(run(), ERR_INVALID);
	assert_non_null(strstr(why, "0004_late.sql"));
	assert_int_equal(migrate_run(fresh, arena, "/nonexistent", &applied, &why), ERR_IO);
}

static void a_failing_statement_is_named(void **state)
{
	(void)state;
	write_file("0002_second.sql", "CREATE TABLE IF NOT EXISTS c (id INT PRIMARY KEY);\nBROKEN;\n");
	assert_int_equal(run(), ERR_INTERNAL);
	assert_non_null(strstr(why, "0002_second.sql: statement 2"));
	assert_int_equal(applied, 1);
	write_file("0002_second.sql", "CREATE TABLE IF NOT EXISTS c (id INT PRIMARY KEY);\n");
	assert_ok(run());
	assert_int_equal(applied, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(migrations_are_applied_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_new_file_is_applied_alone, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_schema_of_this_tree_passes_its_own_check, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		the_schema_can_be_run_again_after_being_cut_short, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_newer_database_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_changed_file_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_gap_or_a_missing_directory_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_failing_statement_is_named, setup, teardown),
	};

	return FIXTURE_RUN(tests);
}
