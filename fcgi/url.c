#include "fcgi/url.h"

#include <string.h>

#include "lib/escape.h"

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

const char *url_batch(struct arena *a, uint64_t id, const char *action)
{
	return of_noun(a, URL_BATCHES, id, action);
}

const char *url_bulk(struct arena *a, uint64_t id)
{
	return of_noun(a, URL_BULK, id, NULL);
}

const char *url_import(struct arena *a, uint64_t id, const char *action)
{
	return of_noun(a, URL_IMPORT, id, action);
}

const char *url_account(struct arena *a, uint64_t id, const char *action)
{
	return of_noun(a, URL_ACCOUNTS, id, action);
}

const char *url_user(struct arena *a, uint64_t id, const char *action)
{
	return of_noun(a, URL_USERS, id, action);
}

const char *url_log_link(struct arena *a, uint64_t id, const char *action)
{
	return of_noun(a, URL_LOG_LINKS, id, action);
}

const char *url_token(struct arena *a, uint64_t id, const char *action)
{
	return of_noun(a, URL_TOKENS, id, action);
}

const char *url_encode(struct arena *a, const char *s)
{
	AUTO_BUF struct buf b = BUF_INIT;

	escape_url(&b, s, strlen(s));
	return arena_strndup(a, b.data, b.len);
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
