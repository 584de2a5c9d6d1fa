#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/template.h"

/* Render "main" of the sources (a JSON object) with model (JSON). */
static enum err render(const char *sources, const char *model, struct buf *out, struct buf *why)
{
	json_object *s = json_tokener_parse(sources), *m = json_tokener_parse(model);
	struct templates *ts;
	enum err e;

	assert_non_null(s);
	ts = templates_new_memory(s);
	e = template_render(ts, "main", m, out);
	buf_adds(why, template_error(ts));
	templates_free(&ts);
	json_object_put(s);
	json_object_put(m);
	return e;
}

static void expect(const char *sources, const char *model, const char *want)
{
	AUTO_BUF struct buf out = BUF_INIT, why = BUF_INIT;

	assert_int_equal(render(sources, model, &out, &why), ERR_OK);
	assert_string_equal(out.data, want);
}

static void expect_refused(const char *sources, const char *model, enum err want, const char *says)
{
	AUTO_BUF struct buf out = BUF_INIT, why = BUF_INIT;

	buf_adds(&out, "before");
	assert_int_equal(render(sources, model, &out, &why), want);
	assert_string_equal(out.data, "before");
	if (strstr(why.data, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", why.data, says);
}

static void all_five_special_characters_are_escaped(void **state)
{
	(void)state;
	expect("{\"main\":\"<a title=\\\"{{x}}\\\">{{x}}</a>\"}", "{\"x\":\"&<>\\\"'\"}",
	    "<a title=\"&amp;&lt;&gt;&quot;&#39;\">&amp;&lt;&gt;&quot;&#39;</a>");
}

static void a_layout_takes_the_blocks_of_the_page(void **state)
{
	(void)state;
	expect("{\"main\":\"{{<layout}}ignored{{$body}}<p>{{x}}</p>{{/body}}{{/layout}}\","
	       "\"layout\":\"<title>{{$title}}default{{/title}}</title>{{$body}}{{/body}}\"}",
	    "{\"x\":1}", "<title>default</title><p>1</p>");
}

static void the_most_derived_block_wins(void **state)
{
	(void)state;
	expect("{\"main\":\"{{<mid}}{{$a}}main{{/a}}{{/mid}}\","
	       "\"mid\":\"{{<base}}{{$a}}mid{{/a}}{{$b}}mid{{/b}}{{/base}}\","
	       "\"base\":\"{{$a}}{{/a}}-{{$b}}{{/b}}-{{$c}}base{{/c}}\"}",
	    "{}", "main-mid-base");
}

static void a_layout_used_inside_a_block_has_blocks_of_its_own(void **state)
{
	(void)state;
	expect(
	    "{\"main\":\"{{<base}}{{$title}}outer{{/title}}{{$body}}{{<card}}{{/card}}{{/body}}{{/base}}\","
	    "\"card\":\"[{{$title}}card{{/title}}]\",\"base\":\"{{$title}}{{/title}}{{$body}}{{/body}}\"}",
	    "{}", "outer[card]");
}

static void a_layout_can_be_used_once_for_each_row(void **state)
{
	(void)state;
	expect("{\"main\":\"{{#rows}}{{<cell}}{{$v}}{{n}}{{/v}}{{/cell}}{{/rows}}\",\"cell\":\"({{$v}}{{/"
	       "v}})\"}",
	    "{\"rows\":[{\"n\":1},{\"n\":2}]}", "(1)(2)");
}

static void null_hides_the_same_name_further_out(void **state)
{
	(void)state;
	expect("{\"main\":\"{{#o}}[{{x}}]{{^x}}none{{/x}}{{/o}}\"}", "{\"x\":\"outer\",\"o\":{\"x\":null}}",
	    "[]none");
}

static void a_tag_alone_on_its_line_takes_the_line_with_it(void **state)
{
	(void)state;
	expect("{\"main\":\"a\\n  {{#s}}\\nb\\n\\t{{/s}}\\r\\nc\\n{{! no }}\\n{{^s}}\\nd{{/s}}\\ne\"}",
	    "{\"s\":true}", "a\nb\nc\n\ne");
	expect("{\"main\":\" {{x}}\\n{{#s}} {{/s}}\\n\"}", "{\"x\":1,\"s\":true}", " 1\n \n");
}

static void a_part_alone_on_its_line_is_indented_and_its_values_are_not(void **state)
{
	(void)state;
	expect("{\"main\":\"<\\n  {{>p}}\\n>\",\"p\":\"a\\n{{{x}}}\\nb\\n\"}", "{\"x\":\"1\\n2\"}",
	    "<\n  a\n  1\n2\n  b\n>");
	expect("{\"main\":\"< {{>p}} >\",\"p\":\"a\\nb\"}", "{}", "< a\nb >");
}

static void delimiters_change_for_the_rest_of_the_file_only(void **state)
{
	(void)state;
	expect("{\"main\":\"{{=<% %>=}}<%x%>{{x}}<%>p%><%={{ }}=%>{{x}}\",\"p\":\"({{x}}<%x%>)\"}",
	    "{\"x\":1}", "1{{x}}(1<%x%>)1");
}

static void the_first_part_of_a_dotted_name_decides_where_it_is_looked_up(void **state)
{
	(void)state;
	expect("{\"main\":\"{{a.b.c}}|{{#a}}{{b.c}}{{#d}}[{{b.c}}]{{/d}}{{/a}}|{{a.none.c}}\"}",
	    "{\"a\":{\"b\":{\"c\":1},\"d\":{\"b\":{}}}}", "1|1[]|");
}

static void a_list_is_walked_and_the_dot_is_its_item(void **state)
{
	(void)state;
	expect("{\"main\":\"{{#l}}({{.}}{{#n}}{{n}}{{/n}}){{/l}}{{^e}}none{{/e}}{{^l}}x{{/l}}\"}",
	    "{\"l\":[\"<\",2.50,true],\"e\":[]}", "(&lt;)(2.50)(true)none");
}

static void zero_and_the_empty_string_are_not_false(void **state)
{
	(void)state;
	expect("{\"main\":\"{{#z}}z{{/z}}{{#s}}s{{/s}}{{#n}}n{{/n}}{{#f}}f{{/f}}{{#o}}o{{/o}}\"}",
	    "{\"z\":0,\"s\":\"\",\"n\":null,\"f\":false,\"o\":{}}", "zso");
}

static void three_braces_and_an_ampersand_print_as_it_is(void **state)
{
	(void)state;
	expect("{\"main\":\"{{{x}}}{{&x}}{{& x }}{{x}}\"}", "{\"x\":\"<\"}", "<<<&lt;");
}

static void an_unclosed_section_is_refused_with_its_line(void **state)
{
	(void)state;
	expect_refused("{\"main\":\"\\n\\n{{#a}}\"}", "{}", ERR_INVALID, "line 3");
}

static void a_wrong_closing_tag_is_refused(void **state)
{
	(void)state;
	expect_refused("{\"main\":\"{{#a}}{{/b}}\"}", "{\"a\":1}", ERR_INVALID, "{{/b}}");
}

static void an_unfinished_tag_is_refused(void **state)
{
	(void)state;
	expect_refused("{\"main\":\"text {{name\"}", "{}", ERR_INVALID, "never closed");
}

static void an_object_where_a_value_belongs_is_refused(void **state)
{
	(void)state;
	expect_refused("{\"main\":\"{{o}}\"}", "{\"o\":{}}", ERR_INVALID, "not a value");
}

static void a_partial_that_contains_itself_ends(void **state)
{
	(void)state;
	expect_refused("{\"main\":\"{{>main}}\"}", "{}", ERR_TOO_BIG, "too deep");
}

static void a_block_that_contains_itself_ends(void **state)
{
	(void)state;
	expect_refused("{\"main\":\"{{<p}}{{$a}}{{$a}}{{/a}}{{/a}}{{/p}}\",\"p\":\"{{$a}}{{/a}}\"}", "{}",
	    ERR_TOO_BIG, "inside itself");
}

/* Thirty parts, each naming the next one twice: a thousand million texts in three kilobytes. */
static void parts_that_double_at_each_level_end(void **state)
{
	AUTO_BUF struct buf s = BUF_INIT;

	(void)state;
	buf_adds(&s, "{\"main\":\"{{>p0}}\"");
	for (int i = 0; i < 30; i++)
		buf_addf(&s, ",\"p%d\":\"{{>p%d}}{{>p%d}}\"", i, i + 1, i + 1);
	buf_adds(&s, ",\"p30\":\"\"}");
	expect_refused(s.data, "{}", ERR_TOO_BIG, "without end");
}

static void endless_nesting_in_a_file_is_refused(void **state)
{
	AUTO_BUF struct buf s = BUF_INIT;

	(void)state;
	buf_adds(&s, "{\"main\":\"");
	for (int i = 0; i < TEMPLATE_NESTING_MAX + 1; i++)
		buf_adds(&s, "{{#a}}");
	buf_adds(&s, "\"}");
	expect_refused(s.data, "{}", ERR_TOO_BIG, "sections");
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void a_changed_file_is_compiled_again_and_the_first_directory_wins(void **state)
{
	char dir[] = "/tmp/mcv-template-XXXXXX", one[64], two[64], file_one[96], file_two[96], path[160];
	AUTO_BUF struct buf out = BUF_INIT;
	struct templates *ts;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(one, sizeof(one), "%s/one", dir);
	(void)snprintf(two, sizeof(two), "%s/two", dir);
	assert_int_equal(mkdir(one, 0700) | mkdir(two, 0700), 0);
	(void)snprintf(file_one, sizeof(file_one), "%s/a.html", one);
	(void)snprintf(file_two, sizeof(file_two), "%s/a.html", two);
	(void)snprintf(path, sizeof(path), "%s:%s", one, two);
	ts = templates_new(path);
	write_file(file_two, "second");
	assert_int_equal(template_render(ts, "a.html", NULL, &out), ERR_OK);
	write_file(file_two, "changed!");
	assert_int_equal(template_render(ts, "a.html", NULL, &out), ERR_OK);
	write_file(file_one, "first");
	assert_int_equal(template_render(ts, "a.html", NULL, &out), ERR_OK);
	assert_string_equal(out.data, "secondchanged!first");
	assert_int_equal(template_render(ts, "../one/a.html", NULL, &out), ERR_NOT_FOUND);
	assert_int_equal(template_render(ts, "b.html", NULL, &out), ERR_NOT_FOUND);
	templates_free(&ts);
	(void)(unlink(file_one) | unlink(file_two) | rmdir(one) | rmdir(two) | rmdir(dir));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_five_special_characters_are_escaped),
	    cmocka_unit_test(a_layout_takes_the_blocks_of_the_page),
	    cmocka_unit_test(the_most_derived_block_wins),
	    cmocka_unit_test(a_layout_used_inside_a_block_has_blocks_of_its_own),
	    cmocka_unit_test(a_layout_can_be_used_once_for_each_row),
	    cmocka_unit_test(null_hides_the_same_name_further_out),
	    cmocka_unit_test(a_tag_alone_on_its_line_takes_the_line_with_it),
	    cmocka_unit_test(a_part_alone_on_its_line_is_indented_and_its_values_are_not),
	    cmocka_unit_test(delimiters_change_for_the_rest_of_the_file_only),
	    cmocka_unit_test(the_first_part_of_a_dotted_name_decides_where_it_is_looked_up),
	    cmocka_unit_test(a_list_is_walked_and_the_dot_is_its_item),
	    cmocka_unit_test(zero_and_the_empty_string_are_not_false),
	    cmocka_unit_test(three_braces_and_an_ampersand_print_as_it_is),
	    cmocka_unit_test(an_unclosed_section_is_refused_with_its_line),
	    cmocka_unit_test(a_wrong_closing_tag_is_refused),
	    cmocka_unit_test(an_unfinished_tag_is_refused),
	    cmocka_unit_test(an_object_where_a_value_belongs_is_refused),
	    cmocka_unit_test(a_partial_that_contains_itself_ends),
	    cmocka_unit_test(a_block_that_contains_itself_ends),
	    cmocka_unit_test(parts_that_double_at_each_level_end),
	    cmocka_unit_test(endless_nesting_in_a_file_is_refused),
	    cmocka_unit_test(a_changed_file_is_compiled_again_and_the_first_directory_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
