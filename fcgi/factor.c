#include "fcgi/factor.h"

#include <stdio.h>
#include <string.h>

#include "fcgi/totp.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/parse.h"
#include "lib/secretbox.h"
#include "lib/token.h"
#include "sql/store_second_factor.h"

/* What a setup's box holds: until when it is good, as 12 digits of Unix time, and the secret. */
enum {
	SETUP_TIME_LEN = 12,
	SETUP_BYTES = SETUP_TIME_LEN + TOTP_SECRET_BYTES,
	SETUP_BOX_BYTES = SETUP_BYTES + SECRETBOX_OVERHEAD_BYTES
};

static enum err load_key(const struct visit *v, struct secretbox_key *key_r)
{
	AUTO_BUF struct buf why = BUF_INIT;

	if (secretbox_load(v->web->conf->second_factor_key_file, key_r, &why) == ERR_OK)
		return ERR_OK;
	log_warnx("second factors cannot be used: %s", why.data);
	return ERR_CRYPTO;
}

bool factor_has_key(const struct visit *v)
{
	struct secretbox_key key;
	bool has = load_key(v, &key) == ERR_OK;

	secretbox_forget(&key);
	return has;
}

static const char *stored_aad(struct visit *v, uint64_t user_id)
{
	return arena_printf(v->arena, "mailconvoy1|second factor|%llu", (unsigned long long)user_id);
}

/* Nobody else, and no other session, goes on with it. */
static const char *setup_aad(struct visit *v)
{
	return arena_printf(v->rq->secret, "mailconvoy1|second factor setup|%llu|%s",
	    (unsigned long long)v->viewer.user_id, v->csrf);
}

/* "mailconvoy panel.example.org": people have accounts in more than one. */
static const char *issuer(struct visit *v)
{
	const char *host = strstr(v->web->conf->base_url, "://");

	host = host != NULL ? host + 3 : v->web->conf->base_url;
	return arena_printf(
	    v->arena, "mailconvoy %.*s", (int)strcspn(host, host[0] == '[' ? "/" : ":/"), host);
}

static void describe_setup(
    struct visit *v, const unsigned char *secret, const char *box, struct factor_setup *s)
{
	s->secret_text = totp_secret_text(v->rq->secret, secret);
	s->uri = totp_uri(v->rq->secret, secret, issuer(v), v->email);
	s->box = box;
}

static const char *hex_of(struct visit *v, const struct buf *box)
{
	char *hex = arena_alloc(v->rq->secret, 2 * box->len + 1);

	token_hex(box->data, box->len, hex);
	return hex;
}

enum err factor_begin(struct visit *v, struct factor_setup *setup_r)
{
	char *plain = arena_alloc(v->rq->secret, SETUP_BYTES + 1);
	unsigned char *secret = (unsigned char *)plain + SETUP_TIME_LEN;
	AUTO_BUF struct buf box = BUF_INIT;
	struct secretbox_key key;
	int64_t now_s;
	enum err e = store_second_factor_now(v->web->db, &now_s);

	if (e == ERR_OK)
		e = load_key(v, &key);
	if (e != ERR_OK)
		return e;
	(void)snprintf(plain, SETUP_BYTES + 1, "%012lld", (long long)(now_s + FACTOR_SETUP_S));
	token_random(secret, TOTP_SECRET_BYTES);
	e = secretbox_seal(&key, setup_aad(v), plain, SETUP_BYTES, &box);
	secretbox_forget(&key);
	if (e == ERR_OK)
		describe_setup(v, secret, hex_of(v, &box), setup_r);
	return e;
}

/* The secret in a form's box; *now_s_r: the database's time. */
static enum err open_setup(
    struct visit *v, const struct secretbox_key *key, const char *box, char **secret_r, int64_t *now_s_r)
{
	unsigned char raw[SETUP_BOX_BYTES];
	uint64_t until_s;
	char *plain;
	size_t len;
	enum err e;

	if (strlen(box) != 2 * sizeof(raw) || token_unhex(box, raw, sizeof(raw)) != ERR_OK ||
	    secretbox_open(key, setup_aad(v), raw, sizeof(raw), v->rq->secret, &plain, &len) != ERR_OK)
		return ERR_NOT_FOUND;
	e = store_second_factor_now(v->web->db, now_s_r);
	if (e != ERR_OK)
		return e;
	*secret_r = plain + SETUP_TIME_LEN;
	if (parse_u64(arena_strndup(v->rq->secret, plain, SETUP_TIME_LEN), 0, INT64_MAX, &until_s) !=
		ERR_OK ||
	    (int64_t)until_s < *now_s_r)
		return ERR_NOT_FOUND;
	return ERR_OK;
}

enum err factor_resume(struct visit *v, const char *box, struct factor_setup *setup_r)
{
	struct secretbox_key key;
	int64_t now_s;
	char *secret;
	enum err e = load_key(v, &key);

	if (e == ERR_OK)
		e = open_setup(v, &key, box, &secret, &now_s);
	secretbox_forget(&key);
	if (e == ERR_OK)
		describe_setup(v, (unsigned char *)secret, box, setup_r);
	return e;
}

/* New recovery codes, and what is stored of each. */
static void make_codes(struct visit *v, struct factor_codes *codes, uint8_t (*hashes)[RECOVERY_HASH_BYTES])
{
	char code[RECOVERY_LEN + 1];

	for (size_t i = 0; i < RECOVERY_CODES; i++) {
		recovery_new(codes->text[i]);
		if (recovery_read(codes->text[i], code) != ERR_OK)
			log_fatal("a recovery code that nobody can give back");
		recovery_hash(v->viewer.user_id, code, hashes[i]);
	}
	explicit_bzero(code, sizeof(code));
}

enum err factor_confirm(struct visit *v, const char *box, const char *code, struct factor_codes *codes_r)
{
	uint8_t hashes[RECOVERY_CODES][RECOVERY_HASH_BYTES];
	AUTO_BUF struct buf sealed = BUF_INIT;
	struct secretbox_key key;
	uint64_t step = 0;
	int64_t now_s;
	char *secret;
	enum err e = load_key(v, &key);

	if (e == ERR_OK)
		e = open_setup(v, &key, box, &secret, &now_s);
	if (e == ERR_OK && totp_check((unsigned char *)secret, now_s, code, &step) != ERR_OK)
		e = ERR_DENIED;
	if (e == ERR_OK)
		e = secretbox_seal(
		    &key, stored_aad(v, v->viewer.user_id), secret, TOTP_SECRET_BYTES, &sealed);
	secretbox_forget(&key);
	if (e != ERR_OK)
		return e;
	make_codes(v, codes_r, hashes);
	return store_second_factor_create(v->web->db, v->viewer.user_id, sealed.data, sealed.len, step,
	    (const uint8_t(*)[RECOVERY_HASH_BYTES])hashes, RECOVERY_CODES);
}

enum err factor_renew(struct visit *v, struct factor_codes *codes_r)
{
	uint8_t hashes[RECOVERY_CODES][RECOVERY_HASH_BYTES];

	make_codes(v, codes_r, hashes);
	return store_second_factor_renew(
	    v->web->db, v->viewer.user_id, (const uint8_t(*)[RECOVERY_HASH_BYTES])hashes, RECOVERY_CODES);
}

/* A code of the app; where there were too many wrong ones a right one is none.  ERR_INVALID: it looks
 * otherwise. */
static enum err use_code(struct visit *v, const struct user *u, const struct attempt *at,
    const struct second_factor *f, const char *secret, const char *given, struct factor_given *r)
{
	uint64_t step = 0;
	enum err right = totp_check((const unsigned char *)secret, f->now_s, given, &step);
	enum err e = right == ERR_INVALID ? ERR_INVALID : attempt_check_code(v, at, &r->wait_s);

	if (e == ERR_OK)
		e = right == ERR_OK ? store_second_factor_use_step(v->web->db, u->id, step) : right;
	if (e == ERR_DENIED) {
		e = attempt_count_code(v, at);
		return e == ERR_OK ? ERR_DENIED : e;
	}
	return e;
}

static enum err use_recovery(struct visit *v, const struct user *u, const struct second_factor *f,
    const char *given, struct factor_given *r)
{
	char code[RECOVERY_LEN + 1];
	uint8_t hash[RECOVERY_HASH_BYTES];
	enum err e;

	if (recovery_read(given, code) != ERR_OK)
		return ERR_DENIED;
	recovery_hash(u->id, code, hash);
	explicit_bzero(code, sizeof(code));
	e = store_second_factor_use_recovery(v->web->db, u->id, hash);
	r->is_recovery = e == ERR_OK;
	r->recovery_left = f->recovery_left > 0 ? f->recovery_left - 1 : 0;
	return e;
}

enum err factor_check(struct visit *v, const struct user *u, const struct attempt *at, const char *given,
    struct factor_given *given_r)
{
	struct second_factor f;
	struct secretbox_key key;
	char *secret;
	size_t len;
	enum err e = store_second_factor_get(v->web->db, v->arena, u->id, &f);

	*given_r = (struct factor_given){0};
	if (e == ERR_OK)
		e = load_key(v, &key);
	if (e != ERR_OK)
		return e;
	e = secretbox_open(&key, stored_aad(v, u->id), f.sealed, f.sealed_len, v->rq->secret, &secret, &len);
	secretbox_forget(&key);
	if (e != ERR_OK || len != TOTP_SECRET_BYTES) {
		log_warnx("user %llu: the second factor does not open with the key in %s",
		    (unsigned long long)u->id, v->web->conf->second_factor_key_file);
		return ERR_CRYPTO;
	}
	e = use_code(v, u, at, &f, secret, given, given_r);
	if (e == ERR_INVALID)
		e = use_recovery(v, u, &f, given, given_r);
	if (e == ERR_DENIED)
		factor_note(v, "second_factor_refused", u->id, u->email);
	else if (given_r->is_recovery)
		factor_note(v, "recovery_code_used", u->id, u->email);
	return e;
}

void factor_note(struct visit *v, const char *action, uint64_t user_id, const char *email)
{
	visit_audit(v, action, arena_printf(v->arena, "user %llu", (unsigned long long)user_id), email);
}
