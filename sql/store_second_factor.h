/*
 * The second factor of users: a sealed secret, the newest step used, and the hashes of recovery codes.  What
 * is used up is used up by one statement, so that of two at the same moment one wins.  Errors of sql/db.h are
 * not repeated.
 */
#ifndef MCV_SQL_STORE_SECOND_FACTOR_H
#define MCV_SQL_STORE_SECOND_FACTOR_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/viewer.h"

enum { RECOVERY_HASH_BYTES = 32, SECOND_FACTOR_KEY_ID_BYTES = 4 };

struct second_factor {
	const void *sealed; /* a box of lib/secretbox.h */
	size_t sealed_len;
	int64_t now_s;      /* the database's clock: the one that sessions and leases go by */
	int64_t created_at; /* seconds since 1970 UTC */
	unsigned recovery_left;
};

/* ERR_NOT_FOUND: this user has none. */
enum err store_second_factor_get(
    struct db *db, struct arena *a, uint64_t user_id, struct second_factor *factor_r) MUST_CHECK;

/* The database's clock, seconds since 1970 UTC. */
enum err store_second_factor_now(struct db *db, int64_t *now_s_r) MUST_CHECK;

/* A new one, of which the code of that step was used already, with count recovery codes, whole or not at all.
 * ERR_CONFLICT: the user has one. */
enum err store_second_factor_create(struct db *db, uint64_t user_id, const void *sealed, size_t sealed_len,
    uint64_t step, const uint8_t (*hashes)[RECOVERY_HASH_BYTES], size_t count) MUST_CHECK;

/* Use the code of that step up.  ERR_DENIED: it was used, or a newer one. */
enum err store_second_factor_use_step(struct db *db, uint64_t user_id, uint64_t step) MUST_CHECK;

/* Use a recovery code up.  ERR_DENIED: the user has no such code. */
enum err store_second_factor_use_recovery(
    struct db *db, uint64_t user_id, const uint8_t hash[RECOVERY_HASH_BYTES]) MUST_CHECK;

/* Other recovery codes instead of all there are.  ERR_NOT_FOUND: the user has no second factor. */
enum err store_second_factor_renew(
    struct db *db, uint64_t user_id, const uint8_t (*hashes)[RECOVERY_HASH_BYTES], size_t count) MUST_CHECK;

/* Take it away, with its recovery codes: by the user.  ERR_NOT_FOUND: there is none. */
enum err store_second_factor_delete(struct db *db, uint64_t user_id) MUST_CHECK;

/* The same by an administrator, for another.  ERR_DENIED: the viewer is none; ERR_CONFLICT: it is the
 * viewer's own; ERR_NOT_FOUND: there is none. */
enum err store_second_factor_reset(struct db *db, const struct viewer *v, uint64_t user_id) MUST_CHECK;

/* How many there are, and how many of them are sealed with another key than that of id. */
enum err store_second_factor_count(struct db *db, const uint8_t id[SECOND_FACTOR_KEY_ID_BYTES],
    unsigned *count_r, unsigned *other_r) MUST_CHECK;

#endif
