#include "fcgi/auth.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "fcgi/embed.h"
#include "fcgi/web.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/password.h"
#include "lib/token.h"
#include "sql/store_bulk.h"
#include "sql/store_session.h"
#include "sql/store_throttle.h"
#include "sql/store_user.h"
#include "sql/store_user_admin.h"

enum { DEVICE_COOKIE_S = 180 * 86400, BLOCK_S = 60, SESSION_COOKIES_MAX = 2 };

/* Over TLS the __Host- prefix keeps sub-domains from planting a cookie (RFC 6265bis section 4.1.3.2). */
static const char *session_cookie(const struct visit *v)
{
	return v->web->secure ? "__Host-mailconvoy" : "mailconvoy";
}

static const char *login_cookie(const struct visit *v)
{
	return v->web->secure ? "__Host-mailconvoy-login" : "mailconvoy-login";
}

static const char *device_cookie(const struct visit *v)
{
	return v->web->secure ? "__Host-mailconvoy-device" : "mailconvoy-device";
}

/* max_age_s 0: until the browser closes; negative: remove. */
static void set_cookie(struct visit *v, const char *name, const char *value, int max_age_s)
{
	const char *age =
	    max_age_s == 0 ? "" : arena_printf(v->arena, "; Max-Age=%d", max_age_s < 0 ? 0 : max_age_s);

	response_header(v->rs, "Set-Cookie",
	    arena_printf(v->rq->secret, "%s=%s; Path=/; HttpOnly; %s%s%s", name, value, embed_same_site(v),
		age, v->web->secure ? "; Secure" : ""));
}

/*
 * The n-th cookie of that name (from 0) that looks like one of our tokens, or NULL.  A browser may show two:
 * one that it keeps for frames of a panel on our own site, and one of a window.
 */
static const char *nth_token_cookie(const struct visit *v, const char *name, unsigned n)
{
	for (unsigned i = 0; i < v->rq->cookies.count; i++) {
		const struct param *p = &v->rq->cookies.list[i];

		if (strcmp(p->name, name) == 0 && strlen(p->value) == TOKEN_HEX_LEN &&
		    p->value[strspn(p->value, "0123456789abcdef")] == '\0' && n-- == 0)
			return p->value;
	}
	return NULL;
}

static const char *token_cookie(const struct visit *v, const char *name)
{
	return nth_token_cookie(v, name, 0);
}

/* A public value that only who knows secret can make: SHA-256 of "purpose|secret" in hex. */
static const char *derive(struct visit *v, const char *purpose, const char *secret)
{
	const char *text = arena_printf(v->rq->secret, "%s|%s", purpose, secret);
	char *hex = arena_alloc(v->arena, TOKEN_HEX_LEN + 1);
	unsigned char hash[TOKEN_HASH_BYTES];

	token_hash(text, strlen(text), hash);
	token_hex(hash, sizeof(hash), hex);
	return hex;
}

bool auth_has_cookie(const struct visit *v)
{
	return params_get(&v->rq->cookies, session_cookie(v)) != NULL;
}

/* ERR_NOT_FOUND: none of the cookies shown is of a session that goes on. */
static enum err find_session(struct visit *v, const char **token_r, struct session *s)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	enum err e = ERR_NOT_FOUND;

	for (unsigned n = 0; e == ERR_NOT_FOUND && n < SESSION_COOKIES_MAX; n++) {
		const char *token = nth_token_cookie(v, session_cookie(v), n);

		if (token == NULL)
			break;
		e = n == 0 ? web_db(v->web) : ERR_OK;
		if (e != ERR_OK)
			return e;
		token_hash(token, strlen(token), hash);
		*token_r = token;
		e = store_session_touch(
		    v->web->db, v->arena, hash, (unsigned)v->web->conf->session_idle_s, s);
	}
	return e;
}

enum err auth_load(struct visit *v)
{
	const char *token = NULL;
	struct session s;
	enum err e = embed_is_foreign_fetch(v) ? ERR_NOT_FOUND : find_session(v, &token, &s);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	embed_for_account(v, s.panel_origins);
	v->signed_in = true;
	v->viewer = s.viewer;
	v->email = s.email;
	v->is_suspended = s.is_suspended && !viewer_is_admin(&s.viewer);
	v->csrf = derive(v, "csrf", token);
	return ERR_OK;
}

/* Whether the header Origin names this site: as configured, or as the browser itself addressed it. */
static bool is_own_origin(const struct visit *v, const char *origin)
{
	const char *base = v->web->conf->base_url, *host = request_env(v->rq, "HTTP_HOST"), *at;
	size_t n = strlen(origin);

	if (strncasecmp(base, origin, n) == 0 && (base[n] == '\0' || base[n] == '/'))
		return true;
	at = strstr(origin, "://");
	return at != NULL && host != NULL && strcasecmp(at + 3, host) == 0;
}

static bool sent_by_own_page(const struct visit *v)
{
	const char *site = request_env(v->rq, "HTTP_SEC_FETCH_SITE");
	const char *origin = request_env(v->rq, "HTTP_ORIGIN");

	if (site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return false;
	return origin == NULL || is_own_origin(v, origin);
}

bool auth_csrf_ok(const struct visit *v, enum route_csrf rule)
{
	const char *sent = request_env(v->rq, "HTTP_X_CSRF_TOKEN"), *want = v->csrf;
	const char *type = request_env(v->rq, "CONTENT_TYPE");
	const char *cookie;

	if (!sent_by_own_page(v))
		return false;
	if (rule == ROUTE_CSRF_LOGIN) {
		/* no form of another site can send this type without asking us first (CORS), and we never
		 * allow */
		if (type != NULL && strncasecmp(type, "application/json", 16) == 0)
			return true;
		cookie = token_cookie(v, login_cookie(v));
		if (cookie == NULL)
			return false;
		want = derive((struct visit *)v, "csrf-login", cookie);
	}
	if (sent == NULL)
		sent = params_get(&v->rq->body, "csrf");
	return sent != NULL && want != NULL && token_equal(sent, want);
}

void auth_prepare_login(struct visit *v)
{
	const char *cookie = token_cookie(v, login_cookie(v));

	if (cookie == NULL) {
		char *made = arena_alloc(v->rq->secret, TOKEN_HEX_LEN + 1);

		token_new(made);
		set_cookie(v, login_cookie(v), made, 0);
		cookie = made;
	}
	v->csrf = derive(v, "csrf-login", cookie);
}

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

/* What a browser that once signed in as this user shows; worthless after a change of password. */
static const char *device_proof(struct visit *v, const struct user *u)
{
	return derive(v, "device", arena_printf(v->rq->secret, "%s|%s", u->email, u->password_hash));
}

/*
 * One sign-in is counted three ways: by address; by user and address; and, much more loosely, by user alone,
 * so that many addresses together do not guess without end.  The last does not count for a browser that once
 * signed in as this user: the owner is never locked out by strangers.  Counting follows the check without a
 * lock in between, so that as many attempts as there are web processes may slip through at once; no more.
 */
enum { ATTEMPT_KEYS = 3, ALL_ADDRESSES_FACTOR = 10 };

struct attempt {
	struct {
		enum throttle_kind kind;
		const char *key; /* NULL: does not count */
		struct throttle_rule rule;
	} by[ATTEMPT_KEYS];
};

static void describe(struct visit *v, const char *email, const struct user *u, struct attempt *at)
{
	const struct conf *c = v->web->conf;
	const char *shown = token_cookie(v, device_cookie(v)), *address = address_key(v);
	bool known = u->id != 0 && shown != NULL && token_equal(shown, device_proof(v, u));
	unsigned max[ATTEMPT_KEYS] = {(unsigned)c->login_max_per_address, (unsigned)c->login_max_per_user,
	    (unsigned)c->login_max_per_user * ALL_ADDRESSES_FACTOR};
	size_t i;

	for (i = 0; i < ATTEMPT_KEYS; i++) {
		at->by[i].kind = i == 0 ? THROTTLE_LOGIN_ADDRESS : THROTTLE_LOGIN_USER;
		at->by[i].rule = (struct throttle_rule){
		    .window_s = (unsigned)c->login_window_s, .failures_max = max[i], .block_s = BLOCK_S};
	}
	at->by[0].key = address;
	at->by[1].key = arena_printf(v->arena, "%s|%s|%s", known ? "device" : "any", address, email);
	at->by[2].key = known ? NULL : email;
}

static enum err check_throttle(struct visit *v, const struct attempt *at, unsigned *wait_s_r)
{
	unsigned wait_s;
	size_t i;

	*wait_s_r = 0;
	for (i = 0; i < ATTEMPT_KEYS; i++) {
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

static enum err count_failure(struct visit *v, const struct attempt *at)
{
	enum err e = ERR_OK;
	size_t i;

	for (i = 0; e == ERR_OK && i < ATTEMPT_KEYS; i++) {
		if (at->by[i].key != NULL)
			e = store_throttle_count(
			    v->web->db, at->by[i].kind, at->by[i].key, &at->by[i].rule, NULL);
	}
	return e;
}

static enum err end_old_sessions(struct visit *v)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	enum err e = ERR_OK;

	for (unsigned n = 0; e == ERR_OK && n < SESSION_COOKIES_MAX; n++) {
		const char *token = nth_token_cookie(v, session_cookie(v), n);

		if (token == NULL)
			break;
		token_hash(token, strlen(token), hash);
		e = store_session_delete(v->web->db, hash);
	}
	return e;
}

/* A new id for the new rights (threat T10): whatever cookie the browser brought is not taken over. */
static enum err begin_session(struct visit *v, const struct user *u)
{
	char *token = arena_alloc(v->rq->secret, TOKEN_HEX_LEN + 1);
	unsigned char hash[TOKEN_HASH_BYTES];
	enum err e = end_old_sessions(v);

	if (e != ERR_OK)
		return e;
	token_new(token);
	token_hash(token, strlen(token), hash);
	e = store_session_create(v->web->db, hash, u->id, (unsigned)v->web->conf->session_max_s,
	    v->rq->client, request_env(v->rq, "HTTP_USER_AGENT"));
	if (e != ERR_OK)
		return e;
	set_cookie(v, session_cookie(v), token, 0);
	set_cookie(v, login_cookie(v), "", -1);
	set_cookie(v, device_cookie(v), device_proof(v, u), DEVICE_COOKIE_S);
	v->signed_in = true;
	v->viewer = (struct viewer){.user_id = u->id, .account_id = u->account_id, .role = u->role};
	v->email = u->email;
	v->csrf = derive(v, "csrf", token);
	return ERR_OK;
}

/* Now is as good a time as any to remove what nobody can use any more. */
static void sweep(struct visit *v)
{
	uint64_t removed;
	enum err e = store_session_purge(v->web->db, (unsigned)v->web->conf->session_idle_s, &removed);

	if (e == ERR_OK)
		e = store_throttle_purge(v->web->db);
	if (e == ERR_OK)
		e = store_user_link_purge(v->web->db);
	if (e == ERR_OK)
		e = store_bulk_sweep(v->web->db);
	if (e != ERR_OK)
		log_warnx("removing old sessions: %s", err_text(e));
}

enum err auth_login(struct visit *v, const char *email, const char *password, unsigned *wait_s_r)
{
	struct user u = {0};
	struct attempt at;
	enum err e;
	bool good;

	*wait_s_r = 0;
	e = web_db(v->web);
	if (e != ERR_OK)
		return e;
	e = store_user_by_email(v->web->db, v->rq->secret, email, &u);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	describe(v, email, &u, &at);
	e = check_throttle(v, &at, wait_s_r);
	if (e != ERR_OK)
		return e;
	/* with no such user this costs the same and is false */
	good = password_verify(password, u.id != 0 && u.has_password ? u.password_hash : NULL);
	if (!good || u.id == 0 || u.disabled_at != 0) {
		e = count_failure(v, &at);
		visit_audit(v, "login_refused", email, NULL);
		return e == ERR_OK ? ERR_DENIED : e;
	}
	e = store_throttle_reset(v->web->db, at.by[1].kind, at.by[1].key);
	if (e == ERR_OK)
		e = begin_session(v, &u);
	if (e == ERR_OK)
		e = store_user_note_login(v->web->db, u.id);
	if (e != ERR_OK)
		return e;
	visit_audit(v, "login", NULL, NULL);
	sweep(v);
	return ERR_OK;
}

enum err auth_logout(struct visit *v)
{
	enum err e = end_old_sessions(v);

	if (e != ERR_OK)
		return e;
	visit_audit(v, "logout", NULL, NULL);
	set_cookie(v, session_cookie(v), "", -1);
	v->signed_in = false;
	return ERR_OK;
}
