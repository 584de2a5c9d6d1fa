/*
 * Who failed too often: login attempts by address and by user, codes of a second factor by user, connection
 * tests by account, requests by API token, mails with a link by user.  Keys are kept hashed; upper and lower
 * case are the same key, folded as the database folds the address of a user (sql/store_user.h).  Counting is
 * one atomic statement, so that parallel attempts count each. Errors of sql/db.h are not repeated.
 */
#ifndef MCV_SQL_STORE_THROTTLE_H
#define MCV_SQL_STORE_THROTTLE_H

#include <stdint.h>

#include "lib/err.h"
#include "sql/db.h"

enum throttle_kind {
	THROTTLE_LOGIN_ADDRESS = 1,
	THROTTLE_LOGIN_USER,
	THROTTLE_PROBE,
	THROTTLE_API,
	THROTTLE_CODE,
	THROTTLE_LINK_MAIL
};

struct throttle_rule {
	unsigned window_s;     /* failures are counted from the first one for this long */
	unsigned failures_max; /* the failure that reaches this number blocks */
	unsigned block_s;      /* for so long */
};

/* *wait_s_r: 0 = go ahead, else seconds until the block ends. */
enum err store_throttle_check(
    struct db *db, enum throttle_kind kind, const char *key, unsigned *wait_s_r) MUST_CHECK;

/* Count one failure (or one use, where uses are limited).  *wait_s_r as above, after counting; may be NULL.
 */
enum err store_throttle_count(struct db *db, enum throttle_kind kind, const char *key,
    const struct throttle_rule *rule, unsigned *wait_s_r) MUST_CHECK;

/* Forget, after a success. */
enum err store_throttle_reset(struct db *db, enum throttle_kind kind, const char *key) MUST_CHECK;

/* Remove rows no rule can need any more (older than a day; at most 500 a call). */
enum err store_throttle_purge(struct db *db) MUST_CHECK;

#endif
