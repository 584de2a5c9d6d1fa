#include "tests/unit/unit.h"

#include <string.h>

#include "engine/json.h"
#include "engine/verify_map.h"
#include "engine/verify_words.h"

static void a_json_line_is_valid_whatever_a_text_holds(void **state)
{
	AUTO_BUF struct buf b = BUF_INIT;
	(void)state;
	json_begin(&b, "message");
	json_text(&b, "subject", "a\"b\\c\td\x01 \xC2\x85 \xC3\xBC \xFF");
	json_number(&b, "uid", 7);
	json_bool(&b, "complete", true);
	json_end(&b);
	assert_string_equal(b.data,
	    "{\"type\":\"message\",\"subject\":\"a\\\"b\\\\c\\u0009d\\u0001 \\u0085 \xC3\xBC \xEF\xBF\xBD\","
	    "\"uid\":7,\"complete\":true}");
}

static void words_are_unfolded_cut_and_the_first_of_their_kind(void **state)
{
	static const char header[] =
	    "subject:  one\r\n\ttwo  \r\nSubject: second\r\nFROM: a@example.org\r\n\r\n";
	AUTO_ARENA struct arena *a = arena_new();
	struct verify_words w = {.from = "", .subject = ""};
	char endless[1000];
	(void)state;
	verify_words_parse(header, strlen(header), a, &w);
	assert_string_equal(w.subject, "one two");
	assert_string_equal(w.from, "a@example.org");
	memset(endless, 'x', sizeof(endless));
	memcpy(endless, "From:", 5);
	w.from = "";
	verify_words_parse(endless, sizeof(endless), a, &w);
	assert_int_equal(strlen(w.from), VERIFY_WORDS_MAX);
}

struct folders {
	struct folder source[3];
	struct folder destination[3];
	struct folder_pair pairs[3];
	struct folder_plan plan;
	struct folder_set set;
};

static void make(struct folders *f)
{
	static const char *const names[] = {"INBOX", "Sent", "Sent] -> [Trash"};
	*f = (struct folders){
	    .plan = {.pairs = f->pairs, .count = 3}, .set = {.items = f->destination, .count = 3}};
	for (unsigned i = 0; i < 3; i++) {
		f->source[i] = (struct folder){.name = names[i], .selectable = true};
		f->pairs[i] = (struct folder_pair){.source = &f->source[i], .to = "elsewhere"};
	}
	f->destination[0] = (struct folder){.name = "INBOX", .selectable = true};
	f->destination[1] = (struct folder){.name = "Trash", .selectable = true};
	f->destination[2] = (struct folder){.name = "Sent Items", .selectable = true};
}

static void the_copiers_lines_say_where_folders_went(void **state)
{
	struct folders f;
	unsigned moved;
	(void)state;
	make(&f);
	verify_map_apply("junk\nFolder     1/3 [INBOX]              -> [INBOX]       \n"
			 "Folder     2/3 [Sent]               -> [Sent Items]\r\n",
	    &f.set, &f.plan, &moved);
	assert_int_equal(moved, 2);
	assert_string_equal(f.pairs[0].to, "INBOX");
	assert_true(f.pairs[1].exists);
	assert_string_equal(f.pairs[1].to, "Sent Items");
	assert_string_equal(f.pairs[2].to, "elsewhere");
}

static void a_folder_named_like_the_lines_grammar_misleads_nobody(void **state)
{
	struct folders f;
	unsigned moved;
	(void)state;
	make(&f);
	verify_map_apply(
	    "Folder 3/3 [Sent] -> [Trash] -> [Sent Items]\nFolder 1/3 [INBOX] -> [nowhere]\nFolder\n"
	    "Folder 2/3 [",
	    &f.set, &f.plan, &moved);
	assert_int_equal(moved, 1);
	assert_string_equal(f.pairs[2].to, "Sent Items");
	assert_string_equal(f.pairs[1].to, "elsewhere");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_json_line_is_valid_whatever_a_text_holds),
	    cmocka_unit_test(words_are_unfolded_cut_and_the_first_of_their_kind),
	    cmocka_unit_test(the_copiers_lines_say_where_folders_went),
	    cmocka_unit_test(a_folder_named_like_the_lines_grammar_misleads_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
