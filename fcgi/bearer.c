#include "fcgi/bearer.h"

#include <string.h>
#include <strings.h>

#include "fcgi/web.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/token.h"
#include "lib/utf8.h"
#include "sql/job.h"
#include "sql/store_account.h"
#include "sql/store_external.h"
#include "sql/store_throttle.h"
#include "sql/store_token.h"

enum { SCHEME_LEN = 7 };

bool bearer_is_shown(const struct visit *v)
{
	return (v->rq->is_api || v->is_panel_call) && request_env(v->rq, "HTTP_AUTHORIZATION") != NULL;
}

/* The token's text, or NULL when it does not look like one of ours. */
static const char *shown(const struct visit *v)
{
	const char *s = request_env(v->rq, "HTTP_AUTHORIZATION");

	if (strncasecmp(s, "Bearer ", SCHEME_LEN) != 0)
		return NULL;
	s += SCHEME_LEN + strspn(s + SCHEME_LEN, " ");
	if (strncmp(s, API_TOKEN_PREFIX, strlen(API_TOKEN_PREFIX)) != 0 ||
	    strlen(s) != strlen(API_TOKEN_PREFIX) + TOKEN_HEX_LEN)
		return NULL;
	return s;
}

/* Fewer than a script needs is a fault of its author's; more would starve others. */
static enum err count(struct visit *v, uint64_t token_id, unsigned *wait_s_r)
{
	const struct throttle_rule rule = {
	    .window_s = 60, .failures_max = (unsigned)v->web->conf->api_max_per_minute + 1, .block_s = 10};
	const char *key = arena_printf(v->arena, "token %llu", (unsigned long long)token_id);
	enum err e = store_throttle_check(v->web->db, THROTTLE_API, key, wait_s_r);

	if (e == ERR_OK && *wait_s_r == 0)
		e = store_throttle_count(v->web->db, THROTTLE_API, key, &rule, wait_s_r);
	return e == ERR_OK && *wait_s_r > 0 ? ERR_BUSY : e;
}

/*
 * "Mailconvoy-Account: NAME" with an installation's token: it acts as a member of that account would, sees no
 * other, and what it makes belongs there.  A member's token names at most its own.
 */
static enum err act_for(struct visit *v, const char *name)
{
	struct account account = {0};
	enum err e;

	if (!utf8_valid(name, strlen(name)))
		return ERR_NOT_FOUND;
	e = strncmp(name, "id:", 3) == 0
		? store_account_by_external(
		      v->web->db, v->arena, v->issuer != NULL ? v->issuer : ISSUER_LOCAL, name + 3, &account)
		: store_account_by_name(v->web->db, v->arena, name, &account);
	if (e == ERR_OK && !viewer_is_admin(&v->viewer) && account.id != v->viewer.account_id)
		e = ERR_NOT_FOUND;
	if (e != ERR_OK)
		return e;
	v->viewer.account_id = account.id;
	v->viewer.role = ROLE_MEMBER;
	v->is_installation = false;
	v->is_suspended = account.suspended_at != 0;
	return ERR_OK;
}

enum err bearer_load(struct visit *v, unsigned *wait_s_r)
{
	const char *text = shown(v), *account = request_env(v->rq, REQUEST_ACCOUNT_ENV);
	unsigned char hash[TOKEN_HASH_BYTES];
	struct token_holder h;
	enum err e;

	*wait_s_r = 0;
	if (text == NULL)
		return ERR_DENIED;
	e = web_db(v->web);
	if (e != ERR_OK)
		return e;
	token_hash(text, strlen(text), hash);
	e = store_token_find(v->web->db, v->arena, hash, &h);
	if (e == ERR_NOT_FOUND)
		return ERR_DENIED;
	if (e != ERR_OK)
		return e;
	if (!store_token_is_from(h.networks, v->rq->client)) {
		log_warnx("token %llu was shown from %s, which is none of its networks",
		    (unsigned long long)h.token_id, v->rq->client);
		return ERR_DENIED;
	}
	e = count(v, h.token_id, wait_s_r);
	if (e == ERR_OK)
		e = store_token_note_use(v->web->db, h.token_id, v->rq->client);
	/* a full disk forbids writing, not looking */
	if (e != ERR_OK && e != ERR_FULL)
		return e;
	v->signed_in = true;
	v->viewer = h.viewer;
	v->email = h.email;
	v->scopes = h.scopes;
	v->token_id = h.token_id;
	v->issuer = h.issuer;
	v->is_installation = v->is_providers = h.is_installation;
	v->is_suspended = h.is_suspended && !viewer_is_admin(&h.viewer);
	return account != NULL ? act_for(v, account) : ERR_OK;
}

enum err bearer_take_key(struct visit *v)
{
	const char *key = request_env(v->rq, "HTTP_IDEMPOTENCY_KEY");
	unsigned char hash[TOKEN_HASH_BYTES];
	char *hex;

	if (!v->rq->is_api || v->rq->method != METHOD_POST || key == NULL ||
	    params_get(&v->rq->body, "request_key") != NULL)
		return ERR_OK;
	if (key[0] == '\0' || strlen(key) > IDEMPOTENCY_KEY_MAX_BYTES)
		return ERR_INVALID;
	hex = arena_alloc(v->arena, TOKEN_HEX_LEN + 1);
	token_hash(key, strlen(key), hash);
	token_hex(hash, JOB_REQUEST_KEY_BYTES, hex);
	return params_add(&v->rq->body, v->rq->secret, "request_key", hex);
}
