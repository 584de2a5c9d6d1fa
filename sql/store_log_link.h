/*
 * Links to one job's log, for people who have no account here.  What a link says is signed with a key that
 * all web processes share; its row here is there to end it, and goes with the job.  Errors of sql/db.h are
 * not repeated.
 */
#ifndef MCV_SQL_STORE_LOG_LINK_H
#define MCV_SQL_STORE_LOG_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/viewer.h"

enum { LOG_LINK_DAYS = 7, LOG_LINK_DAYS_MAX = 90 };

struct log_link {
	uint64_t id, job_id;
	uint64_t account_id; /* of the job */
	int64_t created_at,
	    expires_at;    /* seconds since 1970 UTC; the second is whole, so that it can be signed */
	const char *email; /* who made it; NULL: gone */
};

/* For days (1 to LOG_LINK_DAYS_MAX).  ERR_NOT_FOUND: no such job; ERR_INVALID. */
enum err store_log_link_create(struct db *db, struct arena *a, const struct viewer *v, uint64_t job_id,
    unsigned days, struct log_link *link_r) MUST_CHECK;

/* Those of a job that work, newest first, at most 100.  ERR_NOT_FOUND: no such job. */
enum err store_log_link_list(struct db *db, struct arena *a, const struct viewer *v, uint64_t job_id,
    struct log_link **list_r, size_t *count_r) MUST_CHECK;

/* It works no more.  *job_id_r: whose it was.  ERR_NOT_FOUND: none of the viewer's, or revoked before. */
enum err store_log_link_revoke(
    struct db *db, const struct viewer *v, uint64_t id, uint64_t *job_id_r) MUST_CHECK;

/* The link of that id, if it works, whoever asks: its signature is still to be checked.  ERR_NOT_FOUND. */
enum err store_log_link_find(struct db *db, struct arena *a, uint64_t id, struct log_link *link_r) MUST_CHECK;

/*
 * The one that mails about this job carry, as long as it works for LOG_LINK_DAYS - 1 days at least, else a
 * new one; nobody made it.  For the notifier.  ERR_NOT_FOUND: no such job.
 */
enum err store_log_link_for_mail(
    struct db *db, struct arena *a, uint64_t job_id, struct log_link *link_r) MUST_CHECK;

/* What stands in the address behind LOG_LINK_PATH "/": its number, and a signature over number, job and end.
 * In a, which should be a clean one: it opens the log. */
#define LOG_LINK_PATH "/log"
enum err store_log_link_token(
    struct db *db, struct arena *a, const struct log_link *link, const char **token_r) MUST_CHECK;

#endif
