/*
 * Headers: each line of the input is one, "Name: value", as nginx hands them on.  Whatever they say, who asks
 * stays an address or unknown, and nothing of them breaks a line of the answer.
 */
#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/range.h"
#include "fcgi/request.h"
#include "fcgi/response.h"
#include "lib/netmask.h"
#include "lib/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADERS_MAX = 30, LOG_BYTES = 1000 };

static size_t no_body(void *arg, char *dst, size_t len)
{
	(void)arg;
	(void)dst;
	(void)len;
	return 0;
}

static enum err keep(void *arg, const void *bytes, size_t len)
{
	buf_add(arg, bytes, len);
	return ERR_OK;
}

/* "X-Request-Id: a" becomes "HTTP_X_REQUEST_ID=a", the two that CGI names otherwise without HTTP_. */
static char *variable(struct arena *a, const char *line)
{
	size_t n = strcspn(line, ":");
	const char *value = line + n + strspn(line + n, ": \t");
	char *name = arena_strndup(a, line, n);

	for (char *c = name; *c != '\0'; c++)
		*c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
	if (strcmp(name, "CONTENT_TYPE") == 0 || strcmp(name, "CONTENT_LENGTH") == 0)
		return (char *)(uintptr_t)arena_printf(a, "%s=%s", name, value);
	return (char *)(uintptr_t)arena_printf(a, "HTTP_%s=%s", name, value);
}

static void check_range(const struct request *rq)
{
	struct range range = {0};

	if (range_parse(request_env(rq, "HTTP_RANGE"), LOG_BYTES, &range) == RANGE_PART)
		assert(
		    range.length > 0 && range.first < LOG_BYTES && range.length <= LOG_BYTES - range.first);
}

/* An answer with the id that may be the client's: a blank line ends its head, and nothing follows. */
static void check_answer(const struct request *rq)
{
	AUTO_BUF struct buf out = BUF_INIT;
	struct response rs = RESPONSE_INIT;
	struct response_sink sink = {keep, &out};

	rs.status = 204;
	if (response_send(&rs, rq->shown_id, rq->is_head, true, &sink) != ERR_OK)
		abort();
	assert(out.len > 4 && strcmp(out.data + out.len - 4, "\r\n\r\n") == 0);
	assert(strstr(out.data, "\r\n\r\n") == out.data + out.len - 4);
	for (const char *c = out.data; *c != '\0'; c++)
		assert(*c != '\n' || c[-1] == '\r');
	response_free(&rs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const trusted[] = {"127.0.0.1", "10.0.0.0/8"};
	AUTO_ARENA struct arena *a = arena_new();
	char *line = arena_strndup(a, (const char *)data, size), *end = line + size, *env[HEADERS_MAX + 4];
	char method[] = "REQUEST_METHOD=POST", uri[] = "REQUEST_URI=/api/v1/jobs",
	     remote[] = "REMOTE_ADDR=127.0.0.1";
	struct request_source src = {.env = env, .read_body = no_body};
	struct netmask_list *proxies;
	struct request *rq;
	size_t n = 0, bad_item;

	env[n++] = method;
	env[n++] = uri;
	env[n++] = remote;
	while (n < HEADERS_MAX + 3 && line < end) {
		size_t len = strcspn(line, "\n");

		line[len] = '\0';
		env[n++] = variable(a, line);
		line += len + 1;
	}
	env[n] = NULL;
	if (netmask_list_new(trusted, 2, &proxies, &bad_item) != ERR_OK)
		abort();
	if (request_parse(&src, proxies, &rq) != ERR_OK)
		assert(rq->bad_status >= 400);
	assert(parse_is_address(rq->client));
	assert(rq->cookies.count <= REQUEST_PARAMS_MAX);
	for (unsigned i = 0; i < rq->cookies.count; i++)
		assert(rq->cookies.list[i].name[0] != '\0' && strchr(rq->cookies.list[i].value, ';') == NULL);
	assert(rq->wants_json && rq->is_api);
	check_range(rq);
	check_answer(rq);
	request_free(&rq);
	netmask_list_free(&proxies);
	return 0;
}
