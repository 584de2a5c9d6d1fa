#include "fcgi/cookie.h"

#include <string.h>

#include "fcgi/embed.h"
#include "lib/token.h"

const char *cookie_name(const struct visit *v, const char *name)
{
	/* RFC 6265bis section 4.1.3.2 */
	return v->web->secure ? arena_printf(v->arena, "__Host-%s", name) : name;
}

void cookie_set(struct visit *v, const char *name, const char *value, int max_age_s)
{
	const char *age =
	    max_age_s == 0 ? "" : arena_printf(v->arena, "; Max-Age=%d", max_age_s < 0 ? 0 : max_age_s);

	response_header(v->rs, "Set-Cookie",
	    arena_printf(v->rq->secret, "%s=%s; Path=/; HttpOnly; %s%s%s", cookie_name(v, name), value,
		embed_same_site(v), age, v->web->secure ? "; Secure" : ""));
}

const char *cookie_token(const struct visit *v, const char *name, unsigned n)
{
	const char *full = cookie_name(v, name);

	for (unsigned i = 0; i < v->rq->cookies.count; i++) {
		const struct param *p = &v->rq->cookies.list[i];

		if (strcmp(p->name, full) == 0 && strlen(p->value) == TOKEN_HEX_LEN &&
		    p->value[strspn(p->value, "0123456789abcdef")] == '\0' && n-- == 0)
			return p->value;
	}
	return NULL;
}

const char *cookie_derive(struct visit *v, const char *purpose, const char *secret)
{
	const char *text = arena_printf(v->rq->secret, "%s|%s", purpose, secret);
	char *hex = arena_alloc(v->arena, TOKEN_HEX_LEN + 1);
	unsigned char hash[TOKEN_HASH_BYTES];

	token_hash(text, strlen(text), hash);
	token_hex(hash, sizeof(hash), hex);
	return hex;
}
