#include "fcgi/auth.h"

#include <string.h>
#include <strings.h>

#include "fcgi/attempt.h"
#include "fcgi/cookie.h"
#include "fcgi/embed.h"
#include "fcgi/factor.h"
#include "fcgi/web.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/password.h"
#include "lib/token.h"
#include "sql/store_bulk.h"
#include "sql/store_login_ticket.h"
#include "sql/store_session.h"
#include "sql/store_throttle.h"
#include "sql/store_user.h"
#include "sql/store_user_admin.h"

bool auth_has_cookie(const struct visit *v)
{
	return params_get(&v->rq->cookies, cookie_name(v, COOKIE_SESSION)) != NULL;
}

/* ERR_NOT_FOUND: none of the cookies shown is of a session that goes on. */
static enum err find_session(struct visit *v, const char **token_r, struct session *s)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	enum err e = ERR_NOT_FOUND;

	for (unsigned n = 0; e == ERR_NOT_FOUND && n < COOKIE_SESSIONS_MAX; n++) {
		const char *token = cookie_token(v, COOKIE_SESSION, n);

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
	v->support = s.support;
	v->is_suspended = s.is_suspended && !viewer_is_admin(&s.viewer);
	v->csrf = cookie_derive(v, "csrf", token);
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
		cookie = cookie_token(v, COOKIE_LOGIN, 0);
		if (cookie == NULL)
			return false;
		want = cookie_derive((struct visit *)v, "csrf-login", cookie);
	}
	if (sent == NULL)
		sent = params_get(&v->rq->body, "csrf");
	return sent != NULL && want != NULL && token_equal(sent, want);
}

void auth_prepare_login(struct visit *v)
{
	const char *cookie = cookie_token(v, COOKIE_LOGIN, 0);

	if (cookie == NULL) {
		char *made = arena_alloc(v->rq->secret, TOKEN_HEX_LEN + 1);

		token_new(made);
		cookie_set(v, COOKIE_LOGIN, made, 0);
		cookie = made;
	}
	v->csrf = cookie_derive(v, "csrf-login", cookie);
}

static enum err end_old_sessions(struct visit *v)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	enum err e = ERR_OK;

	for (unsigned n = 0; e == ERR_OK && n < COOKIE_SESSIONS_MAX; n++) {
		const char *token = cookie_token(v, COOKIE_SESSION, n);

		if (token == NULL)
			break;
		token_hash(token, strlen(token), hash);
		e = store_session_delete(v->web->db, hash);
	}
	return e;
}

/* A new id for the new rights (threat T10): whatever cookie the browser brought is not taken over. */
static enum err begin_session(struct visit *v, const struct user *u, unsigned char hash[TOKEN_HASH_BYTES])
{
	char *token = arena_alloc(v->rq->secret, TOKEN_HEX_LEN + 1);
	enum err e = end_old_sessions(v);

	if (e != ERR_OK)
		return e;
	token_new(token);
	token_hash(token, strlen(token), hash);
	e = store_session_create(v->web->db, hash, u, (unsigned)v->web->conf->session_max_s, v->rq->client,
	    request_env(v->rq, "HTTP_USER_AGENT"), v->support);
	if (e != ERR_OK)
		return e;
	cookie_set(v, COOKIE_SESSION, token, 0);
	cookie_set(v, COOKIE_LOGIN, "", -1);
	attempt_know_browser(v, u);
	v->signed_in = true;
	v->viewer = (struct viewer){.user_id = u->id, .account_id = u->account_id, .role = u->role};
	v->email = u->email;
	v->csrf = cookie_derive(v, "csrf", token);
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
		e = store_login_ticket_purge(v->web->db);
	if (e == ERR_OK)
		e = store_bulk_sweep(v->web->db);
	if (e != ERR_OK)
		log_warnx("removing old sessions: %s", err_text(e));
}

/* Everything is proved: a session. */
static enum err admit(struct visit *v, const struct user *u, const char *how)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	enum err e = begin_session(v, u, hash);

	if (e != ERR_OK)
		return e;
	visit_audit(v, "login", NULL, how);
	sweep(v);
	return ERR_OK;
}

/* Nobody is signed in meanwhile, not even who was before. */
static enum err owe_code(struct visit *v, const struct user *u)
{
	char *token = arena_alloc(v->rq->secret, TOKEN_HEX_LEN + 1);
	unsigned char hash[TOKEN_HASH_BYTES];
	enum err e = end_old_sessions(v);

	if (e != ERR_OK)
		return e;
	token_new(token);
	token_hash(token, strlen(token), hash);
	e = store_login_ticket_create(v->web->db, hash, u, v->support);
	if (e != ERR_OK)
		return e;
	v->signed_in = false;
	cookie_set(v, COOKIE_SESSION, "", -1);
	cookie_set(v, COOKIE_TICKET, token, LOGIN_TICKET_S);
	return ERR_OK;
}

enum err auth_sign_in(struct visit *v, const struct user *u, const char *support, enum auth_step *step_r)
{
	v->support = support;
	*step_r = u->second_factor_at != 0 ? AUTH_CODE : AUTH_DONE;
	return *step_r == AUTH_CODE ? owe_code(v, u) : admit(v, u, NULL);
}

/* Whether the password is u's; if not that is counted.  With no such user it costs the same and is false. */
static enum err check_password(
    struct visit *v, const struct user *u, const struct attempt *at, const char *password, unsigned *wait_s_r)
{
	enum err e = attempt_check(v, at, wait_s_r);
	bool good;

	if (e != ERR_OK)
		return e;
	good = password_verify(password, u->id != 0 && u->has_password ? u->password_hash : NULL);
	if (good && u->id != 0 && u->disabled_at == 0)
		return ERR_OK;
	e = attempt_count(v, at);
	return e == ERR_OK ? ERR_DENIED : e;
}

enum err auth_login(
    struct visit *v, const char *email, const char *password, unsigned *wait_s_r, enum auth_step *step_r)
{
	struct user u = {0};
	struct attempt at;
	enum err e;

	*wait_s_r = 0;
	e = web_db(v->web);
	if (e != ERR_OK)
		return e;
	e = store_user_by_email(v->web->db, v->rq->secret, email, &u);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	attempt_describe(v, email, &u, &at);
	e = check_password(v, &u, &at, password, wait_s_r);
	if (e == ERR_DENIED)
		visit_audit(v, "login_refused", email, NULL);
	/* with a second factor nothing is forgotten before the code is right, too */
	if (e == ERR_OK && u.second_factor_at == 0)
		e = attempt_forget(v, &at);
	return e == ERR_OK ? auth_sign_in(v, &u, NULL, step_r) : e;
}

/* The ticket that the browser shows, hashed, and whose it is. */
static enum err find_ticket(struct visit *v, unsigned char hash[TOKEN_HASH_BYTES], struct user *u)
{
	const char *token = cookie_token(v, COOKIE_TICKET, 0);
	struct login_ticket ticket;
	enum err e = token != NULL ? web_db(v->web) : ERR_NOT_FOUND;

	if (e != ERR_OK)
		return e;
	token_hash(token, strlen(token), hash);
	e = store_login_ticket_get(v->web->db, v->rq->secret, hash, u, &ticket);
	if (e != ERR_OK)
		return e;
	/* who came in a panel's frame gives the code there */
	embed_for_account(v, ticket.panel_origins);
	v->support = ticket.support;
	return ERR_OK;
}

enum err auth_owes_code(struct visit *v)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	struct user u;

	return find_ticket(v, hash, &u);
}

enum err auth_code(struct visit *v, const char *code, struct factor_given *given_r)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	struct attempt at;
	struct user u;
	enum err e = find_ticket(v, hash, &u);

	*given_r = (struct factor_given){0};
	if (e != ERR_OK)
		return e;
	/* turned off meanwhile, by an administrator: the password is all there is */
	attempt_describe(v, u.email, &u, &at);
	e = attempt_check(v, &at, &given_r->wait_s);
	if (e == ERR_OK)
		e = store_login_ticket_try(v->web->db, hash);
	if (e == ERR_OK && u.second_factor_at != 0)
		e = factor_check(v, &u, &at, code, given_r);
	if (e == ERR_DENIED) {
		e = attempt_count(v, &at);
		return e == ERR_OK ? ERR_DENIED : e;
	}
	if (e == ERR_OK)
		e = store_login_ticket_use(v->web->db, hash);
	if (e == ERR_OK)
		e = attempt_forget(v, &at);
	if (e != ERR_OK)
		return e;
	cookie_set(v, COOKIE_TICKET, "", -1);
	return admit(v, &u, given_r->is_recovery ? "recovery code" : "second factor");
}

enum err auth_prove(struct visit *v, const char *password, const char *code, struct auth_proof *proof_r)
{
	struct attempt at;
	struct user u;
	enum err e = store_user_get(v->web->db, v->rq->secret, v->viewer.user_id, &u);

	*proof_r = (struct auth_proof){0};
	if (e != ERR_OK)
		return e;
	attempt_describe(v, u.email, &u, &at);
	e = check_password(v, &u, &at, password, &proof_r->given.wait_s);
	if (e == ERR_DENIED)
		visit_audit(v, "password_refused", NULL, NULL);
	if (e != ERR_OK)
		return e;
	proof_r->is_password_good = true;
	if (code != NULL)
		e = factor_check(v, &u, &at, code, &proof_r->given);
	if (e == ERR_DENIED) {
		e = attempt_count(v, &at);
		return e == ERR_OK ? ERR_DENIED : e;
	}
	return e == ERR_OK ? attempt_forget(v, &at) : e;
}

enum err auth_renew(struct visit *v)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	struct user u;
	enum err e = store_user_get(v->web->db, v->rq->secret, v->viewer.user_id, &u);

	if (e == ERR_OK)
		e = begin_session(v, &u, hash);
	return e == ERR_OK ? store_session_delete_all(v->web->db, u.id, hash) : e;
}

enum err auth_logout(struct visit *v)
{
	enum err e = end_old_sessions(v);

	if (e != ERR_OK)
		return e;
	visit_audit(v, "logout", NULL, NULL);
	cookie_set(v, COOKIE_SESSION, "", -1);
	v->signed_in = false;
	return ERR_OK;
}
