#include "fcgi/totp.h"

#include <oath.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/escape.h"
#include "lib/log.h"
#include "lib/token.h"

enum { WINDOW_STEPS = 1, BASE32_LEN = TOTP_SECRET_BYTES * 8 / 5, GROUP = 4 };

/* The digits of text, without blanks.  ERR_INVALID: something else, or not as many. */
static enum err read_digits(const char *text, char digits[TOTP_DIGITS + 1])
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (*text == ' ')
			continue;
		if (*text < '0' || *text > '9' || n == TOTP_DIGITS)
			return ERR_INVALID;
		digits[n++] = *text;
	}
	digits[n] = '\0';
	return n == TOTP_DIGITS ? ERR_OK : ERR_INVALID;
}

/* Each is compared, in the same time whether it fits: the answer tells nothing of the others. */
enum err totp_check(
    const unsigned char secret[TOTP_SECRET_BYTES], int64_t now_s, const char *text, uint64_t *step_r)
{
	char digits[TOTP_DIGITS + 1], code[TOTP_DIGITS + 1];
	int64_t now_step = now_s / TOTP_STEP_S;
	enum err found = ERR_DENIED;
	enum err e = read_digits(text, digits);

	if (e != ERR_OK)
		return e;
	for (int64_t step = now_step - WINDOW_STEPS; step <= now_step + WINDOW_STEPS; step++) {
		if (step < 0)
			continue;
		if (oath_totp_generate((const char *)secret, TOTP_SECRET_BYTES, (time_t)(step * TOTP_STEP_S),
			TOTP_STEP_S, OATH_TOTP_DEFAULT_START_TIME, TOTP_DIGITS, code) != OATH_OK)
			log_fatal("liboath makes no codes");
		if (token_equal(code, digits)) {
			*step_r = (uint64_t)step;
			found = ERR_OK;
		}
	}
	explicit_bzero(code, sizeof(code));
	return found;
}

/* A multiple of five bytes: no padding. */
static void base32(const unsigned char *secret, char text[BASE32_LEN + 1])
{
	char *made = NULL;
	size_t len = 0;

	if (oath_base32_encode((const char *)secret, TOTP_SECRET_BYTES, &made, &len) != OATH_OK ||
	    len != BASE32_LEN)
		log_fatal("liboath writes no base32");
	memcpy(text, made, BASE32_LEN);
	text[BASE32_LEN] = '\0';
	explicit_bzero(made, len);
	free(made);
}

const char *totp_secret_text(struct arena *a, const unsigned char secret[TOTP_SECRET_BYTES])
{
	char text[BASE32_LEN + 1], *out = arena_alloc(a, BASE32_LEN + BASE32_LEN / GROUP);
	size_t n = 0;

	base32(secret, text);
	for (size_t i = 0; i < BASE32_LEN; i++) {
		if (i > 0 && i % GROUP == 0)
			out[n++] = ' ';
		out[n++] = text[i];
	}
	out[n] = '\0';
	explicit_bzero(text, sizeof(text));
	return out;
}

static void add_name(struct buf *b, const char *name)
{
	for (; *name != '\0'; name++)
		if (*name != ':')
			escape_url(b, name, 1);
}

const char *totp_uri(
    struct arena *a, const unsigned char secret[TOTP_SECRET_BYTES], const char *issuer, const char *account)
{
	AUTO_BUF struct buf by = BUF_INIT, whose = BUF_INIT;
	char text[BASE32_LEN + 1];
	const char *uri;

	add_name(&by, issuer);
	add_name(&whose, account);
	base32(secret, text);
	uri = arena_printf(a, "otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=%d&period=%d",
	    by.data, whose.data, text, by.data, TOTP_DIGITS, TOTP_STEP_S);
	explicit_bzero(text, sizeof(text));
	return uri;
}
