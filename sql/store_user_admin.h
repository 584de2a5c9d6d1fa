/*
 * What administrators do with users, and the one-time links by which people choose their passwords.  Each
 * function with a viewer asks the database, in the same transaction, whether the viewer is an administrator,
 * and returns ERR_DENIED when not (sql/admin.h): no member ever raises a role.  Errors of sql/db.h are not
 * repeated.
 */
#ifndef MCV_SQL_STORE_USER_ADMIN_H
#define MCV_SQL_STORE_USER_ADMIN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/store_user.h"
#include "sql/user_links.h"
#include "sql/viewer.h"

/* Where a link leads: base_url, this, "/" and its token. */
#define USER_LINK_PATH "/welcome"

/* What stands for a password until its owner has chosen one: no password has it. */
#define USER_NO_PASSWORD "!"

/*
 * A user who cannot sign in until they have used a link.  ERR_INVALID: no e-mail address; ERR_CONFLICT: it is
 * taken; ERR_NOT_FOUND: there is no such account, or it is closed.
 */
enum err store_user_invite(struct db *db, const struct viewer *v, uint64_t account_id, const char *email,
    enum role role, uint64_t *id_r) MUST_CHECK;

/* Each ends the user's sessions, sign-ins that wait for a code, links, and mails that would bring one, in the
 * same transaction.  ERR_NOT_FOUND; ERR_CONFLICT: it would lock out the viewer, or leave nobody to
 * administer; ERR_INVALID: nobody is let into an account that is closed. */
enum err store_user_set_role(struct db *db, const struct viewer *v, uint64_t id, enum role role) MUST_CHECK;
enum err store_user_admit(struct db *db, const struct viewer *v, uint64_t id, bool disabled) MUST_CHECK;
/* Ends the user's sessions, sign-ins that wait for a code, and links of control panels.  Of everybody, the
 * viewer too.  ERR_NOT_FOUND. */
enum err store_user_sign_out(struct db *db, const struct viewer *v, uint64_t id) MUST_CHECK;

/* A new link for the user, of which id_hash is kept; older ones of theirs end, and mails that would
 * bring one.  ERR_NOT_FOUND. */
enum err store_user_link_create(struct db *db, const struct viewer *v, uint64_t user_id,
    const uint8_t id_hash[USER_LINK_HASH_BYTES]) MUST_CHECK;

/* Whose link it is.  ERR_NOT_FOUND: there is none, it was used or is too old, or the user is disabled or has
 * got a password otherwise since. */
enum err store_user_link_get(struct db *db, struct arena *a, const uint8_t id_hash[USER_LINK_HASH_BYTES],
    struct user *user_r) MUST_CHECK;

/* Remove those that are too old, at most 500. */
enum err store_user_link_purge(struct db *db) MUST_CHECK;

/* Use it up: the user has this password from now on, and no session.  ERR_NOT_FOUND as above. */
enum err store_user_link_use(
    struct db *db, const uint8_t id_hash[USER_LINK_HASH_BYTES], const char *password_hash) MUST_CHECK;

#endif
