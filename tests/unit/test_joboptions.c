#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "lib/joboptions.h"

static void set(struct joboptions *o, enum joboption i, const char *text, struct arena *a)
{
	const char *why = NULL;

	if (joboptions_set(o, i, text, a, &why) != ERR_OK)
		fail_msg("%s: %s", joboption_rows[i].name, why);
}

static void every_row_has_what_forms_and_pages_need(void **state)
{
	(void)state;
	for (unsigned i = 0; i < JOBOPTION__MAX; i++) {
		const struct joboption_row *row = &joboption_rows[i];

		assert_non_null(row->name);
		assert_non_null(row->label);
		assert_non_null(row->say);
		assert_true(row->group < JOBOPTION_GROUP__MAX);
		assert_int_equal(row->kind == JOBOPTION_CHOICE, row->choices != NULL);
		assert_int_equal(row->kind == JOBOPTION_BYTES || row->kind == JOBOPTION_COUNT, row->max > 0);
		assert_int_equal(row->kind != JOBOPTION_SWITCH, strstr(row->say, "%s") != NULL);
		assert_int_equal(joboption_named(row->name), i);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(row->name, joboption_rows[k].name);
	}
	assert_int_equal(joboption_named("regexmess"), JOBOPTION__MAX);
}

static void a_value_is_read_as_it_is_meant(void **state)
{
	static const struct {
		enum joboption option;
		const char *text, *json, *again;
	} rows[] = {
	    {OPTION_FOLDER, "A\nB/C", "{\"folder\":[\"A\",\"B/C\"]}", "A\nB/C"},
	    {OPTION_FOLDER, "  A \r\n\n\tB\n", "{\"folder\":[\"A\",\"B\"]}", "A\nB"},
	    {OPTION_FOLDER, "inbox", "{\"folder\":[\"INBOX\"]}", "INBOX"},
	    {OPTION_F1F2, " A = B c ", "{\"f1f2\":[\"A=B c\"]}", "A=B c"},
	    {OPTION_SUBFOLDER2, "--delete2", "{\"subfolder2\":\"--delete2\"}", "--delete2"},
	    {OPTION_MAXSIZE, "25 MB", "{\"maxsize\":25000000}", "25 MB"},
	    {OPTION_MAXSIZE, "25mb", "{\"maxsize\":25000000}", "25 MB"},
	    {OPTION_MAXSIZE, "1024", "{\"maxsize\":1024}", "1 KiB"},
	    {OPTION_MAXSIZE, "3 GiB", "{\"maxsize\":3221225472}", "3 GiB"},
	    {OPTION_MINSIZE, "1537", "{\"minsize\":1537}", "1537 bytes"},
	    {OPTION_MAXAGE, "30", "{\"maxage\":30}", "30"},
	    {OPTION_SINCE, "2024-02-29", "{\"since\":\"2024-02-29\"}", "2024-02-29"},
	    {OPTION_ONLY, "flagged", "{\"only\":\"flagged\"}", "flagged"},
	    {OPTION_NOAUTOMAP, "1", "{\"noautomap\":true}", "1"},
	    {OPTION_NOAUTOMAP, "0", NULL, ""},
	    {OPTION_USEHEADER, "Message-Id\nX-Id", "{\"useheader\":[\"Message-Id\",\"X-Id\"]}",
		"Message-Id\nX-Id"},
	    {OPTION_MAXSIZE, "", NULL, ""},
	    {OPTION_FOLDER, " \n ", NULL, ""},
	};
	AUTO_ARENA struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct joboptions o = {0}, back;
		const char *json;

		set(&o, rows[i].option, rows[i].text, a);
		json = joboptions_write(&o, a);
		if (rows[i].json == NULL) {
			assert_null(json);
			continue;
		}
		assert_string_equal(json, rows[i].json);
		assert_string_equal(joboptions_text(&o, rows[i].option, a), rows[i].again);
		assert_int_equal(joboptions_read(&back, json, a, NULL), ERR_OK);
		assert_string_equal(joboptions_write(&back, a), json);
		set(&back, rows[i].option, joboptions_text(&o, rows[i].option, a), a);
		assert_string_equal(joboptions_write(&back, a), json);
	}
}

static void what_breaks_a_rule_is_refused_with_a_reason_and_changes_nothing(void **state)
{
	static const struct {
		enum joboption option;
		const char *text;
	} rows[] = {{OPTION_FOLDER, "a\x01z"}, {OPTION_FOLDER, "a\x7F"}, {OPTION_FOLDER, "a\xC2\x85z"},
	    {OPTION_FOLDER, "\xFF\xFE"}, {OPTION_FOLDER, "a\tb"}, {OPTION_F1F2, "a"}, {OPTION_F1F2, "a=b=c"},
	    {OPTION_F1F2, "=b"}, {OPTION_F1F2, "a="}, {OPTION_F1F2, " = "}, {OPTION_SUBFOLDER1, "a\nb"},
	    {OPTION_MAXSIZE, "0"}, {OPTION_MAXSIZE, "-1"}, {OPTION_MAXSIZE, "25 ells"},
	    {OPTION_MAXSIZE, "1.5 MB"}, {OPTION_MAXSIZE, "99999999999999999999"},
	    {OPTION_MAXSIZE, "20000 GB"}, {OPTION_MAXSIZE, "25 MB\n--x"}, {OPTION_MAXBYTESPERSECOND, "999"},
	    {OPTION_MAXAGE, "0"}, {OPTION_MAXAGE, "1e3"}, {OPTION_MAXAGE, "36501"}, {OPTION_MAXAGE, "+1"},
	    {OPTION_SINCE, "2023-02-29"}, {OPTION_SINCE, "2024-13-01"}, {OPTION_SINCE, "1-Mar-2019"},
	    {OPTION_SINCE, "2019-03-05 OR ALL"}, {OPTION_SINCE, "2019/03/05"}, {OPTION_ONLY, "UNSEEN"},
	    {OPTION_ONLY, "deleted"}, {OPTION_USEHEADER, "ALL"}, {OPTION_USEHEADER, "a b"},
	    {OPTION_USEHEADER, "a)]"}, {OPTION_USEHEADER, "a:"}, {OPTION_TIMEOUT, "1"},
	    {OPTION_AUTHMECH1, "CRAM-MD5"}, {OPTION_AUTHMECH1, "plain"}, {OPTION_AUTHUSER1, "a\nb"},
	    {OPTION_AUTHUSER1, "a\x01"}, {OPTION_CONNECTIONS, "9"}};
	AUTO_ARENA struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct joboptions o = {0};
		const char *why = NULL;

		if (joboptions_set(&o, rows[i].option, rows[i].text, a, &why) != ERR_INVALID)
			fail_msg("%s takes %s", joboption_rows[rows[i].option].name, rows[i].text);
		assert_non_null(why);
		assert_false(joboptions_any(&o));
	}
}

static void no_list_grows_without_bound(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct joboptions o = {0};
	const char *why;
	char text[JOBOPTION_LIST_MAX_BYTES + 2];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(joboptions_set(&o, OPTION_FOLDER, text, a, &why), ERR_INVALID);
	for (size_t i = 1; i < sizeof(text) - 1; i += 2)
		text[i] = '\n';
	text[2 * JOBOPTION_WORDS_MAX] = '\0';
	assert_int_equal(joboptions_set(&o, OPTION_FOLDER, text, a, &why), ERR_OK);
	text[2 * JOBOPTION_WORDS_MAX] = 'x';
	text[2 * JOBOPTION_WORDS_MAX + 1] = '\0';
	assert_int_equal(joboptions_set(&o, OPTION_FOLDER, text, a, &why), ERR_INVALID);
}

/* The most that can be set is still read back. */
static void the_largest_of_all_is_read_back(void **state)
{
	static const enum joboption lists[] = {OPTION_FOLDER, OPTION_FOLDERREC, OPTION_EXCLUDE};
	AUTO_ARENA struct arena *a = arena_new();
	struct joboptions o = {0}, back;
	char text[JOBOPTION_LIST_MAX_BYTES + 1];
	const char *json, *why = "";

	(void)state;
	memset(text, '"', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (size_t i = JOBOPTION_NAME_MAX_BYTES; i < sizeof(text) - 1; i += JOBOPTION_NAME_MAX_BYTES + 1)
		text[i] = '\n';
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		set(&o, lists[i], text, a);
	text[1] = '=';
	for (size_t i = 0; text[i] != '\0'; i++)
		if (text[i] == '\n')
			text[i + 2] = '=';
	set(&o, OPTION_F1F2, text, a);
	json = joboptions_write(&o, a);
	if (joboptions_read(&back, json, a, &why) != ERR_OK)
		fail_msg("%zu bytes: %s", strlen(json), why);
	assert_string_equal(joboptions_write(&back, a), json);
	assert_true(strlen(json) < 65535); /* job.options */
}

static void options_that_cannot_both_be_are_refused_together(void **state)
{
	static const struct {
		enum joboption one, other;
		const char *one_text, *other_text;
		enum joboption where; /* JOBOPTION__MAX: they can */
	} rows[] = {
	    {OPTION_MAXSIZE, OPTION_MINSIZE, "10 KB", "10 KB", OPTION_MINSIZE},
	    {OPTION_MAXSIZE, OPTION_MINSIZE, "10 KB", "9 KB", JOBOPTION__MAX},
	    {OPTION_MAXAGE, OPTION_MINAGE, "10", "20", OPTION_MINAGE},
	    {OPTION_MAXAGE, OPTION_MINAGE, "20", "10", JOBOPTION__MAX},
	    {OPTION_AUTHMECH1, OPTION_AUTHUSER1, "LOGIN", "root", OPTION_AUTHUSER1},
	    {OPTION_AUTHMECH2, OPTION_AUTHUSER2, "OAUTHBEARER", "root", OPTION_AUTHUSER2},
	    {OPTION_AUTHMECH1, OPTION_AUTHUSER1, "PLAIN", "root", JOBOPTION__MAX},
	    {OPTION_AUTHMECH1, OPTION_AUTHUSER2, "LOGIN", "root", JOBOPTION__MAX},
	    {OPTION_SINCE, OPTION_BEFORE, "2020-01-01", "2020-01-01", OPTION_BEFORE},
	    {OPTION_SINCE, OPTION_BEFORE, "2020-01-01", "2020-01-02", JOBOPTION__MAX},
	};
	AUTO_ARENA struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum joboption where = JOBOPTION__MAX;
		struct joboptions o = {0};
		const char *why;
		enum err e;

		set(&o, rows[i].one, rows[i].one_text, a);
		set(&o, rows[i].other, rows[i].other_text, a);
		e = joboptions_check(&o, &where, &why);
		assert_int_equal(e, rows[i].where == JOBOPTION__MAX ? ERR_OK : ERR_INVALID);
		assert_int_equal(where, rows[i].where);
	}
}

static void what_was_not_written_here_is_not_read(void **state)
{
	static const char *const texts[] = {"", "{", "[]", "1", "{}x", "{\"folder\":[1]}", "{\"folder\":{}}",
	    "{\"regexmess\":\"s/a/b/\"}", "{\"folder\":[\"a\\nb\"]}", "{\"maxsize\":\"x\"}",
	    "{\"maxsize\":1.5}", "{\"noautomap\":false}", "{\"maxage\":1,\"minage\":2}",
	    "{\"maxsize\":25000000} "};
	AUTO_ARENA struct arena *a = arena_new();
	struct joboptions o;
	const char *why;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(texts) / sizeof(texts[0]); i++) {
		if (joboptions_read(&o, texts[i], a, &why) != ERR_INVALID)
			fail_msg("%s is read", texts[i]);
		assert_true(why[0] != '\0');
		assert_false(joboptions_any(&o));
	}
	assert_int_equal(joboptions_read(&o, NULL, a, &why), ERR_OK);
	assert_false(joboptions_any(&o));
}

static void people_read_what_they_asked_for(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct joboptions o = {0};

	(void)state;
	assert_null(joboptions_say_all(&o, a));
	set(&o, OPTION_FOLDER, "A\nB", a);
	set(&o, OPTION_MAXSIZE, "25 MB", a);
	set(&o, OPTION_ONLY, "unseen", a);
	set(&o, OPTION_NOSUBSCRIBE, "1", a);
	assert_string_equal(joboptions_say_all(&o, a),
	    "only the folders A, B; no folder is subscribed; messages up to 25 MB; only messages that are "
	    "unread");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_has_what_forms_and_pages_need),
	    cmocka_unit_test(a_value_is_read_as_it_is_meant),
	    cmocka_unit_test(what_breaks_a_rule_is_refused_with_a_reason_and_changes_nothing),
	    cmocka_unit_test(no_list_grows_without_bound),
	    cmocka_unit_test(the_largest_of_all_is_read_back),
	    cmocka_unit_test(options_that_cannot_both_be_are_refused_together),
	    cmocka_unit_test(what_was_not_written_here_is_not_read),
	    cmocka_unit_test(people_read_what_they_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
