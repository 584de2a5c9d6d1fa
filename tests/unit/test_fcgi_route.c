#include "tests/unit/unit.h"

#include "fcgi/route.h"

static enum err nothing(struct visit *v)
{
	(void)v;
	return ERR_OK;
}

static const struct route table[] = {
    {.method = METHOD_GET,
	.pattern = "/",
	.need = ROUTE_ANYONE,
	.csrf = ROUTE_CSRF_NONE,
	.effect = ROUTE_HARMLESS,
	.scopes = SCOPE_JOBS_READ,
	.handler = nothing},
    {.method = METHOD_GET,
	.pattern = "/jobs/:id",
	.need = ROUTE_MEMBER,
	.csrf = ROUTE_CSRF_NONE,
	.effect = ROUTE_HARMLESS,
	.scopes = SCOPE_JOBS_READ,
	.handler = nothing},
    {.method = METHOD_DELETE,
	.pattern = "/jobs/:id",
	.need = ROUTE_MEMBER,
	.csrf = ROUTE_CSRF_TOKEN,
	.effect = ROUTE_HARMLESS,
	.scopes = SCOPE_JOBS_READ,
	.handler = nothing},
    {.method = METHOD_GET,
	.pattern = "/jobs/new",
	.need = ROUTE_MEMBER,
	.csrf = ROUTE_CSRF_NONE,
	.effect = ROUTE_HARMLESS,
	.scopes = SCOPE_JOBS_READ,
	.handler = nothing},
    {.method = METHOD_GET,
	.pattern = "/jobs/:id/tail",
	.need = ROUTE_MEMBER,
	.csrf = ROUTE_CSRF_NONE,
	.effect = ROUTE_HARMLESS,
	.scopes = SCOPE_JOBS_READ,
	.handler = nothing},
    {.method = METHOD_GET,
	.pattern = "/links/:token",
	.need = ROUTE_ANYONE,
	.csrf = ROUTE_CSRF_NONE,
	.effect = ROUTE_HARMLESS,
	.scopes = SCOPE_JOBS_READ,
	.handler = nothing},
    {.method = METHOD_POST,
	.pattern = "/links/panel",
	.need = ROUTE_MEMBER,
	.csrf = ROUTE_CSRF_TOKEN,
	.effect = ROUTE_HARMLESS,
	.scopes = SCOPE_JOBS_READ,
	.handler = nothing},
    {.pattern = NULL},
};

static enum err find(enum method m, const char *path, uint64_t *id_r, unsigned *allowed_r)
{
	const struct route *r;

	return route_find(table, m, path, &r, id_r, allowed_r);
}

static void a_number_in_the_path_is_the_id(void **state)
{
	uint64_t id;
	unsigned allowed;

	(void)state;
	assert_int_equal(find(METHOD_GET, "/jobs/17", &id, &allowed), ERR_OK);
	assert_int_equal(id, 17);
	assert_int_equal(find(METHOD_GET, "/jobs/9223372036854775807/tail", &id, &allowed), ERR_OK);
	assert_true(id == INT64_MAX);
	assert_int_equal(find(METHOD_GET, "/", &id, &allowed), ERR_OK);
	assert_int_equal(id, 0);
}

static void what_is_not_quite_a_number_is_not_found(void **state)
{
	static const char *const paths[] = {"/jobs/", "/jobs/0", "/jobs/01", "/jobs/-1", "/jobs/1a",
	    "/jobs/1/", "/jobs/9223372036854775808", "/jobs/99999999999999999999", "/jobs/1/tail/",
	    "/jobs/1/tai", "/jobs", "", "/jobs/new2"};
	uint64_t id;
	unsigned allowed;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(find(METHOD_GET, paths[i], &id, &allowed), ERR_NOT_FOUND);
}

static void a_method_no_row_has_tells_those_that_are_allowed(void **state)
{
	uint64_t id;
	unsigned allowed;

	(void)state;
	assert_int_equal(find(METHOD_POST, "/jobs/17", &id, &allowed), ERR_INVALID);
	assert_int_equal(allowed, METHOD_GET | METHOD_DELETE);
	assert_int_equal(find(METHOD_OTHER, "/", &id, &allowed), ERR_INVALID);
	assert_int_equal(allowed, METHOD_GET);
}

static void a_word_of_the_table_is_never_taken_for_a_token(void **state)
{
	const struct route *r;
	uint64_t id;
	unsigned allowed;

	(void)state;
	assert_int_equal(find(METHOD_GET, "/links/panel", &id, &allowed), ERR_INVALID);
	assert_int_equal(allowed, METHOD_POST);
	assert_int_equal(route_find(table, METHOD_POST, "/links/panel", &r, &id, &allowed), ERR_OK);
	assert_string_equal(r->pattern, "/links/panel");
	assert_null(route_token(r, "/links/panel"));
	assert_int_equal(route_find(table, METHOD_GET, "/links/panel2", &r, &id, &allowed), ERR_OK);
	assert_string_equal(route_token(r, "/links/panel2"), "panel2");
	assert_int_equal(find(METHOD_GET, "/links/:token", &id, &allowed), ERR_NOT_FOUND);
	assert_int_equal(find(METHOD_GET, "/jobs/:id", &id, &allowed), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_number_in_the_path_is_the_id),
	    cmocka_unit_test(what_is_not_quite_a_number_is_not_found),
	    cmocka_unit_test(a_method_no_row_has_tells_those_that_are_allowed),
	    cmocka_unit_test(a_word_of_the_table_is_never_taken_for_a_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
