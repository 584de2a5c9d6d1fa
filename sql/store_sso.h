/*
 * Links that sign somebody in once, without a password: a control panel asks for one and sends the browser
 * of its customer there.  What stands in the link is shown once; here only its SHA-256 is kept.
 *
 * A link signs in exactly the user whom its issuer calls so (store_external.h), and only into the account
 * that the issuer calls so.  Nobody is ever found by their e-mail address, moved to another account, or given
 * another role.  A system user's name leads to the account for the uid that used it first, and for no other
 * one that is given the name later (store_external_bind(), store_account_hand_over()).  Errors of sql/db.h
 * are not repeated.
 */
#ifndef MCV_SQL_STORE_SSO_H
#define MCV_SQL_STORE_SSO_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/store_external.h"
#include "sql/store_user.h"
#include "sql/viewer.h"

enum {
	SSO_HASH_BYTES = 32,
	SSO_TTL_S = 60,
	SSO_TTL_MAX_S = 120,
	SSO_RETURN_MAX_BYTES = 1000,
	SSO_USERS_MAX = 1000
};

#define SSO_RETURN_DEFAULT "/migration/jobs"

/* Who asks for a link, and how far they may go. */
struct sso_issuer {
	const char *name;        /* whose external ids are meant; ISSUER_LOCAL has no token */
	uint64_t account_id;     /* users of this account alone; 0: of any */
	bool may_create_account; /* what it calls an account we do not know becomes a new one; not with
				    account_id */
	bool may_give_email;     /* a new user has the address it gives; else one that nobody gets mail at */
	enum role role_max;      /* ROLE_MEMBER: administrators are not signed in */
	uint64_t token_id;       /* the API token; 0: none */
	uint64_t user_id;        /* who acts; 0: the installation itself */
};

struct sso_wish {
	const char *account;      /* external id; NULL or "": the issuer's account_id */
	const char *user;         /* external id */
	const uint32_t *uid;      /* ISSUER_LOCAL: the system user who asks for the account of their own name;
				     NULL: somebody who may name it */
	const char *account_name; /* of a new account; NULL or "": its external id */
	const char *email;        /* of a new user; NULL or "": none; ignored when another user has it */
	enum role role;           /* ROLE_ADMIN: an administrator, else a member is meant */
	const char *return_to;    /* as sso_return_fits(); NULL or "": SSO_RETURN_DEFAULT */
	unsigned ttl_s;           /* 1 to SSO_TTL_MAX_S; 0: SSO_TTL_S */
	const char *support;      /* who signs in in the user's place, cut at 100 characters; NULL or "": the
				     user themselves */
};

/* Why there is no link. */
enum sso_refusal {
	SSO_GRANTED,
	SSO_BAD_ACCOUNT, /* ERR_INVALID: no external id, or none where one is needed */
	SSO_BAD_USER,    /* ERR_INVALID */
	SSO_BAD_EMAIL,   /* ERR_INVALID: given, but no address */
	SSO_BAD_RETURN,  /* ERR_INVALID */
	SSO_BAD_TTL,     /* ERR_INVALID */
	SSO_NO_ACCOUNT,  /* ERR_NOT_FOUND: the issuer calls none so, or one that is not its own to open, and
			    makes none */
	SSO_NAME_OF_ANOTHER,  /* ERR_DENIED: another uid than wish->uid has used the account's name */
	SSO_USER_ELSEWHERE,   /* ERR_DENIED: it calls a user so who belongs to another account */
	SSO_USER_DISABLED,    /* ERR_DENIED */
	SSO_USER_IS_ADMIN,    /* ERR_DENIED: a link for a member would sign in an administrator, or the issuer
				 may    not sign in any */
	SSO_USER_IS_NO_ADMIN, /* ERR_DENIED: a link for an administrator, but they are a member, or not there:
				 links make no administrators */
	SSO_MANY_USERS,       /* ERR_LIMIT: a user would be made, and the account has SSO_USERS_MAX */
	SSO_MAY_NOT           /* ERR_DENIED: who acts is disabled, or no administrator (any more) */
};

/* A sentence for who asked, without a full stop: "there is no such account". */
const char *sso_refusal_text(enum sso_refusal why);

struct sso_issued {
	uint64_t account_id, user_id;
	bool is_new_account, is_new_user;
	int64_t expires_at; /* seconds since 1970 UTC, by the database's clock */
};

/*
 * A path of our pages: "/" or "/migration…", of plain letters, digits and "-._/", without "//", "." or ".."
 * as a part, then perhaps a query or fragment of printable ASCII without backslash.  So it never leads to
 * another site, however a browser reads it.
 */
bool sso_return_fits(const char *path);

/*
 * Make a link, of which hash is kept.  Accounts and users that are not there are made as the issuer may, in
 * the same transaction: users (they can sign in by links alone) as long as the account has not SSO_USERS_MAX
 * (of several at the same moment each may exceed it by one), accounts with may_create_account.  A
 * suspended account's users may sign in: they look and start nothing.  A closed account has no external ids
 * any more: it is never found, and who is called as its customer was gets a new account, if any.
 *
 * *why_r is always set.  ERR_INVALID, ERR_NOT_FOUND, ERR_DENIED and ERR_LIMIT as enum sso_refusal says;
 * nothing is changed then.  ERR_CONFLICT: the hash exists.
 *
 * The caller notes in the audit trail what *issued_r says was made.
 */
enum err store_sso_issue(struct db *db, const struct sso_issuer *by, const struct sso_wish *wish,
    const uint8_t hash[SSO_HASH_BYTES], struct sso_issued *issued_r, enum sso_refusal *why_r) MUST_CHECK;

/* What a link is good for. */
struct sso_link {
	struct user user; /* as store_user_get() */
	const char *issuer;
	uint64_t token_id;         /* the API token it was made with; 0: none */
	const char *return_to;     /* a path of ours */
	const char *panel_origins; /* the account's, as stored; may be NULL */
	const char *support;       /* who signs in in the user's place; NULL: the user */
};

/*
 * Look at a link without using it up.  ERR_NOT_FOUND, whatever is wrong: there is none, it was used, its time
 * (by the database's clock) is over; its user is disabled, has another role now, or their account is closed;
 * the token it was made with is revoked or expired, or whose token it is may not sign anybody in any more.
 */
enum err store_sso_get(
    struct db *db, struct arena *a, const uint8_t hash[SSO_HASH_BYTES], struct sso_link *link_r) MUST_CHECK;

/*
 * Use it up: of two at the same moment, one gets ERR_OK.  ERR_NOT_FOUND as above; what is wrong then stays
 * so, since a link is used up by whoever tries it.  ERR_UNCERTAIN: it may be used up.
 */
enum err store_sso_use(
    struct db *db, struct arena *a, const uint8_t hash[SSO_HASH_BYTES], struct sso_link *link_r) MUST_CHECK;

/* Remove those whose time is over, at most 500. */
enum err store_sso_purge(struct db *db) MUST_CHECK;

#endif
