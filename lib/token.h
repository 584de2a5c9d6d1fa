/*
 * Random tokens and their hashes.  A token goes to its bearer once; only its SHA-256 is stored, so that a
 * read database signs nobody in.
 */
#ifndef MCV_LIB_TOKEN_H
#define MCV_LIB_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

enum { TOKEN_BYTES = 32, TOKEN_HEX_LEN = 64, TOKEN_HASH_BYTES = 32 };

/* len bytes from the operating system's generator; ends the process if it has none. */
void token_random(void *out, size_t len);

/* A new 256-bit token as 64 lower-case hex digits and a NUL. */
void token_new(char hex_r[TOKEN_HEX_LEN + 1]);

/* SHA-256 of the len bytes at data. */
void token_hash(const void *data, size_t len, unsigned char hash_r[TOKEN_HASH_BYTES]);

/* HMAC-SHA256 (RFC 2104) of text under the len bytes at key. */
void token_sign(const void *key, size_t len, const char *text, unsigned char mac_r[TOKEN_HASH_BYTES]);

/* len bytes as 2 * len lower-case hex digits and a NUL. */
void token_hex(const void *bytes, size_t len, char *hex_r);

/* The other way; hex must be exactly 2 * len digits.  ERR_OK, ERR_INVALID. */
enum err token_unhex(const char *hex, void *bytes_r, size_t len) MUST_CHECK;

/* Whether two strings are equal, in time that depends on their lengths alone. */
bool token_equal(const char *a, const char *b);

#endif
