/*
 * Accounts: the customers.  Only the installation itself (command line, API of the panel) manages them, so
 * there is no viewer here; the web does not include this file.  Errors of sql/db.h are not repeated.
 */
#ifndef MCV_SQL_STORE_ACCOUNT_H
#define MCV_SQL_STORE_ACCOUNT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"

struct account {
	uint64_t id;
	const char *name;
	const char *external_id; /* the panel's name for it; may be NULL */
	int64_t suspended_at; /* seconds since 1970 UTC, 0 = not: its users look and start nothing, its jobs
				 wait */
	int64_t created_at;
};

/* name: 1 to 100 characters, unique.  external_id may be NULL.  ERR_CONFLICT: name or external_id taken. */
enum err store_account_create(
    struct db *db, const char *name, const char *external_id, uint64_t *id_r) MUST_CHECK;

/* ERR_NOT_FOUND. */
enum err store_account_get(struct db *db, struct arena *a, uint64_t id, struct account *account_r) MUST_CHECK;
enum err store_account_by_name(
    struct db *db, struct arena *a, const char *name, struct account *account_r) MUST_CHECK;

/* All, by name. */
enum err store_account_list(
    struct db *db, struct arena *a, struct account **list_r, size_t *count_r) MUST_CHECK;

/*
 * Suspend or resume.  Suspended, its queued jobs wait, and those that run are asked to stop in the same
 * transaction, by user_id (0: the command line).  ERR_NOT_FOUND.
 */
enum err store_account_suspend(struct db *db, uint64_t id, bool suspended, uint64_t user_id) MUST_CHECK;

#endif
