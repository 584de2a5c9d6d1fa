/*
 * Sealed mailbox passwords.  A sealed box: an ephemeral X25519 key agrees with the installation's public key
 * (RFC 7748), HKDF-SHA256 (RFC 5869) makes a key of the shared secret, AES-256-GCM (NIST SP 800-38D) seals.
 * Whoever has the public key can seal; only who has the private key can open.  The web has the public key
 * only.
 *
 * Box: version 1 (1 byte) | key id (4) | ephemeral public key (32) | nonce (12) | ciphertext (as long as the
 * plain text) | tag (16).
 */
#ifndef MCV_LIB_VAULT_H
#define MCV_LIB_VAULT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"

enum { VAULT_PLAIN_MAX_BYTES = 4096, VAULT_OVERHEAD_BYTES = 1 + 4 + 32 + 12 + 16, VAULT_KEY_ID_BYTES = 4 };

enum vault_side { VAULT_SOURCE = 1, VAULT_DESTINATION };

struct vault_public_key;
struct vault_private_key;

/*
 * What a box is bound to: it opens only with the account and side it was sealed for, so a box moved to
 * another customer's row, or from source to destination, does not open.  "mailconvoy1|<account_id>|source".
 */
const char *vault_aad(struct arena *a, uint64_t account_id, enum vault_side side);

/*
 * Make a key pair and write it as PEM to two new files: private 0400, public 0444.  An existing file is never
 * overwritten.  ERR_OK, ERR_CONFLICT (one exists), ERR_IO, ERR_CRYPTO; why says which.
 */
enum err vault_keygen(const char *private_path, const char *public_path, struct buf *why) MUST_CHECK;

/*
 * Write the public half of a private key to a new file, 0444.  ERR_OK, ERR_CONFLICT (it exists), ERR_IO,
 * ERR_CRYPTO; why says which.
 */
enum err vault_public_write(
    const struct vault_private_key *key, const char *public_path, struct buf *why) MUST_CHECK;

/*
 * Load a key.  A private key that others may read, or behind a symbolic link, is refused.  why gets one
 * sentence with the remedy.  ERR_OK, ERR_NOT_FOUND, ERR_DENIED, ERR_TOO_BIG, ERR_IO, ERR_CRYPTO (not an
 * X25519 key).
 */
enum err vault_public_load(const char *path, struct vault_public_key **key_r, struct buf *why) MUST_CHECK;
enum err vault_private_load(const char *path, struct vault_private_key **key_r, struct buf *why) MUST_CHECK;
void vault_public_free(struct vault_public_key **key);
void vault_private_free(struct vault_private_key **key);

/* The first 4 bytes of SHA-256 of the raw public key, which name the pair. */
const unsigned char *vault_public_id(const struct vault_public_key *key);
const unsigned char *vault_private_id(const struct vault_private_key *key);

/*
 * Append a box holding the len bytes at plain to out.  ERR_OK, ERR_TOO_BIG (over VAULT_PLAIN_MAX_BYTES),
 * ERR_CRYPTO (OpenSSL failed).
 */
enum err vault_seal(const struct vault_public_key *key, const char *aad, const void *plain, size_t len,
    struct buf *out) MUST_CHECK;

/*
 * Open a box.  The plain text lives in clean (arena_new_clean()), NUL-terminated, *len_r bytes.  ERR_OK;
 * ERR_NOT_FOUND (sealed for another key id); ERR_CRYPTO (malformed, altered, or bound to something else).
 */
enum err vault_open(const struct vault_private_key *key, const char *aad, const void *box, size_t box_len,
    struct arena *clean, char **plain_r, size_t *len_r) MUST_CHECK;

#endif
