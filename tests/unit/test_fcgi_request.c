#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <json-c/json.h>

#include "fcgi/request.h"

struct fake {
	const char *body;
	size_t at, len;
};

static size_t read_fake(void *arg, char *dst, size_t len)
{
	struct fake *f = arg;

	/* in small pieces, as a socket would */
	if (len > 7)
		len = 7;
	if (len > f->len - f->at)
		len = f->len - f->at;
	memcpy(dst, f->body + f->at, len);
	f->at += len;
	return len;
}

/* Parses; the caller frees.  env: up to 8 further variables. */
static struct request *parse(
    const char *method, const char *uri, const char *type, const char *body, char **more)
{
	static char m[64], u[9000], t[128], l[64];
	static const char *const trusted[] = {"127.0.0.1"};
	struct netmask_list *proxies;
	size_t bad_item;
	static char *env[16];
	struct fake f = {.body = body, .at = 0, .len = body ? strlen(body) : 0};
	struct request_source src = {.env = env, .read_body = read_fake, .arg = &f};
	struct request *rq;
	int n = 0;

	snprintf(m, sizeof(m), "REQUEST_METHOD=%s", method);
	snprintf(u, sizeof(u), "REQUEST_URI=%s", uri);
	env[n++] = m;
	env[n++] = u;
	if (type) {
		snprintf(t, sizeof(t), "CONTENT_TYPE=%s", type);
		env[n++] = t;
	}
	if (body) {
		snprintf(l, sizeof(l), "CONTENT_LENGTH=%zu", strlen(body));
		env[n++] = l;
	}
	while (more && *more)
		env[n++] = *more++;
	env[n] = NULL;
	assert_int_equal(netmask_list_new(trusted, 1, &proxies, &bad_item), ERR_OK);
	if (request_parse(&src, proxies, &rq) == ERR_OK)
		assert_int_equal(rq->bad_status, 0);
	else
		assert_int_not_equal(rq->bad_status, 0);
	netmask_list_free(&proxies);
	return rq;
}

static unsigned status_of(const char *method, const char *uri, const char *body)
{
	struct request *rq =
	    parse(method, uri, body ? "application/x-www-form-urlencoded" : NULL, body, NULL);
	unsigned s = rq->bad_status;

	request_free(&rq);
	return s;
}

static void a_plain_request_is_taken_apart(void **state)
{
	struct request *rq = parse("GET", "/migration/jobs?q=a%20b+c&state=done", NULL, NULL, NULL);

	(void)state;
	assert_string_equal(rq->path, "/migration/jobs");
	assert_string_equal(params_get(&rq->query, "q"), "a b c");
	assert_string_equal(params_get(&rq->query, "state"), "done");
	assert_null(params_get(&rq->query, "other"));
	assert_int_equal(strlen(rq->id), 16);
	request_free(&rq);
	assert_null(rq);
}

static void a_header_that_is_too_long_is_empty_and_not_absent(void **state)
{
	static char header[REQUEST_HEADER_MAX_BYTES + 64] = "HTTP_IF_MATCH=";
	char *more[] = {header, NULL};
	size_t n = strlen(header);
	struct request *rq;

	(void)state;
	memset(header + n, 'x', REQUEST_HEADER_MAX_BYTES);
	rq = parse("GET", "/", NULL, NULL, more);
	assert_string_equal(request_env(rq, "HTTP_IF_MATCH"), header + n);
	request_free(&rq);
	header[n + REQUEST_HEADER_MAX_BYTES] = 'x';
	rq = parse("GET", "/", NULL, NULL, more);
	assert_string_equal(request_env(rq, "HTTP_IF_MATCH"), "");
	assert_null(request_env(rq, "HTTP_IF_MATC"));
	request_free(&rq);
}

static void a_plus_in_a_path_stays_a_plus(void **state)
{
	struct request *rq = parse("GET", "/a+b%26c&d", NULL, NULL, NULL);

	(void)state;
	assert_string_equal(rq->path, "/a+b&c&d");
	request_free(&rq);
}

static void a_broken_percent_is_refused(void **state)
{
	(void)state;
	assert_int_equal(status_of("GET", "/x?a=%4", NULL), 400);
	assert_int_equal(status_of("GET", "/x?a=%zz", NULL), 400);
	assert_int_equal(status_of("GET", "/x%", NULL), 400);
	assert_int_equal(status_of("POST", "/x", "a=%G1"), 400);
}

static void invalid_utf8_and_nul_are_refused(void **state)
{
	(void)state;
	assert_int_equal(status_of("GET", "/x?a=%C3%28", NULL), 400);
	assert_int_equal(status_of("GET", "/x?a=%00", NULL), 400);
	assert_int_equal(status_of("GET", "/%ED%A0%80", NULL), 400);
	assert_int_equal(status_of("POST", "/x", "a=b%00c"), 400);
	assert_int_equal(status_of("GET", "/x?a=%C3%A9", NULL), 0);
}

static void path_tricks_are_refused(void **state)
{
	(void)state;
	assert_int_equal(status_of("GET", "/a/../b", NULL), 400);
	assert_int_equal(status_of("GET", "/a/%2e%2e/b", NULL), 400);
	assert_int_equal(status_of("GET", "/a%2Fb", NULL), 400);
	assert_int_equal(status_of("GET", "/a//b", NULL), 400);
	assert_int_equal(status_of("GET", "/./a", NULL), 400);
	assert_int_equal(status_of("GET", "a", NULL), 400);
	assert_int_equal(status_of("GET", "/..a/.b", NULL), 0);
}

static void a_parameter_given_twice_is_refused(void **state)
{
	(void)state;
	assert_int_equal(status_of("GET", "/x?a=1&a=2", NULL), 400);
	assert_int_equal(status_of("POST", "/x", "a=1&b=2&a=1"), 400);
	assert_int_equal(status_of("POST", "/x", "id%5B%5D=1&id%5B%5D=2"), 0);
}

static void more_than_a_hundred_parameters_are_refused(void **state)
{
	char body[2000] = "";
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		sprintf(body + strlen(body), "%sp%d=1", i ? "&" : "", i);
	assert_int_equal(status_of("POST", "/x", body), 0);
	strcat(body, "&p100=1");
	assert_int_equal(status_of("POST", "/x", body), 400);
}

static void unknown_methods_are_told_from_known_ones(void **state)
{
	struct request *rq = parse("PUT", "/x", NULL, NULL, NULL);

	(void)state;
	assert_int_equal(rq->bad_status, 0);
	assert_int_equal(rq->method, METHOD_OTHER);
	request_free(&rq);
	assert_int_equal(status_of("BREW", "/x", NULL), 501);
	assert_int_equal(status_of("get", "/x", NULL), 501);
	rq = parse("HEAD", "/x", NULL, NULL, NULL);
	assert_int_equal(rq->method, METHOD_GET);
	assert_true(rq->is_head);
	request_free(&rq);
}

static void a_body_over_the_limit_is_read_away_and_refused(void **state)
{
	static char big[REQUEST_BODY_MAX_BYTES + 2];

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[1] = '=';
	assert_int_equal(status_of("POST", "/x", big), 413);
	big[REQUEST_BODY_MAX_BYTES] = '\0';
	assert_int_equal(status_of("POST", "/x", big), 0);
}

static void a_body_shorter_than_announced_is_refused(void **state)
{
	char *env[] = {(char[]){"REQUEST_METHOD=POST"}, (char[]){"REQUEST_URI=/x"},
	    (char[]){"CONTENT_LENGTH=10"}, (char[]){"CONTENT_TYPE=application/x-www-form-urlencoded"}, NULL};
	struct fake f = {.body = "a=1", .at = 0, .len = 3};
	struct request_source src = {.env = env, .read_body = read_fake, .arg = &f};
	struct request *rq;

	(void)state;
	assert_int_equal(request_parse(&src, NULL, &rq), ERR_INVALID);
	assert_int_equal(rq->bad_status, 400);
	request_free(&rq);
}

static void a_garbled_or_doubled_length_is_refused(void **state)
{
	char *garbled[] = {
	    (char[]){"REQUEST_METHOD=POST"}, (char[]){"REQUEST_URI=/x"}, (char[]){"CONTENT_LENGTH=-1"}, NULL};
	char *doubled[] = {(char[]){"REQUEST_METHOD=POST"}, (char[]){"REQUEST_URI=/x"},
	    (char[]){"CONTENT_LENGTH=1"}, (char[]){"CONTENT_LENGTH=2"}, NULL};
	struct fake f = {.body = "", .at = 0, .len = 0};
	struct request_source src = {.env = garbled, .read_body = read_fake, .arg = &f};
	struct request *rq;

	(void)state;
	assert_int_equal(request_parse(&src, NULL, &rq), ERR_INVALID);
	assert_int_equal(rq->bad_status, 400);
	request_free(&rq);
	src.env = doubled;
	assert_int_equal(request_parse(&src, NULL, &rq), ERR_INVALID);
	assert_int_equal(rq->bad_status, 400);
	request_free(&rq);
}

static void an_unknown_body_type_is_refused(void **state)
{
	struct request *rq = parse("POST", "/x", "text/plain", "a=1", NULL);

	(void)state;
	assert_int_equal(rq->bad_status, 415);
	request_free(&rq);
}

static void a_flat_json_body_becomes_parameters(void **state)
{
	struct request *rq = parse("POST", "/api/v1/x", "application/json; charset=utf-8",
	    "{\"a\":\"\\u00e9\",\"b\":7,\"c\":true,\"d\":null}", NULL);

	(void)state;
	assert_true(rq->is_api);
	assert_true(rq->wants_json);
	assert_string_equal(rq->path, "/x");
	assert_string_equal(params_get(&rq->body, "a"), "\xC3\xA9");
	assert_string_equal(params_get(&rq->body, "b"), "7");
	assert_string_equal(params_get(&rq->body, "c"), "1");
	assert_null(params_get(&rq->body, "d"));
	request_free(&rq);
}

#define MARKER "opensesame"

static bool marker_was_freed;
static unsigned frees;

int __real_json_object_put(struct json_object *o);
int __wrap_json_object_put(struct json_object *o);
void __real_json_tokener_free(struct json_tokener *tok);
void __wrap_json_tokener_free(struct json_tokener *tok);

int __wrap_json_object_put(struct json_object *o)
{
	const char *text = o != NULL ? json_object_to_json_string(o) : "";

	frees++;
	marker_was_freed = marker_was_freed || strstr(text, MARKER) != NULL;
	return __real_json_object_put(o);
}

void __wrap_json_tokener_free(struct json_tokener *tok)
{
	frees++;
	if (tok != NULL)
		marker_was_freed = marker_was_freed || memmem(tok->pb->buf, (size_t)tok->pb->size, MARKER,
							   strlen(MARKER)) != NULL;
	__real_json_tokener_free(tok);
}

static void what_json_c_held_of_a_password_is_wiped_before_it_is_freed(void **state)
{
	static const char *const bodies[] = {"{\"password\":\"" MARKER "\"}",
	    "{\"password\":\"" MARKER "\",\"z\":1}", "{\"password\":[\"" MARKER "\"]}",
	    "{\"password\":{\"a\":\"" MARKER "\"}}", "{\"password\":\"" MARKER};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		marker_was_freed = false;
		frees = 0;
		struct request *rq = parse("POST", "/api/v1/x", "application/json", bodies[i], NULL);

		if (i < 2)
			assert_string_equal(params_get(&rq->body, "password"), MARKER);
		assert_int_equal(frees, 2);
		assert_false(marker_was_freed);
		request_free(&rq);
	}
}

static void the_one_object_in_a_json_body_becomes_parameters_of_its_name(void **state)
{
	struct request *rq = parse("POST", "/api/v1/x", "application/json",
	    "{\"options\":{\"folder\":[\"a "
	    "b\",\"c\"],\"maxsize\":5,\"on\":true,\"none\":null,\"e\":[]},\"n\":1}",
	    NULL);

	(void)state;
	assert_int_equal(rq->bad_status, 0);
	assert_string_equal(params_get(&rq->body, "options"), "1");
	assert_string_equal(params_get(&rq->body, "options.folder"), "a b\nc\n");
	assert_string_equal(params_get(&rq->body, "options.maxsize"), "5");
	assert_string_equal(params_get(&rq->body, "options.on"), "1");
	assert_string_equal(params_get(&rq->body, "options.e"), "");
	assert_null(params_get(&rq->body, "options.none"));
	assert_string_equal(params_get(&rq->body, "n"), "1");
	request_free(&rq);
}

static void json_that_is_not_flat_or_not_whole_is_refused(void **state)
{
	static const char *const bodies[] = {"{\"a\":{}}", "{\"a\":[1]}", "[1]", "{\"a\":1", "{\"a\":1}x",
	    "{\"a\":\"\\u0000\"}", "{\"a\":1.5}", "{\"options\":[1]}", "{\"options\":{\"a\":{}}}",
	    "{\"options\":{\"a\":[1]}}", "{\"options\":{\"a\":[\"x\\ny\"]}}",
	    "{\"options\":{\"a\":[\"\\u0000\"]}}", "{\"options\":{\"a\":1},\"options.a\":2}"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct request *rq = parse("POST", "/x", "application/json", bodies[i], NULL);

		assert_int_equal(rq->bad_status, 400);
		request_free(&rq);
	}
}

static void foreign_cookies_do_no_harm(void **state)
{
	char *more[] = {(char[]){"HTTP_COOKIE=a=1; weird; =x; mailconvoy=tok; a=2"}, NULL};
	struct request *rq = parse("GET", "/x", NULL, NULL, more);

	(void)state;
	assert_string_equal(params_get(&rq->cookies, "mailconvoy"), "tok");
	assert_string_equal(params_get(&rq->cookies, "a"), "1");
	request_free(&rq);
}

static void only_a_trusted_proxy_is_believed_about_the_client(void **state)
{
	char *spoof[] = {
	    (char[]){"REMOTE_ADDR=192.0.2.9"}, (char[]){"HTTP_X_FORWARDED_FOR=198.51.100.1"}, NULL};
	char *chain[] = {(char[]){"REMOTE_ADDR=127.0.0.1"},
	    (char[]){"HTTP_X_FORWARDED_FOR=203.0.113.5, 198.51.100.1, 127.0.0.1"}, NULL};
	char *junk[] = {(char[]){"REMOTE_ADDR=127.0.0.1"}, (char[]){"HTTP_X_FORWARDED_FOR=<script>"}, NULL};
	struct request *rq;

	(void)state;
	rq = parse("GET", "/x", NULL, NULL, spoof);
	assert_string_equal(rq->client, "192.0.2.9");
	request_free(&rq);
	rq = parse("GET", "/x", NULL, NULL, chain);
	assert_string_equal(rq->client, "198.51.100.1");
	request_free(&rq);
	rq = parse("GET", "/x", NULL, NULL, junk);
	assert_string_equal(rq->client, "127.0.0.1");
	request_free(&rq);
}

static void json_is_sent_to_those_who_ask_for_it_alone(void **state)
{
	char *fetch[] = {(char[]){"HTTP_ACCEPT=application/json"}, NULL};
	char *browser[] = {(char[]){"HTTP_ACCEPT=text/html,application/json;q=0.9"}, NULL};
	struct request *rq = parse("GET", "/x", NULL, NULL, fetch);

	(void)state;
	assert_true(rq->wants_json);
	request_free(&rq);
	rq = parse("GET", "/x", NULL, NULL, browser);
	assert_false(rq->wants_json);
	request_free(&rq);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_plain_request_is_taken_apart),
	    cmocka_unit_test(a_header_that_is_too_long_is_empty_and_not_absent),
	    cmocka_unit_test(a_plus_in_a_path_stays_a_plus),
	    cmocka_unit_test(a_broken_percent_is_refused),
	    cmocka_unit_test(invalid_utf8_and_nul_are_refused),
	    cmocka_unit_test(path_tricks_are_refused),
	    cmocka_unit_test(a_parameter_given_twice_is_refused),
	    cmocka_unit_test(more_than_a_hundred_parameters_are_refused),
	    cmocka_unit_test(unknown_methods_are_told_from_known_ones),
	    cmocka_unit_test(a_body_over_the_limit_is_read_away_and_refused),
	    cmocka_unit_test(a_body_shorter_than_announced_is_refused),
	    cmocka_unit_test(a_garbled_or_doubled_length_is_refused),
	    cmocka_unit_test(an_unknown_body_type_is_refused),
	    cmocka_unit_test(a_flat_json_body_becomes_parameters),
	    cmocka_unit_test(what_json_c_held_of_a_password_is_wiped_before_it_is_freed),
	    cmocka_unit_test(the_one_object_in_a_json_body_becomes_parameters_of_its_name),
	    cmocka_unit_test(json_that_is_not_flat_or_not_whole_is_refused),
	    cmocka_unit_test(foreign_cookies_do_no_harm),
	    cmocka_unit_test(only_a_trusted_proxy_is_believed_about_the_client),
	    cmocka_unit_test(json_is_sent_to_those_who_ask_for_it_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
