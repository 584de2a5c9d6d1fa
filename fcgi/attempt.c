#include "fcgi/attempt.h"

#include <arpa/inet.h>
#include <string.h>

#include "fcgi/cookie.h"
#include "lib/conf.h"
#include "lib/token.h"

enum { DEVICE_COOKIE_S = 180 * 86400, BLOCK_S = 60, ALL_ADDRESSES_FACTOR = 10 };

/* Three codes of a million are good at any time: ten guesses a day, for a year, are right once in a hundred.
 */
static const struct throttle_rule code_rule = {.window_s = 86400, .failures_max = 10, .block_s = 86400};

/* Attempts of one IPv6 customer count together: they have at least a /64. */
static const char *address_key(const struct visit *v)
{
	struct in6_addr six;
	char text[INET6_ADDRSTRLEN];

	if (inet_pton(AF_INET6, v->rq->client, &six) != 1)
		return v->rq->client;
	memset(six.s6_addr + 8, 0, 8);
	return arena_strdup(v->arena, inet_ntop(AF_INET6, &six, text, sizeof(text)) ? text : v->rq->client);
}

/* What a browser that once signed in as this user shows; worthless after a change of password, and once a
 * second factor was turned on: until then the password alone made it. */
static const char *device_proof(struct visit *v, const struct user *u)
{
	return cookie_derive(v, "device",
	    arena_printf(
		v->rq->secret, "%s|%s|%lld", u->email, u->password_hash, (long long)u->second_factor_at));
}

void attempt_describe(struct visit *v, const char *email, const struct user *u, struct attempt *at)
{
	const struct conf *c = v->web->conf;
	const char *shown = cookie_token(v, COOKIE_DEVICE, 0), *address = address_key(v);
	bool known = u->id != 0 && shown != NULL && token_equal(shown, device_proof(v, u));
	unsigned max[ATTEMPT_KEYS] = {(unsigned)c->login_max_per_address, (unsigned)c->login_max_per_user,
	    (unsigned)c->login_max_per_user * ALL_ADDRESSES_FACTOR};

	for (size_t i = 0; i < ATTEMPT_KEYS; i++) {
		at->by[i].kind = i == 0 ? THROTTLE_LOGIN_ADDRESS : THROTTLE_LOGIN_USER;
		at->by[i].rule = (struct throttle_rule){
		    .window_s = (unsigned)c->login_window_s, .failures_max = max[i], .block_s = BLOCK_S};
	}
	at->by[0].key = address;
	at->by[1].key = arena_printf(v->arena, "%s|%s|%s", known ? "device" : "any", address, email);
	at->by[2].key = known ? NULL : email;
	at->code_key = u->id == 0 ? NULL
				  : arena_printf(v->rq->secret, "%s|%llu|%s", known ? "device" : "any",
					(unsigned long long)u->id, u->password_hash);
}

enum err attempt_check(struct visit *v, const struct attempt *at, unsigned *wait_s_r)
{
	unsigned wait_s;

	*wait_s_r = 0;
	for (size_t i = 0; i < ATTEMPT_KEYS; i++) {
		enum err e;

		if (at->by[i].key == NULL)
			continue;
		e = store_throttle_check(v->web->db, at->by[i].kind, at->by[i].key, &wait_s);
		if (e != ERR_OK)
			return e;
		if (wait_s > *wait_s_r)
			*wait_s_r = wait_s;
	}
	return *wait_s_r > 0 ? ERR_BUSY : ERR_OK;
}

enum err attempt_count(struct visit *v, const struct attempt *at)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < ATTEMPT_KEYS; i++) {
		if (at->by[i].key != NULL)
			e = store_throttle_count(
			    v->web->db, at->by[i].kind, at->by[i].key, &at->by[i].rule, NULL);
	}
	return e;
}

enum err attempt_check_code(struct visit *v, const struct attempt *at, unsigned *wait_s_r)
{
	enum err e = store_throttle_check(v->web->db, THROTTLE_CODE, at->code_key, wait_s_r);

	return e == ERR_OK && *wait_s_r > 0 ? ERR_BUSY : e;
}

enum err attempt_count_code(struct visit *v, const struct attempt *at)
{
	return store_throttle_count(v->web->db, THROTTLE_CODE, at->code_key, &code_rule, NULL);
}

enum err attempt_forget(struct visit *v, const struct attempt *at)
{
	enum err e = store_throttle_reset(v->web->db, at->by[1].kind, at->by[1].key);

	return e == ERR_OK ? store_throttle_reset(v->web->db, THROTTLE_CODE, at->code_key) : e;
}

void attempt_know_browser(struct visit *v, const struct user *u)
{
	cookie_set(v, COOKIE_DEVICE, device_proof(v, u), DEVICE_COOKIE_S);
}
