#include "fcgi/sso_make.h"

#include "fcgi/url.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/token.h"

enum err sso_make(struct web *web, struct arena *secret, const struct sso_issuer *by,
    const struct sso_wish *wish, struct sso_issued *issued_r, const char **url_r, enum sso_refusal *why_r)
{
	char *token = arena_alloc(secret, TOKEN_HEX_LEN + 1);
	unsigned char hash[TOKEN_HASH_BYTES];
	enum err e;

	token_new(token);
	token_hash(token, TOKEN_HEX_LEN, hash);
	e = store_sso_issue(web->db, by, wish, hash, issued_r, why_r);
	if (e != ERR_OK)
		return e;
	*url_r = arena_printf(secret, "%s%s/%s", web->conf->base_url, URL_SSO, token);
	if (store_sso_purge(web->db) != ERR_OK)
		log_debug("old links were not removed this time");
	return ERR_OK;
}
