#include "tests/unit/unit.h"

#include "fcgi/url.h"
#include "fcgi/view.h"

static void numbers_are_grouped_in_threes(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();

	(void)state;
	assert_string_equal(view_number_text(a, 0), "0");
	assert_string_equal(view_number_text(a, 999), "999");
	assert_string_equal(view_number_text(a, 1204), "1,204");
	assert_string_equal(view_number_text(a, 1234567), "1,234,567");
	assert_string_equal(view_plural_text(a, 1, "message"), "1 message");
	assert_string_equal(view_plural_text(a, 2000, "message"), "2,000 messages");
}

static void sizes_use_the_largest_fitting_unit(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();

	(void)state;
	assert_string_equal(view_size_text(a, 1), "1 byte");
	assert_string_equal(view_size_text(a, 1023), "1,023 bytes");
	assert_string_equal(view_size_text(a, 1024), "1.0 KiB");
	assert_string_equal(view_size_text(a, 1048575), "1.0 MiB");
	assert_string_equal(view_size_text(a, 20ULL << 30), "20.0 GiB");
	assert_string_equal(view_size_text(a, UINT64_MAX), "16.0 EiB");
}

static void durations_and_moments_read_as_people_say_them(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();

	(void)state;
	assert_string_equal(view_duration_text(a, -3), "0 s");
	assert_string_equal(view_duration_text(a, 130), "2 min 10 s");
	assert_string_equal(view_duration_text(a, 11100), "3 h 5 min");
	assert_string_equal(view_duration_text(a, 2 * 86400 + 4 * 3600), "2 d 4 h");
	assert_string_equal(view_relative_text(a, 1000, 1002), "just now");
	assert_string_equal(view_relative_text(a, 1000, 1060), "1 minute ago");
	assert_string_equal(view_relative_text(a, 8300, 1000), "in 2 hours");
	assert_string_equal(view_eta_text(a, 30), "less than a minute");
	assert_string_equal(view_eta_text(a, 400), "about 5 to 8 minutes");
	assert_string_equal(view_eta_text(a, 4 * 3600), "about 3 to 5 hours");
}

static void a_moment_that_has_not_come_is_null_everywhere(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct json_object *o = json_object_new_object();

	(void)state;
	view_moment(o, a, "started", 0, 100);
	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
	    "{\"started_at\":null,\"started_iso\":null,\"started_abs\":null,\"started_rel\":null}");
	view_moment(o, a, "started", 1767225600, 1767225600 + 7200);
	assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
	    "{\"started_at\":1767225600,\"started_iso\":\"2026-01-01T00:00:00Z\",\"started_abs\":\"1 Jan "
	    "2026 00:00:00 "
	    "UTC\",\"started_rel\":\"2 hours ago\"}");
	json_object_put(o);
}

static void bytes_that_are_not_utf8_become_the_replacement_character(void **state)
{
	struct json_object *o = json_object_new_object();

	(void)state;
	view_str(o, "x", "a\xFF\xC3");
	assert_string_equal(
	    json_object_get_string(json_object_object_get(o, "x")), "a\xEF\xBF\xBD\xEF\xBF\xBD");
	view_str(o, "y", "");
	assert_true(json_object_object_get_ex(o, "y", NULL));
	assert_null(json_object_object_get(o, "y"));
	json_object_put(o);
}

static void addresses_encode_all_but_unreserved_bytes(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();

	(void)state;
	assert_string_equal(url_job(a, 7, NULL), "/migration/jobs/7");
	assert_string_equal(url_job(a, 7, "tail"), "/migration/jobs/7/tail");
	assert_string_equal(url_with(a, url_with(a, "/x", "q", "a&b =\xC3\xA9"), "s", "done"),
	    "/x?q=a%26b%20%3D%C3%A9&s=done");
	assert_string_equal(url_with(a, "/x", "q", NULL), "/x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_grouped_in_threes),
	    cmocka_unit_test(sizes_use_the_largest_fitting_unit),
	    cmocka_unit_test(durations_and_moments_read_as_people_say_them),
	    cmocka_unit_test(a_moment_that_has_not_come_is_null_everywhere),
	    cmocka_unit_test(bytes_that_are_not_utf8_become_the_replacement_character),
	    cmocka_unit_test(addresses_encode_all_but_unreserved_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
