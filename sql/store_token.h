/*
 * API tokens.  A token acts for the user who made it, within its scopes, and ends when they are disabled: in
 * their account, or, made by an administrator for the whole installation, in all of them.  It is shown once;
 * here only its SHA-256 is kept.  Errors of sql/db.h are not repeated.
 */
#ifndef MCV_SQL_STORE_TOKEN_H
#define MCV_SQL_STORE_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "lib/scope.h"
#include "sql/viewer.h"

#define API_TOKEN_PREFIX "mcv_"
enum { TOKEN_ID_HASH_BYTES = 32, TOKEN_NAME_MAX_CHARS = 100, TOKEN_DAYS_MAX = 3650, TOKEN_NETWORKS_MAX = 50 };

struct api_token {
	uint64_t id;
	bool is_installation;
	const char *name;
	unsigned scopes;
	const char *issuer;   /* whose external ids it speaks of */
	const char *networks; /* CIDR with blanks between; NULL: from anywhere */
	const char *email;    /* whom it acts for; NULL: gone */
	const char *account_name;
	int64_t created_at, expires_at, last_used_at, revoked_at; /* seconds since 1970 UTC; 0: never */
	bool is_expired;
	const char *last_address;
};

struct api_token_fields {
	const char *name; /* 1 to TOKEN_NAME_MAX_CHARS */
	bool is_installation;
	unsigned scopes;
	const char *issuer; /* NULL or "": ISSUER_API, or of an account's token, "account-" and its number */
	const char
	    *networks; /* at most TOKEN_NETWORKS_MAX, blanks or commas between; NULL or "": from anywhere */
	unsigned days; /* 0: does not expire; at most TOKEN_DAYS_MAX */
};

/* Whether somebody may choose it: a name, but not the machine's own, nor one of an account's. */
bool store_token_issuer_fits(const char *issuer);

/*
 * A new token of the viewer's.  ERR_INVALID: a field out of range, or an issuer that nobody chooses: the
 * machine's own, or an account's.  ERR_DENIED: the viewer is no administrator and asks for the installation
 * or for an issuer (or customers would speak in each other's names), or accounts:write is asked for an
 * account.
 */
enum err store_token_create(struct db *db, const struct viewer *v, const struct api_token_fields *f,
    const uint8_t hash[TOKEN_ID_HASH_BYTES], uint64_t *id_r) MUST_CHECK;

/* A member: those of their account; an administrator: all.  Newest first, at most 500. */
enum err store_token_list(struct db *db, struct arena *a, const struct viewer *v, struct api_token **list_r,
    size_t *count_r) MUST_CHECK;

/* It works no more, from the next request on.  ERR_NOT_FOUND: none of those listed, or revoked before. */
enum err store_token_revoke(struct db *db, const struct viewer *v, uint64_t id) MUST_CHECK;

/* Networks as of struct api_token: whether address is in one.  NULL: yes. */
bool store_token_is_from(const char *networks, const char *address);

struct token_holder {
	uint64_t token_id;
	struct viewer viewer;
	const char *email;
	unsigned scopes;
	const char *issuer; /* never ISSUER_LOCAL */
	bool is_installation;
	const char *networks;
	bool is_suspended; /* the account */
};

/* Who shows this token.  ERR_NOT_FOUND: nobody may: unknown, revoked, expired, its user disabled or, for the
 * installation, no administrator any more. */
enum err store_token_find(struct db *db, struct arena *a, const uint8_t hash[TOKEN_ID_HASH_BYTES],
    struct token_holder *holder_r) MUST_CHECK;

/* Note that it was used from address (written at most every 30 s). */
enum err store_token_note_use(struct db *db, uint64_t id, const char *address) MUST_CHECK;

#endif
