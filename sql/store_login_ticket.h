/*
 * Sign-ins that have got as far as the second factor: the browser holds 256 random bits, here only their
 * SHA-256 is kept.  A ticket is good for giving a code, a few times and for a few minutes by the database's
 * clock; it is no session.  Errors of sql/db.h are not repeated.
 */
#ifndef MCV_SQL_STORE_LOGIN_TICKET_H
#define MCV_SQL_STORE_LOGIN_TICKET_H

#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/store_user.h"

enum { LOGIN_TICKET_HASH_BYTES = 32, LOGIN_TICKET_S = 300, LOGIN_TICKET_TRIES = 5 };

/* support: who signs in in the user's place; NULL: the user.  ERR_CONFLICT: the user has been deleted. */
enum err store_login_ticket_create(struct db *db, const uint8_t id_hash[LOGIN_TICKET_HASH_BYTES],
    const struct user *u, const char *support) MUST_CHECK;

/* What a ticket is good for, beside its user. */
struct login_ticket {
	const char *panel_origins; /* of the user's account; may be NULL */
	const char *support;       /* as given */
};

/* Whose it is.  ERR_NOT_FOUND: there is none, it is too old or was tried too often, or the user is disabled
 * or has another password since. */
enum err store_login_ticket_get(struct db *db, struct arena *a,
    const uint8_t id_hash[LOGIN_TICKET_HASH_BYTES], struct user *user_r,
    struct login_ticket *ticket_r) MUST_CHECK;

/* Before a code is looked at: one try less.  ERR_NOT_FOUND: none is left. */
enum err store_login_ticket_try(struct db *db, const uint8_t id_hash[LOGIN_TICKET_HASH_BYTES]) MUST_CHECK;

/* It has served.  ERR_NOT_FOUND: another request used it up. */
enum err store_login_ticket_use(struct db *db, const uint8_t id_hash[LOGIN_TICKET_HASH_BYTES]) MUST_CHECK;

/* Remove those that are too old, at most 500. */
enum err store_login_ticket_purge(struct db *db) MUST_CHECK;

#endif
