/*
 * What others call our accounts and users.  An issuer is whoever speaks to us of customers by names of its
 * own: a control panel, a billing system, a script.  Each has its own names, so that "bob" of one is never
 * "bob" of another.  An account, or a user, has one name at most for each issuer.  Errors of sql/db.h are not
 * repeated.
 */
#ifndef MCV_SQL_STORE_EXTERNAL_H
#define MCV_SQL_STORE_EXTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/viewer.h"

/* This machine's own: its socket and its command line.  No API token has it. */
#define ISSUER_LOCAL "local"
/* Of the installation's tokens for which nothing else was chosen. */
#define ISSUER_API "api"
/* In front of an account's number: its own tokens'.  Nobody chooses such a name. */
#define ISSUER_ACCOUNT_PREFIX "account-"

enum { ISSUER_MAX_BYTES = 40, EXTERNAL_ID_MAX_CHARS = 100, EXTERNALS_MAX = 50 };

struct external {
	const char *issuer; /* 1 to ISSUER_MAX_BYTES of a-z 0-9 - */
	const char *id;     /* 1 to EXTERNAL_ID_MAX_CHARS, compared byte for byte */
};

/* Whose names they are. */
enum external_of { EXTERNAL_ACCOUNT, EXTERNAL_USER };

/* Whether they can be what struct external says.  NULL does not fit. */
bool external_issuer_fits(const char *issuer);
bool external_id_fits(const char *id);

/*
 * Lines of "ISSUER ID", with empty ones left out, into a list in a.  ERR_INVALID: a line is something else,
 * or there are more than EXTERNALS_MAX; *bad_r is then its text.
 */
enum err external_parse(struct arena *a, const char *text, struct external **list_r, size_t *count_r,
    const char **bad_r) MUST_CHECK;

/* Who is called so: the id of an account or user.  ERR_NOT_FOUND: nobody. */
enum err store_external_find(
    struct db *db, enum external_of of, const char *issuer, const char *id, uint64_t *owner_r) MUST_CHECK;

/* All names of owner, by issuer. */
enum err store_external_list(struct db *db, struct arena *a, enum external_of of, uint64_t owner,
    struct external **list_r, size_t *count_r) MUST_CHECK;

/*
 * What issuers call a user from now on, all of it; it is by these that links sign in (store_sso.h).
 * ERR_DENIED: the viewer is no administrator; ERR_NOT_FOUND: no such user, or one of a closed account.
 * ERR_INVALID, ERR_CONFLICT as below.
 */
enum err store_external_save_user(struct db *db, const struct viewer *v, uint64_t user_id,
    const struct external *list, size_t count) MUST_CHECK;

/*
 * For stores, inside a transaction: this machine's user uid uses the ISSUER_LOCAL name id of an account.  The
 * first who does is remembered.  ERR_DENIED: it was another; the name was given to somebody new since.
 * ERR_BUSY: the name was taken away this moment.
 */
enum err store_external_bind(struct db *db, uint64_t account_id, const char *id, uint32_t uid) MUST_CHECK;

/*
 * For stores, inside a transaction: what issuer calls owner from now on (id NULL or "": nothing), or all
 * names it has.  A name that stays keeps the uid of store_external_bind().  ERR_INVALID; ERR_CONFLICT:
 * another is called so, or one issuer stands in the list twice.
 */
enum err store_external_set(
    struct db *db, enum external_of of, uint64_t owner, const char *issuer, const char *id) MUST_CHECK;
enum err store_external_set_all(
    struct db *db, enum external_of of, uint64_t owner, const struct external *list, size_t count) MUST_CHECK;

#endif
