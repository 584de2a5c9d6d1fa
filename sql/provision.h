/*
 * Making the database and its users, as MariaDB's administrator; once, by mailconvoyctl setup.
 */
#ifndef MCV_SQL_PROVISION_H
#define MCV_SQL_PROVISION_H

#include <stdbool.h>

#include "lib/err.h"
#include "sql/db.h"

/*
 * Create database name (utf8mb4) if it is not there.  name: letters, digits and "_", 64 at most.  ERR_OK,
 * ERR_INVALID, and those of sql/db.h.
 */
enum err provision_database(struct db *db, const char *name) MUST_CHECK;

/*
 * Create the two users (unix_socket authentication, on localhost) if they are not there, and give each what
 * it needs in database name, which must be migrated: the web cannot change the schema, its trail (audit,
 * job_event) or permits (run_slot), remove users and accounts, or move a user to another account or address;
 * the worker cannot read the users' password hashes or sessions.  What else they hold that reaches into that
 * database (of earlier versions, by hand, in all databases, through roles), and the right to pass anything
 * on, is revoked. ERR_OK, ERR_INVALID, and those of sql/db.h.
 */
enum err provision_users(
    struct db *db, const char *name, const char *web_user, const char *worker_user) MUST_CHECK;

/*
 * Whether user (of the web, or of the worker) has exactly the grants provision_users() gives in this version.
 * For MariaDB's administrator: others see their own grants only.  ERR_OK; ERR_NOT_FOUND: one is missing;
 * ERR_CONFLICT: it has more; and those of sql/db.h.
 */
enum err provision_check(struct db *db, const char *name, const char *user, bool is_web) MUST_CHECK;

/* Whether nobody at all gets into database name by what is granted to PUBLIC (MariaDB 10.11 and later), which
 * is not setup's to revoke.  ERR_OK; ERR_CONFLICT; and those of sql/db.h. */
enum err provision_check_public(struct db *db, const char *name) MUST_CHECK;

#endif
