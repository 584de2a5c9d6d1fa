/*
 * Passwords of the panel's own users, hashed with yescrypt (crypt(5), libxcrypt).
 */
#ifndef MCV_LIB_PASSWORD_H
#define MCV_LIB_PASSWORD_H

#include <stdbool.h>

#include "lib/err.h"

enum { PASSWORD_MIN_BYTES = 10, PASSWORD_MAX_BYTES = 256, PASSWORD_HASH_MAX = 384 };

/*
 * Hash plain into hash_r (NUL-terminated).  ERR_OK, ERR_INVALID (shorter than PASSWORD_MIN_BYTES, longer than
 * PASSWORD_MAX_BYTES, or with a NUL or newline), ERR_CRYPTO.
 */
enum err password_hash(const char *plain, char hash_r[PASSWORD_HASH_MAX]) MUST_CHECK;

/*
 * Whether plain is the password hash was made from.  hash NULL (no such user) costs the same time and is
 * false.
 */
bool password_verify(const char *plain, const char *hash);

/* A random password of 20 letters and digits, none of them easily mistaken, for printing once. */
void password_random(char plain_r[21]);

#endif
