#include "lib/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "lib/mem.h"
#include "lib/secretfile.h"

enum {
	VERSION = 1,
	POINT_BYTES = 32,
	NONCE_BYTES = 12,
	TAG_BYTES = 16,
	KEY_BYTES = 32,
	PEM_MAX_BYTES = 4096
};

/* Offsets of the box's parts. */
enum {
	AT_KEY_ID = 1,
	AT_POINT = AT_KEY_ID + VAULT_KEY_ID_BYTES,
	AT_NONCE = AT_POINT + POINT_BYTES,
	AT_CIPHER = AT_NONCE + NONCE_BYTES,
};

struct vault_public_key {
	EVP_PKEY *pkey;
	unsigned char point[POINT_BYTES];
	unsigned char id[VAULT_KEY_ID_BYTES];
};

struct vault_private_key {
	EVP_PKEY *pkey;
	unsigned char point[POINT_BYTES];
	unsigned char id[VAULT_KEY_ID_BYTES];
};

const char *vault_aad(struct arena *a, uint64_t account_id, enum vault_side side)
{
	return arena_printf(a, "mailconvoy1|%llu|%s", (unsigned long long)account_id,
	    side == VAULT_SOURCE ? "source" : "destination");
}

static int describe(EVP_PKEY *pkey, unsigned char *point, unsigned char *id)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	size_t len = POINT_BYTES;

	if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_X25519 ||
	    EVP_PKEY_get_raw_public_key(pkey, point, &len) != 1 || len != POINT_BYTES)
		return 0;
	SHA256(point, POINT_BYTES, digest);
	memcpy(id, digest, VAULT_KEY_ID_BYTES);
	return 1;
}

/* Write what print() puts into a memory BIO to a new file of this mode. */
static enum err write_pem(const char *path, unsigned mode, EVP_PKEY *pkey, int private, struct buf *why)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	enum err e;
	char *pem;
	long len;
	int ok;

	if (bio == NULL)
		return ERR_CRYPTO;
	ok = private ? PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL)
		     : PEM_write_bio_PUBKEY(bio, pkey);
	len = BIO_get_mem_data(bio, &pem);
	if (ok != 1 || len <= 0) {
		BIO_free(bio);
		return ERR_CRYPTO;
	}
	e = secretfile_write(path, mode, pem, (size_t)len, why);
	BIO_free(bio);
	return e;
}

enum err vault_keygen(const char *private_path, const char *public_path, struct buf *why)
{
	EVP_PKEY *pkey;
	enum err e;

	if (access(public_path, F_OK) == 0) {
		buf_addf(why, "%s exists already and is not overwritten", public_path);
		return ERR_CONFLICT;
	}
	pkey = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	if (pkey == NULL)
		return ERR_CRYPTO;
	e = write_pem(private_path, 0400, pkey, 1, why);
	if (e == ERR_OK) {
		e = write_pem(public_path, 0444, pkey, 0, why);
		if (e != ERR_OK)
			(void)unlink(private_path);
	}
	EVP_PKEY_free(pkey);
	return e;
}

enum err vault_public_write(const struct vault_private_key *key, const char *public_path, struct buf *why)
{
	return write_pem(public_path, 0444, key->pkey, 0, why);
}

enum err vault_public_load(const char *path, struct vault_public_key **key_r, struct buf *why)
{
	struct vault_public_key *key;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char pem[PEM_MAX_BYTES];
	ssize_t n;
	BIO *bio;

	if (fd < 0) {
		int saved = errno;

		buf_addf(why, "cannot open %s: %s; mailconvoyctl setup makes it", path, strerror(saved));
		return saved == ENOENT ? ERR_NOT_FOUND : saved == EACCES ? ERR_DENIED : ERR_IO;
	}
	n = read(fd, pem, sizeof(pem));
	(void)close(fd);
	if (n < 0) {
		buf_addf(why, "cannot read %s: %s", path, strerror(errno));
		return ERR_IO;
	}
	bio = BIO_new_mem_buf(pem, (int)n);
	key = mem_alloc(sizeof(*key));
	key->pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	if (key->pkey == NULL || !describe(key->pkey, key->point, key->id)) {
		buf_addf(why, "%s is not an X25519 public key in PEM", path);
		vault_public_free(&key);
		return ERR_CRYPTO;
	}
	*key_r = key;
	return ERR_OK;
}

enum err vault_private_load(const char *path, struct vault_private_key **key_r, struct buf *why)
{
	struct vault_private_key *key;
	struct buf pem = BUF_INIT;
	enum err e = secretfile_read(path, PEM_MAX_BYTES, &pem, why);
	BIO *bio;

	if (e != ERR_OK) {
		buf_wipe(&pem);
		return e;
	}
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	key = mem_alloc(sizeof(*key));
	key->pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	buf_wipe(&pem);
	if (key->pkey == NULL || !describe(key->pkey, key->point, key->id)) {
		buf_addf(why, "%s is not an X25519 private key in PEM", path);
		vault_private_free(&key);
		return ERR_CRYPTO;
	}
	*key_r = key;
	return ERR_OK;
}

void vault_public_free(struct vault_public_key **key)
{
	if (*key == NULL)
		return;
	EVP_PKEY_free((*key)->pkey);
	free(*key);
	*key = NULL;
}

void vault_private_free(struct vault_private_key **key)
{
	if (*key == NULL)
		return;
	EVP_PKEY_free((*key)->pkey); /* OpenSSL wipes private keys as it frees them */
	free(*key);
	*key = NULL;
}

const unsigned char *vault_public_id(const struct vault_public_key *key)
{
	return key->id;
}

const unsigned char *vault_private_id(const struct vault_private_key *key)
{
	return key->id;
}

/* The AES key of a box: HKDF over the agreed secret, with both public keys as salt, so that each box has its
 * own. */
static int derive(EVP_PKEY *own, EVP_PKEY *peer, const unsigned char *ephemeral,
    const unsigned char *recipient, unsigned char *out)
{
	static char digest[] = "SHA256";
	static unsigned char info[] = "mailconvoy sealed box 1";
	unsigned char shared[POINT_BYTES], salt[2 * POINT_BYTES];
	size_t len = sizeof(shared);
	EVP_PKEY_CTX *agree = EVP_PKEY_CTX_new(own, NULL);
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *hkdf = EVP_KDF_CTX_new(kdf);
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, shared, sizeof(shared)),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt, sizeof(salt)),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, sizeof(info) - 1),
	    OSSL_PARAM_construct_end(),
	};
	int ok;

	memcpy(salt, ephemeral, POINT_BYTES);
	memcpy(salt + POINT_BYTES, recipient, POINT_BYTES);
	ok = agree != NULL && hkdf != NULL && EVP_PKEY_derive_init(agree) == 1 &&
	     EVP_PKEY_derive_set_peer(agree, peer) == 1 && EVP_PKEY_derive(agree, shared, &len) == 1 &&
	     len == sizeof(shared) && EVP_KDF_derive(hkdf, out, KEY_BYTES, params) == 1;
	OPENSSL_cleanse(shared, sizeof(shared));
	EVP_KDF_CTX_free(hkdf);
	EVP_KDF_free(kdf);
	EVP_PKEY_CTX_free(agree);
	return ok;
}

enum err vault_seal(
    const struct vault_public_key *key, const char *aad, const void *plain, size_t len, struct buf *out)
{
	unsigned char head[AT_CIPHER], sealed[VAULT_PLAIN_MAX_BYTES + TAG_BYTES], aes[KEY_BYTES];
	size_t point_len = POINT_BYTES;
	EVP_PKEY *ephemeral;
	EVP_CIPHER_CTX *ctx;
	int n, ok;

	if (len > VAULT_PLAIN_MAX_BYTES)
		return ERR_TOO_BIG;
	ephemeral = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	ctx = EVP_CIPHER_CTX_new();
	head[0] = VERSION;
	memcpy(head + AT_KEY_ID, key->id, VAULT_KEY_ID_BYTES);
	ok = ephemeral != NULL && ctx != NULL &&
	     EVP_PKEY_get_raw_public_key(ephemeral, head + AT_POINT, &point_len) == 1 &&
	     RAND_bytes(head + AT_NONCE, NONCE_BYTES) == 1 &&
	     derive(ephemeral, key->pkey, head + AT_POINT, key->point, aes) &&
	     EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, aes, head + AT_NONCE) == 1 &&
	     EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)aad, (int)strlen(aad)) == 1 &&
	     EVP_EncryptUpdate(ctx, NULL, &n, head, AT_POINT) == 1 &&
	     EVP_EncryptUpdate(ctx, sealed, &n, plain, (int)len) == 1 &&
	     EVP_EncryptFinal_ex(ctx, sealed + n, &n) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, sealed + len) == 1;
	OPENSSL_cleanse(aes, sizeof(aes));
	EVP_CIPHER_CTX_free(ctx);
	EVP_PKEY_free(ephemeral);
	if (!ok)
		return ERR_CRYPTO;
	buf_add(out, head, sizeof(head));
	buf_add(out, sealed, len + TAG_BYTES);
	return ERR_OK;
}

enum err vault_open(const struct vault_private_key *key, const char *aad, const void *box, size_t box_len,
    struct arena *clean, char **plain_r, size_t *len_r)
{
	const unsigned char *b = box;
	unsigned char aes[KEY_BYTES], tag[TAG_BYTES];
	size_t len;
	EVP_PKEY *ephemeral;
	EVP_CIPHER_CTX *ctx;
	char *plain;
	int n, ok;

	/* The tag's length is fixed by the box's: OpenSSL would accept a tag of one byte. */
	if (box_len < VAULT_OVERHEAD_BYTES || box_len > VAULT_OVERHEAD_BYTES + VAULT_PLAIN_MAX_BYTES ||
	    b[0] != VERSION)
		return ERR_CRYPTO;
	if (memcmp(b + AT_KEY_ID, key->id, VAULT_KEY_ID_BYTES) != 0)
		return ERR_NOT_FOUND;
	len = box_len - VAULT_OVERHEAD_BYTES;
	plain = arena_alloc(clean, len + 1);
	memcpy(tag, b + AT_CIPHER + len, TAG_BYTES);
	ephemeral = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, b + AT_POINT, POINT_BYTES);
	ctx = EVP_CIPHER_CTX_new();
	ok = ephemeral != NULL && ctx != NULL &&
	     derive(key->pkey, ephemeral, b + AT_POINT, key->point, aes) &&
	     EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, aes, b + AT_NONCE) == 1 &&
	     EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)aad, (int)strlen(aad)) == 1 &&
	     EVP_DecryptUpdate(ctx, NULL, &n, b, AT_POINT) == 1 &&
	     EVP_DecryptUpdate(ctx, (unsigned char *)plain, &n, b + AT_CIPHER, (int)len) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1 &&
	     EVP_DecryptFinal_ex(ctx, (unsigned char *)plain + n, &n) == 1;
	OPENSSL_cleanse(aes, sizeof(aes));
	EVP_CIPHER_CTX_free(ctx);
	EVP_PKEY_free(ephemeral);
	if (!ok) {
		OPENSSL_cleanse(plain, len + 1);
		return ERR_CRYPTO;
	}
	*plain_r = plain;
	*len_r = len;
	return ERR_OK;
}
