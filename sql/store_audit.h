/*
 * The audit trail: who did what, append-only.  Nothing secret goes in.  Errors of sql/db.h are not repeated.
 */
#ifndef MCV_SQL_STORE_AUDIT_H
#define MCV_SQL_STORE_AUDIT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/viewer.h"

struct audit {
	uint64_t id;
	int64_t at;                       /* seconds since 1970 UTC; set by the database */
	uint64_t account_id;              /* 0: none */
	uint64_t user_id;                 /* 0: nobody signed in, or the command line */
	uint64_t token_id;                /* the API token it was done with; 0: none */
	const char *support;              /* who did it in the user's place; NULL: the user */
	const char *account_name, *email; /* set by store_audit_list(); NULL: none, or gone */
	const char *address;              /* where from; may be NULL */
	const char *action;               /* "login", "login_refused", "job_delete": at most 40 characters */
	const char *object;               /* "job 17"; may be NULL; cut at 100 characters */
	const char *detail;               /* may be NULL; cut at 1000 characters */
};

/* id and at of entry are ignored. */
enum err store_audit_add(struct db *db, const struct audit *entry) MUST_CHECK;

/* What to list.  All zero: everything. */
struct audit_filter {
	uint64_t account_id, user_id; /* 0: any */
	const char *action;           /* exactly; NULL or "": any */
	const char *object;           /* exactly, as "job 17"; NULL or "": any */
	const char *email;            /* of who did it, exactly; NULL or "": any */
	const char *address;          /* where from, exactly; NULL or "": any */
	int64_t from_s, until_s;      /* at or after, before: seconds since 1970 UTC; 0: any */
	uint64_t before;              /* only older than this id; 0: from the newest */
};
enum { AUDIT_PAGE_MAX = 500 };

/* Newest first, of the viewer's account (an admin: all), at most limit (1 to AUDIT_PAGE_MAX). */
enum err store_audit_list(struct db *db, struct arena *a, const struct viewer *v,
    const struct audit_filter *f, unsigned limit, struct audit **list_r, size_t *count_r) MUST_CHECK;

#endif
