/*
 * One-time links by which people choose their passwords: made and ended, with the mails that would bring
 * some. For the stores alone, inside the transaction of whatever makes or ends them.
 */
#ifndef MCV_SQL_USER_LINKS_H
#define MCV_SQL_USER_LINKS_H

#include <stdint.h>

#include "lib/err.h"
#include "sql/db.h"

enum { USER_LINK_HASH_BYTES = 32, USER_LINK_S = 3 * 86400 };

/* A link of which id_hash is kept; whoever makes one ends those before it.  created_by: 0: nobody who is
 * there. */
enum err user_links_add(struct db *db, uint64_t user_id, uint64_t created_by,
    const uint8_t id_hash[USER_LINK_HASH_BYTES]) MUST_CHECK;

/* The end of those of one user.  why: what became of mails that were not sent yet, a clause for the user's
 * page. */
enum err user_links_end(struct db *db, uint64_t user_id, const char *why) MUST_CHECK;

/* Only the mails of one user, of which no link is made any more: what was made stays. */
enum err user_links_end_mails(struct db *db, uint64_t user_id, const char *why) MUST_CHECK;

/* Of everybody who belongs to the account. */
enum err user_links_end_account(struct db *db, uint64_t account_id, const char *why) MUST_CHECK;

#endif
