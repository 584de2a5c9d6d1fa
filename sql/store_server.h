/*
 * IMAP servers: connection details, never credentials.  A server belongs to one account, or is shared
 * (account_id 0) by an admin to all.  A viewer sees their account's servers and the shared ones; an admin
 * sees all.  Errors of sql/db.h are not repeated.
 */
#ifndef MCV_SQL_STORE_SERVER_H
#define MCV_SQL_STORE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/job.h"
#include "sql/viewer.h"

struct server {
	uint64_t id;
	uint64_t account_id; /* 0: shared */
	const char *name;    /* 1 to 100 characters, unique within its account (or among the shared) */
	const char *host;    /* 1 to 253 characters */
	unsigned port;       /* 1 to 65535 */
	enum security security;
	bool verify;
	bool can_edit;        /* by the viewer it was read for */
	uint64_t jobs_active; /* queued and running jobs that use it, of the accounts the viewer sees */
	int64_t created_at, updated_at;
	const char *version; /* sql/version.h */
};

/* What a form gives. */
struct server_fields {
	const char *name;
	const char *host;
	unsigned port;
	enum security security;
	bool verify;
	bool shared;            /* admins only */
	const char *if_version; /* for a change: NULL, or version_fits()'s wanted */
};

/* All the viewer sees, by name. */
enum err store_server_list(struct db *db, struct arena *a, const struct viewer *v, struct server **list_r,
    size_t *count_r) MUST_CHECK;

/* ERR_NOT_FOUND. */
enum err store_server_get(
    struct db *db, struct arena *a, const struct viewer *v, uint64_t id, struct server *server_r) MUST_CHECK;

/* ERR_CONFLICT: the name is taken.  ERR_DENIED: shared, and the viewer is no admin.  ERR_INVALID: out of
 * range. */
enum err store_server_create(
    struct db *db, const struct viewer *v, const struct server_fields *f, uint64_t *id_r) MUST_CHECK;

/*
 * Replaces all fields.  Queued jobs take the new details when they start.  ERR_NOT_FOUND; ERR_DENIED: seen by
 * the viewer, but shared and the viewer is no admin, or to be made shared by a member; ERR_CONFLICT: the name
 * is taken; ERR_STALE: it is not f->if_version any more; ERR_INVALID.
 */
enum err store_server_update(
    struct db *db, const struct viewer *v, uint64_t id, const struct server_fields *f) MUST_CHECK;

/*
 * Ended jobs keep their copy of the details and lose the link.  ERR_NOT_FOUND; ERR_DENIED and, of if_version,
 * ERR_STALE as above; ERR_CONFLICT: *queued_r and *running_r jobs (of all accounts; set in every case, may be
 * 0) still use it.
 */
enum err store_server_delete(struct db *db, const struct viewer *v, uint64_t id, const char *if_version,
    uint64_t *queued_r, uint64_t *running_r) MUST_CHECK;

#endif
