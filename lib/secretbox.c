#include "lib/secretbox.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "lib/secretfile.h"
#include "lib/token.h"

enum { VERSION = 1, NONCE_BYTES = 12, TAG_BYTES = 16, KEY_HEX_LEN = 2 * SECRETBOX_KEY_BYTES };

/* Offsets of the box's parts. */
enum {
	AT_NONCE = SECRETBOX_KEY_ID_AT + SECRETBOX_KEY_ID_BYTES,
	AT_CIPHER = AT_NONCE + NONCE_BYTES,
};

enum err secretbox_keygen(const char *path, struct buf *why)
{
	unsigned char key[SECRETBOX_KEY_BYTES];
	char line[KEY_HEX_LEN + 2];
	enum err e;

	token_random(key, sizeof(key));
	token_hex(key, sizeof(key), line);
	line[KEY_HEX_LEN] = '\n';
	e = secretfile_write(path, 0400, line, KEY_HEX_LEN + 1, why);
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(line, sizeof(line));
	return e;
}

enum err secretbox_load(const char *path, struct secretbox_key *key_r, struct buf *why)
{
	unsigned char digest[TOKEN_HASH_BYTES];
	struct buf line = BUF_INIT;
	enum err e = secretfile_read_line(path, KEY_HEX_LEN + 2, &line, why);

	if (e == ERR_INVALID ||
	    (e == ERR_OK && token_unhex(line.data, key_r->bytes, SECRETBOX_KEY_BYTES) != ERR_OK)) {
		buf_clear(why);
		buf_addf(why, "%s is not a key of %d hex digits", path, KEY_HEX_LEN);
		e = ERR_CRYPTO;
	}
	buf_wipe(&line);
	if (e != ERR_OK)
		return e;
	token_hash(key_r->bytes, SECRETBOX_KEY_BYTES, digest);
	memcpy(key_r->id, digest, SECRETBOX_KEY_ID_BYTES);
	return ERR_OK;
}

void secretbox_forget(struct secretbox_key *key)
{
	OPENSSL_cleanse(key, sizeof(*key));
}

enum err secretbox_seal(
    const struct secretbox_key *key, const char *aad, const void *plain, size_t len, struct buf *out)
{
	unsigned char head[AT_CIPHER], sealed[SECRETBOX_PLAIN_MAX_BYTES + TAG_BYTES];
	EVP_CIPHER_CTX *ctx;
	int n, ok;

	if (len > SECRETBOX_PLAIN_MAX_BYTES)
		return ERR_TOO_BIG;
	head[0] = VERSION;
	memcpy(head + SECRETBOX_KEY_ID_AT, key->id, SECRETBOX_KEY_ID_BYTES);
	token_random(head + AT_NONCE, NONCE_BYTES);
	ctx = EVP_CIPHER_CTX_new();
	ok = ctx != NULL &&
	     EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, head + AT_NONCE) == 1 &&
	     EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)aad, (int)strlen(aad)) == 1 &&
	     EVP_EncryptUpdate(ctx, NULL, &n, head, AT_NONCE) == 1 &&
	     EVP_EncryptUpdate(ctx, sealed, &n, plain, (int)len) == 1 &&
	     EVP_EncryptFinal_ex(ctx, sealed + n, &n) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, sealed + len) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (!ok)
		return ERR_CRYPTO;
	buf_add(out, head, sizeof(head));
	buf_add(out, sealed, len + TAG_BYTES);
	return ERR_OK;
}

enum err secretbox_open(const struct secretbox_key *key, const char *aad, const void *box, size_t box_len,
    struct arena *clean, char **plain_r, size_t *len_r)
{
	const unsigned char *b = box;
	unsigned char tag[TAG_BYTES];
	EVP_CIPHER_CTX *ctx;
	char *plain;
	size_t len;
	int n, ok;

	/* The tag's length is fixed by the box's: OpenSSL would accept a tag of one byte. */
	if (box_len < SECRETBOX_OVERHEAD_BYTES ||
	    box_len > SECRETBOX_OVERHEAD_BYTES + SECRETBOX_PLAIN_MAX_BYTES || b[0] != VERSION)
		return ERR_CRYPTO;
	if (memcmp(b + SECRETBOX_KEY_ID_AT, key->id, SECRETBOX_KEY_ID_BYTES) != 0)
		return ERR_NOT_FOUND;
	len = box_len - SECRETBOX_OVERHEAD_BYTES;
	plain = arena_alloc(clean, len + 1);
	memcpy(tag, b + AT_CIPHER + len, TAG_BYTES);
	ctx = EVP_CIPHER_CTX_new();
	ok = ctx != NULL && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key->bytes, b + AT_NONCE) == 1 &&
	     EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)aad, (int)strlen(aad)) == 1 &&
	     EVP_DecryptUpdate(ctx, NULL, &n, b, AT_NONCE) == 1 &&
	     EVP_DecryptUpdate(ctx, (unsigned char *)plain, &n, b + AT_CIPHER, (int)len) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1 &&
	     EVP_DecryptFinal_ex(ctx, (unsigned char *)plain + n, &n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (!ok) {
		OPENSSL_cleanse(plain, len + 1);
		return ERR_CRYPTO;
	}
	*plain_r = plain;
	*len_r = len;
	return ERR_OK;
}
