#include "fcgi/route.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

static const char *method_name(enum method m)
{
	return m == METHOD_GET ? "GET" : m == METHOD_POST ? "POST" : "DELETE";
}

#define TOKEN ":token"

/* One segment of digits; *after_r is what follows. */
static bool take_id(const char *s, uint64_t *id_r, const char **after_r)
{
	size_t n = strspn(s, "0123456789");

	if (n == 0 || n > 19 || s[0] == '0' || (s[n] != '\0' && s[n] != '/'))
		return false;
	*id_r = strtoull(s, NULL, 10);
	*after_r = s + n;
	return *id_r <= (uint64_t)INT64_MAX;
}

static bool is_token(const char *s)
{
	size_t n = strspn(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_");

	return n >= 1 && n <= ROUTE_TOKEN_MAX && s[n] == '\0';
}

static bool fits(const char *pattern, const char *path, uint64_t *id_r)
{
	*id_r = 0;
	while (*pattern != '\0') {
		if (strcmp(pattern, TOKEN) == 0)
			return is_token(path);
		if (*pattern == ':') {
			if (!take_id(path, id_r, &path))
				return false;
			pattern += strcspn(pattern, "/");
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return *path == '\0';
}

static bool is_itself(const char *pattern, const char *path)
{
	return strchr(pattern, ':') == NULL && strcmp(pattern, path) == 0;
}

enum err route_find(const struct route *table, enum method method, const char *path,
    const struct route **route_r, uint64_t *id_r, unsigned *allowed_r)
{
	const struct route *found = NULL;
	bool is_exact = false;
	unsigned allowed = 0;
	uint64_t id, found_id = 0;

	for (const struct route *r = table; r->pattern != NULL && !is_exact; r++)
		is_exact = is_itself(r->pattern, path);
	for (; table->pattern != NULL; table++) {
		if (!fits(table->pattern, path, &id) || (is_exact && !is_itself(table->pattern, path)))
			continue;
		allowed |= table->method;
		if (table->method == method && found == NULL) {
			found = table;
			found_id = id;
		}
	}
	*allowed_r = allowed;
	if (found == NULL)
		return allowed ? ERR_INVALID : ERR_NOT_FOUND;
	*route_r = found;
	*id_r = found_id;
	return ERR_OK;
}

const char *route_token(const struct route *r, const char *path)
{
	const char *at = strstr(r->pattern, TOKEN);

	return at != NULL ? path + (at - r->pattern) : NULL;
}

void route_verify(const struct route *table)
{
	for (; table->pattern != NULL; table++) {
		if (table->method == 0 || table->need == 0 || table->csrf == 0 || table->effect == 0 ||
		    table->scopes == 0 || table->handler == NULL)
			log_fatal("the route %s lacks a column", table->pattern);
		if ((table->method == METHOD_GET) != (table->csrf == ROUTE_CSRF_NONE))
			log_fatal("the route %s has the wrong CSRF rule", table->pattern);
	}
}

void route_print(const struct route *table, FILE *out)
{
	static const char *const needs[] = {[ROUTE_ANYONE] = "anyone",
	    [ROUTE_MEMBER] = "member",
	    [ROUTE_ADMIN] = "admin",
	    [ROUTE_TOKEN] = "token"};
	static const char *const csrfs[] = {
	    [ROUTE_CSRF_NONE] = "none", [ROUTE_CSRF_TOKEN] = "token", [ROUTE_CSRF_LOGIN] = "login"};
	static const char *const effects[] = {[ROUTE_HARMLESS] = "harmless", [ROUTE_STARTS] = "starts"};

	AUTO_ARENA struct arena *a = arena_new();

	for (; table->pattern != NULL; table++)
		fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", method_name(table->method), table->pattern,
		    needs[table->need], csrfs[table->csrf], effects[table->effect],
		    table->scopes & ROUTE_NO_TOKEN ? "-" : scope_list(a, table->scopes));
}
