/*
 * Small secrets that one and the same program stores and reads again: sealed with AES-256-GCM (NIST SP
 * 800-38D) under a key that lies in a file, so that what is stored gives nothing away to who has no such
 * file.  What only the worker may open is sealed by lib/vault.h instead.
 *
 * Box: version 1 (1 byte) | key id (4) | nonce (12) | ciphertext (as long as the plain text) | tag (16).
 */
#ifndef MCV_LIB_SECRETBOX_H
#define MCV_LIB_SECRETBOX_H

#include <stddef.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"

enum {
	SECRETBOX_KEY_BYTES = 32,
	SECRETBOX_KEY_ID_BYTES = 4,
	SECRETBOX_KEY_ID_AT = 1, /* where it stands in a box */
	SECRETBOX_PLAIN_MAX_BYTES = 256,
	SECRETBOX_OVERHEAD_BYTES = 1 + 4 + 12 + 16
};

/* A key in memory, for as short as can be: secretbox_forget() wipes it. */
struct secretbox_key {
	unsigned char bytes[SECRETBOX_KEY_BYTES];
	unsigned char id[SECRETBOX_KEY_ID_BYTES]; /* the first bytes of its SHA-256 */
};

/*
 * Make a key and write it, as 64 hex digits, to a new file of mode 0400; an existing one is never
 * overwritten. ERR_OK, ERR_CONFLICT (it exists), ERR_IO; why says which.
 */
enum err secretbox_keygen(const char *path, struct buf *why) MUST_CHECK;

/*
 * Load a key; a file that others may read is refused.  why gets one sentence.  ERR_OK, ERR_NOT_FOUND,
 * ERR_DENIED, ERR_TOO_BIG, ERR_IO, ERR_CRYPTO (not 64 hex digits).
 */
enum err secretbox_load(const char *path, struct secretbox_key *key_r, struct buf *why) MUST_CHECK;

void secretbox_forget(struct secretbox_key *key);

/*
 * Append a box holding the len bytes at plain to out.  It opens only with the same aad, which says what it is
 * and whose.  ERR_OK, ERR_TOO_BIG (over SECRETBOX_PLAIN_MAX_BYTES), ERR_CRYPTO (OpenSSL failed).
 */
enum err secretbox_seal(const struct secretbox_key *key, const char *aad, const void *plain, size_t len,
    struct buf *out) MUST_CHECK;

/*
 * Open a box.  The plain text lives in clean (arena_new_clean()), NUL-terminated, *len_r bytes.  ERR_OK;
 * ERR_NOT_FOUND (sealed with another key); ERR_CRYPTO (malformed, altered, or bound to something else).
 */
enum err secretbox_open(const struct secretbox_key *key, const char *aad, const void *box, size_t box_len,
    struct arena *clean, char **plain_r, size_t *len_r) MUST_CHECK;

#endif
