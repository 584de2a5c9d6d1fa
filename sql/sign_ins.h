/*
 * Whatever lets a user go on as signed in, or sign in by what they hold already: sessions, tickets that wait
 * for a second factor, links of control panels.  For the stores alone, inside the transaction of whatever
 * ends them. Links that set a password are user_links.h's.
 */
#ifndef MCV_SQL_SIGN_INS_H
#define MCV_SQL_SIGN_INS_H

#include <stdint.h>

#include "lib/err.h"
#include "sql/db.h"

/* The end of those of one user.  Errors of sql/db.h. */
enum err sign_ins_end(struct db *db, uint64_t user_id) MUST_CHECK;

/* Of everybody who belongs to the account. */
enum err sign_ins_end_account(struct db *db, uint64_t account_id) MUST_CHECK;

#endif
