#include "fcgi/recovery.h"

#include <stdio.h>
#include <string.h>

/* 32 of them: the digits, and the letters but I, L, O and U. */
static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";

enum { GROUP = 4 };

void recovery_new(char text_r[RECOVERY_TEXT_LEN + 1])
{
	unsigned char raw[RECOVERY_LEN];
	size_t n = 0;

	token_random(raw, sizeof(raw));
	for (size_t i = 0; i < RECOVERY_LEN; i++) {
		if (i > 0 && i % GROUP == 0)
			text_r[n++] = '-';
		text_r[n++] = letters[raw[i] % 32];
	}
	text_r[n] = '\0';
	explicit_bzero(raw, sizeof(raw));
}

/* The letter that was meant, or '\0'. */
static char meant(char c)
{
	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');
	if (c == 'o')
		c = '0';
	if (c == 'i' || c == 'l')
		c = '1';
	return strchr(letters, c) != NULL ? c : '\0';
}

enum err recovery_read(const char *text, char code_r[RECOVERY_LEN + 1])
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (*text == ' ' || *text == '-')
			continue;
		if (n == RECOVERY_LEN || meant(*text) == '\0')
			return ERR_INVALID;
		code_r[n++] = meant(*text);
	}
	code_r[n] = '\0';
	return n == RECOVERY_LEN ? ERR_OK : ERR_INVALID;
}

void recovery_hash(
    uint64_t user_id, const char code[RECOVERY_LEN + 1], unsigned char hash_r[TOKEN_HASH_BYTES])
{
	char text[64];
	int n = snprintf(text, sizeof(text), "recovery|%llu|%s", (unsigned long long)user_id, code);

	token_hash(text, (size_t)n, hash_r);
	explicit_bzero(text, sizeof(text));
}
