#include "lib/token.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "lib/log.h"

void token_random(void *out, size_t len)
{
	if (RAND_bytes(out, (int)len) != 1)
		log_fatal("no random numbers from the system");
}

void token_new(char hex_r[TOKEN_HEX_LEN + 1])
{
	unsigned char raw[TOKEN_BYTES];

	token_random(raw, sizeof(raw));
	token_hex(raw, sizeof(raw), hex_r);
	OPENSSL_cleanse(raw, sizeof(raw));
}

void token_hash(const void *data, size_t len, unsigned char hash_r[TOKEN_HASH_BYTES])
{
	SHA256(data, len, hash_r);
}

void token_sign(const void *key, size_t len, const char *text, unsigned char mac_r[TOKEN_HASH_BYTES])
{
	if (HMAC(EVP_sha256(), key, (int)len, (const unsigned char *)text, strlen(text), mac_r, NULL) == NULL)
		log_fatal("HMAC-SHA256 is not available in libcrypto");
}

void token_hex(const void *bytes, size_t len, char *hex_r)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *b = bytes;

	for (size_t i = 0; i < len; i++) {
		hex_r[2 * i] = digits[b[i] >> 4];
		hex_r[2 * i + 1] = digits[b[i] & 15];
	}
	hex_r[2 * len] = '\0';
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum err token_unhex(const char *hex, void *bytes_r, size_t len)
{
	unsigned char *b = bytes_r;

	if (strlen(hex) != 2 * len)
		return ERR_INVALID;
	for (size_t i = 0; i < len; i++) {
		int hi = digit(hex[2 * i]), lo = digit(hex[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return ERR_INVALID;
		b[i] = (unsigned char)(hi << 4 | lo);
	}
	return ERR_OK;
}

bool token_equal(const char *a, const char *b)
{
	size_t len = strlen(a);

	return len == strlen(b) && CRYPTO_memcmp(a, b, len) == 0;
}
