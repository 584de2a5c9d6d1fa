#include "config.h"

#include "imap/scram.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "imap/base64.h"
#include "imap/saslprep.h"
#include "lib/parse.h"

#define NONCE_BYTES 18 /* 144 bits; its base64 holds no comma */
#define CHALLENGE_MAX 4096

void scram_name(const char *name, struct buf *out)
{
	for (; *name != '\0'; name++) {
		if (*name == ',')
			buf_adds(out, "=2C");
		else if (*name == '=')
			buf_adds(out, "=3D");
		else
			buf_addc(out, *name);
	}
}

static void add_prepared_name(const char *name, struct buf *out)
{
	struct buf prepared AUTO_BUF = BUF_INIT;

	saslprep_add(name, strlen(name), &prepared);
	scram_name(prepared.data, out);
}

enum err scram_first(
    struct scram *s, const char *user, const char *authzid, const char *nonce, struct buf *out)
{
	unsigned char random[NONCE_BYTES];

	*s = (struct scram){.header = BUF_INIT, .bare = BUF_INIT};
	if (nonce == NULL && RAND_bytes(random, sizeof(random)) != 1)
		return ERR_CRYPTO;
	buf_adds(&s->header, "n,");
	if (authzid != NULL) {
		buf_adds(&s->header, "a=");
		add_prepared_name(authzid, &s->header);
	}
	buf_addc(&s->header, ',');
	buf_adds(&s->bare, "n=");
	add_prepared_name(user, &s->bare);
	buf_adds(&s->bare, ",r=");
	s->nonce_at = s->bare.len;
	if (nonce != NULL)
		buf_adds(&s->bare, nonce);
	else
		base64_add(random, sizeof(random), &s->bare);
	buf_add(out, s->header.data, s->header.len);
	buf_add(out, s->bare.data, s->bare.len);
	return ERR_OK;
}

/* "k=value," at *at: the value, *at behind it; NULL where another attribute stands. */
static const char *take_value(const char **at, const char *end, char key, size_t *len_r)
{
	const char *value = *at + 2;

	if (end - *at < 2 || (*at)[0] != key || (*at)[1] != '=')
		return NULL;
	const char *comma = memchr(value, ',', (size_t)(end - value));
	*len_r = (size_t)((comma != NULL ? comma : end) - value);
	*at = comma != NULL ? comma + 1 : end;
	return value;
}

struct challenge {
	const char *nonce;
	size_t nonce_len;
	struct buf salt;
	int rounds;
};

static enum err read_challenge(const struct scram *s, const char *text, size_t len, struct challenge *c)
{
	const char *at = text;
	const char *end = text + len;
	const char *own = s->bare.data + s->nonce_at;
	size_t own_len = s->bare.len - s->nonce_at;
	size_t salt_len = 0;
	size_t rounds_len = 0;
	uint64_t rounds = 0;
	char digits[24];

	if (len > CHALLENGE_MAX || memchr(text, '\0', len) != NULL)
		return ERR_PROTOCOL;
	c->nonce = take_value(&at, end, 'r', &c->nonce_len);
	const char *salt = take_value(&at, end, 's', &salt_len);
	const char *number = take_value(&at, end, 'i', &rounds_len);
	/* the server's part must not be empty, or an old conversation could be played back to us */
	if (c->nonce == NULL || salt == NULL || number == NULL || c->nonce_len <= own_len ||
	    memcmp(c->nonce, own, own_len) != 0 || rounds_len >= sizeof(digits) ||
	    base64_decode(salt, salt_len, &c->salt) != ERR_OK || c->salt.len == 0)
		return ERR_PROTOCOL;
	memcpy(digits, number, rounds_len);
	digits[rounds_len] = '\0';
	if (parse_u64(digits, 0, UINT64_MAX, &rounds) != ERR_OK)
		return ERR_PROTOCOL;
	if (rounds < SCRAM_ROUNDS_MIN || rounds > SCRAM_ROUNDS_MAX)
		return ERR_TOO_BIG;
	c->rounds = (int)rounds;
	return ERR_OK;
}

static bool hmac(
    const unsigned char key[SCRAM_BYTES], const void *bytes, size_t len, unsigned char out[SCRAM_BYTES])
{
	unsigned n = 0;
	return HMAC(EVP_sha256(), key, SCRAM_BYTES, bytes, len, out, &n) != NULL && n == SCRAM_BYTES;
}

/* What the conversation and the salted password make: our proof, and what the server's must be. */
static enum err compute(const unsigned char salted[SCRAM_BYTES], const struct buf *conversation,
    unsigned char proof[SCRAM_BYTES], unsigned char expected[SCRAM_BYTES])
{
	unsigned char client_key[SCRAM_BYTES];
	unsigned char stored[SCRAM_BYTES];
	unsigned char server_key[SCRAM_BYTES];
	unsigned n = 0;

	bool good = hmac(salted, "Client Key", 10, client_key) &&
		    EVP_Digest(client_key, SCRAM_BYTES, stored, &n, EVP_sha256(), NULL) == 1 &&
		    hmac(stored, conversation->data, conversation->len, proof) &&
		    hmac(salted, "Server Key", 10, server_key) &&
		    hmac(server_key, conversation->data, conversation->len, expected);
	for (size_t i = 0; good && i < SCRAM_BYTES; i++)
		proof[i] ^= client_key[i];
	OPENSSL_cleanse(client_key, sizeof(client_key));
	OPENSSL_cleanse(stored, sizeof(stored));
	OPENSSL_cleanse(server_key, sizeof(server_key));
	return good ? ERR_OK : ERR_CRYPTO;
}

static enum err salt_password(
    const struct challenge *c, const char *password, size_t len, unsigned char salted[SCRAM_BYTES])
{
	struct buf prepared = BUF_INIT;

	/* SASLprep makes at most a few characters of one; no realloc() may leave a part behind */
	buf_reserve(&prepared, 20 * len + 64);
	saslprep_add(password, len, &prepared);
	int made = PKCS5_PBKDF2_HMAC(prepared.data, (int)prepared.len, (const unsigned char *)c->salt.data,
	    (int)c->salt.len, c->rounds, EVP_sha256(), SCRAM_BYTES, salted);
	buf_wipe(&prepared);
	return made == 1 ? ERR_OK : ERR_CRYPTO;
}

enum err scram_answer(struct scram *s, const char *challenge, size_t len, const char *password,
    size_t password_len, struct buf *out)
{
	struct challenge c = {.salt = BUF_INIT};
	struct buf conversation AUTO_BUF = BUF_INIT;
	struct buf without_proof AUTO_BUF = BUF_INIT;
	unsigned char salted[SCRAM_BYTES];
	unsigned char proof[SCRAM_BYTES];

	enum err e = read_challenge(s, challenge, len, &c);
	if (e == ERR_OK)
		e = salt_password(&c, password, password_len, salted);
	if (e == ERR_OK) {
		buf_adds(&without_proof, "c=");
		base64_add(s->header.data, s->header.len, &without_proof);
		buf_adds(&without_proof, ",r=");
		buf_add(&without_proof, c.nonce, c.nonce_len);
		buf_addf(&conversation, "%s,", s->bare.data);
		buf_add(&conversation, challenge, len);
		buf_addf(&conversation, ",%s", without_proof.data);
		e = compute(salted, &conversation, proof, s->expected);
	}
	if (e == ERR_OK) {
		buf_addf(out, "%s,p=", without_proof.data);
		base64_add(proof, sizeof(proof), out);
	}
	OPENSSL_cleanse(salted, sizeof(salted));
	OPENSSL_cleanse(proof, sizeof(proof));
	buf_free(&c.salt);
	return e;
}

enum err scram_check(const struct scram *s, const char *last, size_t len)
{
	struct buf signature AUTO_BUF = BUF_INIT;
	const char *at = last;
	size_t value_len = 0;

	const char *value = take_value(&at, last + len, 'v', &value_len);
	if (value == NULL)
		return take_value(&at, last + len, 'e', &value_len) != NULL ? ERR_DENIED : ERR_PROTOCOL;
	if (base64_decode(value, value_len, &signature) != ERR_OK || signature.len != SCRAM_BYTES)
		return ERR_PROTOCOL;
	return CRYPTO_memcmp(signature.data, s->expected, SCRAM_BYTES) == 0 ? ERR_OK : ERR_CRYPTO;
}

void scram_free(struct scram *s)
{
	if (s->header.data != NULL)
		buf_wipe(&s->header);
	if (s->bare.data != NULL)
		buf_wipe(&s->bare);
	explicit_bzero(s, sizeof(*s));
}
