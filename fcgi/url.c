#include "fcgi/url.h"

#include <string.h>

static const char *of_noun(struct arena *a, const char *collection, uint64_t id, const char *action)
{
	return arena_printf(
	    a, "%s/%llu%s%s", collection, (unsigned long long)id, action ? "/" : "", action ? action : "");
}

const char *url_job(struct arena *a, uint64_t id, const char *action)
{
	return of_noun(a, URL_JOBS, id, action);
}

const char *url_server(struct arena *a, uint64_t id, const char *action)
{
	return of_noun(a, URL_SERVERS, id, action);
}

const char *url_encode(struct arena *a, const char *s)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	char *out = arena_alloc(a, strlen(s) * 3 + 1);
	size_t n = 0;

	for (; *s != '\0'; s++) {
		if (strchr(plain, *s) != NULL) {
			out[n++] = *s;
		} else {
			out[n++] = '%';
			out[n++] = hex[(unsigned char)*s >> 4];
			out[n++] = hex[(unsigned char)*s & 15];
		}
	}
	return out;
}

const char *url_with(struct arena *a, const char *base, const char *name, const char *value)
{
	if (value == NULL)
		return base;
	return arena_printf(
	    a, "%s%c%s=%s", base, strchr(base, '?') ? '&' : '?', url_encode(a, name), url_encode(a, value));
}

const char *url_with_number(struct arena *a, const char *base, const char *name, uint64_t value)
{
	return url_with(a, base, name, arena_printf(a, "%llu", (unsigned long long)value));
}
