#include "lib/password.h"

#include <string.h>

#include <crypt.h>
#include <openssl/crypto.h>

#include "lib/log.h"
#include "lib/token.h"

/* yescrypt at cost 5: about 16 MiB and a tenth of a second. */
enum { COST = 5 };

static enum err hash_new(const char *plain, char hash_r[PASSWORD_HASH_MAX])
{
	struct crypt_data data = {0};
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *hash;
	enum err e = ERR_CRYPTO;

	if (crypt_gensalt_rn("$y$", COST, NULL, 0, setting, sizeof(setting)) == NULL)
		return ERR_CRYPTO;
	hash = crypt_r(plain, setting, &data);
	if (hash != NULL && hash[0] != '*' && strlen(hash) < PASSWORD_HASH_MAX) {
		memcpy(hash_r, hash, strlen(hash) + 1);
		e = ERR_OK;
	}
	OPENSSL_cleanse(&data, sizeof(data));
	return e;
}

enum err password_hash(const char *plain, char hash_r[PASSWORD_HASH_MAX])
{
	size_t len = strlen(plain);

	if (len < PASSWORD_MIN_BYTES || len > PASSWORD_MAX_BYTES || strpbrk(plain, "\r\n") != NULL)
		return ERR_INVALID;
	return hash_new(plain, hash_r);
}

bool password_verify(const char *plain, const char *hash)
{
	static char nobody[PASSWORD_HASH_MAX];
	struct crypt_data data = {0};
	const char *setting = hash, *got;
	bool same;

	if (hash == NULL) {
		if (nobody[0] == '\0' && hash_new("nobody has this password", nobody) != ERR_OK)
			log_fatal("yescrypt is not available in libcrypt");
		setting = nobody;
	}
	if (strlen(plain) > PASSWORD_MAX_BYTES)
		plain = "";
	got = crypt_r(plain, setting, &data);
	same = got != NULL && got[0] != '*' && token_equal(got, setting) && hash != NULL;
	OPENSSL_cleanse(&data, sizeof(data));
	return same;
}

void password_random(char plain_r[21])
{
	static const char letters[] = "abcdefghjkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXYZ2346789";
	unsigned char b;

	for (int i = 0; i < 20;) {
		token_random(&b, 1);
		if (b < 256 / (sizeof(letters) - 1) * (sizeof(letters) - 1))
			plain_r[i++] = letters[b % (sizeof(letters) - 1)];
	}
	plain_r[20] = '\0';
}
