/*
 * Time-based one-time passwords (RFC 6238): HMAC-SHA1, 6 digits, steps of 30 s, as every authenticator app
 * has them. Pure; its implementation is the only user of liboath.
 */
#ifndef MCV_FCGI_TOTP_H
#define MCV_FCGI_TOTP_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"

enum { TOTP_SECRET_BYTES = 20, TOTP_DIGITS = 6, TOTP_STEP_S = 30 };

/*
 * Whether text is the code of the step at now_s (Unix seconds) or of one next to it; blanks in it do not
 * count. *step_r: which step, counted from 1970.  ERR_OK; ERR_DENIED: a code, but not of these; ERR_INVALID:
 * no six digits.
 */
enum err totp_check(const unsigned char secret[TOTP_SECRET_BYTES], int64_t now_s, const char *text,
    uint64_t *step_r) MUST_CHECK;

/* The secret in base32, in groups of four with blanks between, for typing; lives in a. */
const char *totp_secret_text(struct arena *a, const unsigned char secret[TOTP_SECRET_BYTES]);

/*
 * The otpauth address that apps read from a QR code; lives in a.  issuer and account are shown by the app; a
 * colon in either would be misread and is left out.
 */
const char *totp_uri(
    struct arena *a, const unsigned char secret[TOTP_SECRET_BYTES], const char *issuer, const char *account);

#endif
