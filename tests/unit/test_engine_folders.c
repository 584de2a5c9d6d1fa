#include "tests/unit/unit.h"

#include <string.h>

#include "engine/folders.h"

struct fixture {
	struct arena *arena;
	struct options options;
	struct folder_set source;
	struct folder_set destination;
	struct folder_plan plan;
	struct buf reason;
};

static int setup(void **state)
{
	static struct fixture f;
	f = (struct fixture){
	    .arena = arena_new(),
	    .options = {.automap = true},
	    .source = {.separator = '.', .prefix = ""},
	    .destination = {.separator = '/', .prefix = ""},
	    .reason = BUF_INIT,
	};
	f.source.items = arena_array(f.arena, 32, sizeof(struct folder));
	f.destination.items = arena_array(f.arena, 32, sizeof(struct folder));
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	arena_free(&f->arena);
	buf_free(&f->reason);
	return 0;
}

static struct folder *add(struct folder_set *set, const char *name)
{
	struct folder *f = &set->items[set->count++];
	*f = (struct folder){.name = name, .separator = set->separator, .selectable = true};
	return f;
}

static void plan(struct fixture *f)
{
	assert_int_equal(
	    folder_plan_make(&f->options, &f->source, &f->destination, f->arena, &f->plan, &f->reason),
	    ERR_OK);
}

static const char *to(const struct fixture *f, const char *name)
{
	for (unsigned i = 0; i < f->plan.count; i++) {
		if (strcmp(f->plan.pairs[i].source->name, name) == 0)
			return f->plan.pairs[i].to;
	}
	return "(left out)";
}

static void separators_are_translated_both_ways(void **state)
{
	struct fixture *f = *state;
	add(&f->source, "Archive.2023.Q1");
	add(&f->source, "R&-D");
	add(&f->source, "a/b");
	plan(f);
	assert_string_equal(to(f, "Archive.2023.Q1"), "Archive/2023/Q1");
	assert_string_equal(to(f, "R&-D"), "R&-D");
	assert_string_equal(to(f, "a/b"), "a_b");
}

static void prefixes_go_and_come(void **state)
{
	struct fixture *f = *state;
	f->source.prefix = "INBOX.";
	add(&f->source, "INBOX");
	add(&f->source, "INBOX.Work");
	f->destination.prefix = "mail/";
	plan(f);
	assert_string_equal(to(f, "INBOX"), "INBOX");
	assert_string_equal(to(f, "INBOX.Work"), "mail/Work");
}

static void what_holds_no_messages_is_left_out(void **state)
{
	struct fixture *f = *state;
	add(&f->source, "Archive")->selectable = false;
	add(&f->source, "Archive.2024");
	plan(f);
	assert_int_equal(f->plan.count, 1);
	assert_string_equal(to(f, "Archive.2024"), "Archive/2024");
}

static void two_folders_never_share_one(void **state)
{
	struct fixture *f = *state;
	add(&f->source, "a/b");
	add(&f->source, "a_b");
	add(&f->source, "x");
	f->options.renames = (struct word_list){.words = (const char *[]){"x=a_b"}, .count = 1};
	plan(f);
	assert_string_equal(to(f, "x"), "a_b");
	assert_string_equal(to(f, "a/b"), "a_b_2");
	assert_string_equal(to(f, "a_b"), "a_b_3");
}

static void special_folders_find_each_other(void **state)
{
	struct fixture *f = *state;
	add(&f->source, "Gesendete Elemente")->special = SPECIAL_SENT;
	add(&f->source, "Papierkorb");
	add(&f->destination, "Sent")->special = SPECIAL_SENT;
	add(&f->destination, "Trash");
	plan(f);
	assert_string_equal(to(f, "Gesendete Elemente"), "Sent");
	assert_string_equal(to(f, "Papierkorb"), "Trash");
	f->options.automap = false;
	plan(f);
	assert_string_equal(to(f, "Gesendete Elemente"), "Gesendete Elemente");
}

static void several_sent_folders_are_not_merged(void **state)
{
	struct fixture *f = *state;
	add(&f->source, "Sent");
	add(&f->source, "Sent Items")->special = SPECIAL_SENT;
	add(&f->source, "Sent Messages");
	add(&f->destination, "Sent")->special = SPECIAL_SENT;
	plan(f);
	assert_string_equal(to(f, "Sent"), "Sent");
	assert_string_equal(to(f, "Sent Items"), "Sent Items");
	assert_string_equal(to(f, "Sent Messages"), "Sent Messages");
}

/* The first run creates folders; the second must not see another special folder in them. */
static void a_second_run_decides_as_the_first(void **state)
{
	struct fixture *f = *state;
	add(&f->source, "Sent");
	add(&f->source, "Sent Items")->special = SPECIAL_SENT;
	add(&f->source, "a/b");
	add(&f->source, "a_b");
	plan(f);
	struct folder_plan first = f->plan;
	for (unsigned done = 0; done <= first.count; done++) {
		f->destination.count = 0;
		for (unsigned i = 0; i < done; i++)
			add(&f->destination, first.pairs[i].to)->special =
			    strcmp(first.pairs[i].to, "Sent") == 0 ? SPECIAL_SENT : SPECIAL_NONE;
		plan(f);
		for (unsigned i = 0; i < first.count; i++)
			assert_string_equal(f->plan.pairs[i].to, first.pairs[i].to);
	}
}

static void folders_are_chosen_by_name_and_pattern(void **state)
{
	struct fixture *f = *state;
	add(&f->source, "INBOX");
	add(&f->source, "Junk");
	add(&f->source, "Work");
	f->options.excludes = (struct word_list){.words = (const char *[]){"^Junk$"}, .count = 1};
	plan(f);
	assert_int_equal(f->plan.count, 2);
	f->options.folders = (struct word_list){.words = (const char *[]){"Work", "inbox"}, .count = 2};
	plan(f);
	assert_string_equal(to(f, "INBOX"), "INBOX");
	assert_string_equal(to(f, "Work"), "Work");
	f->options.excludes.words = (const char *[]){"(unclosed"};
	assert_int_equal(
	    folder_plan_make(&f->options, &f->source, &f->destination, f->arena, &f->plan, &f->reason),
	    ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(separators_are_translated_both_ways, setup, teardown),
	    cmocka_unit_test_setup_teardown(prefixes_go_and_come, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_holds_no_messages_is_left_out, setup, teardown),
	    cmocka_unit_test_setup_teardown(two_folders_never_share_one, setup, teardown),
	    cmocka_unit_test_setup_teardown(special_folders_find_each_other, setup, teardown),
	    cmocka_unit_test_setup_teardown(several_sent_folders_are_not_merged, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_second_run_decides_as_the_first, setup, teardown),
	    cmocka_unit_test_setup_teardown(folders_are_chosen_by_name_and_pattern, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
