/* Requests: the input's first lines are meta-variables, what follows an empty line is the body. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/request.h"
#include "lib/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct rest {
	const char *at;
	size_t left;
};

static size_t read_rest(void *arg, char *dst, size_t len)
{
	struct rest *r = arg;

	if (len > r->left)
		len = r->left;
	memcpy(dst, r->at, len);
	r->at += len;
	r->left -= len;
	return len;
}

static void check(const struct params *ps)
{
	unsigned i;

	assert(ps->count <= REQUEST_PARAMS_MAX);
	for (i = 0; i < ps->count; i++)
		assert(utf8_valid(ps->list[i].value, strlen(ps->list[i].value)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const trusted[] = {"127.0.0.1"};
	struct netmask_list *proxies;
	size_t bad_item;
	AUTO_ARENA struct arena *a = arena_new();
	char *text = arena_strndup(a, data, size), *env[32];
	struct rest rest = {.at = text + size, .left = 0};
	struct request_source src = {.env = env, .read_body = read_rest, .arg = &rest};
	struct request *rq;
	size_t n = 0;
	char *line = text;

	while (n < 31 && line < text + size) {
		char *nl = memchr(line, '\n', (size_t)(text + size - line));

		if (nl == NULL)
			break;
		*nl = '\0';
		if (nl == line) {
			rest.at = nl + 1;
			rest.left = (size_t)(text + size - nl - 1);
			break;
		}
		env[n++] = line;
		line = nl + 1;
	}
	env[n] = NULL;
	if (netmask_list_new(trusted, 1, &proxies, &bad_item) != ERR_OK)
		abort();
	if (request_parse(&src, proxies, &rq) == ERR_OK) {
		assert(rq->bad_status == 0);
		assert(rq->path[0] == '/');
		assert(strstr(rq->path, "/../") == NULL);
		check(&rq->query);
		check(&rq->body);
	} else {
		assert(rq->bad_status >= 400);
	}
	request_free(&rq);
	netmask_list_free(&proxies);
	return 0;
}
