/*
 * Accounts: the customers, and what an administrator allows them.  Functions with a viewer are for
 * administrators: they ask the database, in the same transaction, whether the viewer is one, and return
 * ERR_DENIED when not (sql/admin.h).  Those without are for the command line and for tests.  Errors of
 * sql/db.h are not repeated.
 */
#ifndef MCV_SQL_STORE_ACCOUNT_H
#define MCV_SQL_STORE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/store_external.h"
#include "sql/viewer.h"

struct account {
	uint64_t id;
	const char *name;
	const char *external_ids;  /* what issuers call it, a line each: "whmcs whmcs-7"; NULL: nothing */
	const char *panel_origins; /* that may frame its pages, blanks between; may be NULL */
	const char *notify_email;  /* where mails about its jobs go; NULL: to each job's owner */
	int64_t suspended_at; /* seconds since 1970 UTC, 0 = not: its users look and start nothing, its jobs
				 wait */
	int64_t closed_at;    /* 0 = not: suspended for good */
	int64_t created_at;
	int64_t max_running;           /* jobs running at once; 0 = no limit */
	int64_t max_queued, max_daily; /* jobs waiting at once, jobs made in a day (UTC); -1 = no limit */
	bool may_delete2;    /* whether its jobs may delete on a destination (sql/store_delete2.h) */
	uint64_t made_today; /* counted only while there is a limit */
	uint64_t users, queued, running; /* set by store_account_list() and store_account_get() */
};

enum { ACCOUNT_HOSTS_MAX = 50, ACCOUNT_LIMIT_MAX = 1000000 };

struct account_fields {
	const char *name; /* 1 to 100 characters, unique */
	/*
	 * What issuers call it: of issuer alone (external_id NULL or "": nothing); or, issuer NULL, of all of
	 * them, as externals says.  With neither they stay as they are.
	 */
	const char *issuer, *external_id;
	const struct external *externals;
	size_t external_count;
	int64_t max_running;           /* 1 to ACCOUNT_LIMIT_MAX; 0 = no limit */
	int64_t max_queued, max_daily; /* 0 to ACCOUNT_LIMIT_MAX; -1 = no limit */
	const bool *may_delete2;       /* NULL: as it is, which with a new one is: it may not */
	const char *const *hosts;      /* names or "*.domain" it may copy to */
	size_t host_count;             /* 0: anywhere; at most ACCOUNT_HOSTS_MAX */
	const char *panel_origins;     /* as origin_list_add() makes them; NULL or "": none */
	const char *notify_email;      /* parse_is_email(); NULL or "": none */
	const char *if_version;        /* for a change: NULL, or version_fits()'s wanted */
};

/* name: 1 to 100 characters, unique.  ERR_CONFLICT: it is taken. */
enum err store_account_create(struct db *db, const char *name, uint64_t *id_r) MUST_CHECK;

/* ERR_NOT_FOUND. */
enum err store_account_get(struct db *db, struct arena *a, uint64_t id, struct account *account_r) MUST_CHECK;
enum err store_account_by_name(
    struct db *db, struct arena *a, const char *name, struct account *account_r) MUST_CHECK;

/* What issuer calls so; never a closed one. */
enum err store_account_by_external(struct db *db, struct arena *a, const char *issuer,
    const char *external_id, struct account *account_r) MUST_CHECK;

/* All, by name. */
enum err store_account_list(
    struct db *db, struct arena *a, struct account **list_r, size_t *count_r) MUST_CHECK;

/*
 * Suspend or resume.  Suspended, its queued jobs wait, and those that run are asked to stop in the same
 * transaction.  ERR_NOT_FOUND, also when a closed one is to be resumed; ERR_CONFLICT: it is the viewer's own.
 */
enum err store_account_suspend(struct db *db, const struct viewer *v, uint64_t id, bool suspended) MUST_CHECK;

/*
 * Close for good, as when a customer has left; again changes nothing.  In one transaction it is suspended,
 * what waits is cancelled, what runs is asked to stop, its users are disabled and signed out and their
 * addresses free for others, its tokens and links end, the stored passwords of its ended jobs are removed.
 * Its external ids and its users' are free, so that who is given such a name next does not come upon what
 * was the former one's.
 * Jobs and logs stay for administrators. ERR_NOT_FOUND; ERR_CONFLICT: it is the viewer's own, or the last
 * administrator belongs to it.
 */
enum err store_account_close(struct db *db, const struct viewer *v, uint64_t id) MUST_CHECK;

/*
 * Let another system user have it: the uid that used its ISSUER_LOCAL name is forgotten, so that the next one
 * of that name gets it, with all that is in it.  Its users are signed out, and links that would sign them in
 * end; their passwords and tokens stay.  *uid_r: whose it was; -1: nobody's yet.  ERR_NOT_FOUND, also when it
 * is closed or this machine has no name for it.
 */
enum err store_account_hand_over(
    struct db *db, const struct viewer *v, uint64_t id, int64_t *uid_r) MUST_CHECK;

/*
 * Make an account (*id 0, then set) or change one.  ERR_INVALID: a field out of range.  ERR_CONFLICT: name or
 * an external id taken.  ERR_STALE: it is not f->if_version any more.  ERR_NOT_FOUND, also when it is closed.
 */
enum err store_account_save(
    struct db *db, const struct viewer *v, uint64_t *id, const struct account_fields *f) MUST_CHECK;

/* Of what store_account_save() changes, hosts included. */
enum err store_account_version(
    struct db *db, struct arena *a, const struct account *account, const char **version_r) MUST_CHECK;

/* Where its jobs may copy to, in alphabetical order; none: anywhere.  Not for administrators alone: what
 * stands in an account's way is its own to know. */
enum err store_account_hosts(
    struct db *db, struct arena *a, uint64_t id, const char *const **list_r, size_t *count_r) MUST_CHECK;

#endif
