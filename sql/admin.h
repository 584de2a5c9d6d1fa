/*
 * Whether the viewer is an administrator, by what the database says now: a session that was read a moment ago
 * may have been an administrator's then.  For the stores that make and change accounts, users and tokens.
 */
#ifndef MCV_SQL_ADMIN_H
#define MCV_SQL_ADMIN_H

#include "lib/err.h"
#include "sql/db.h"
#include "sql/viewer.h"

/*
 * ERR_OK: an active administrator, or the installation itself (an admin viewer with user_id 0).  ERR_DENIED.
 */
enum err admin_check(struct db *db, const struct viewer *v) MUST_CHECK;

#endif
