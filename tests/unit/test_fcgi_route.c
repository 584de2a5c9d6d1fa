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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_number_in_the_path_is_the_id),
	    cmocka_unit_test(what_is_not_quite_a_number_is_not_found),
	    cmocka_unit_test(a_method_no_row_has_tells_those_that_are_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
