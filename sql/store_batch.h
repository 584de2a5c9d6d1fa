/*
 * Batches: the tag that jobs of one import share, unique in its account whatever the case of its letters.  A
 * batch never changes and is never deleted; its jobs are, and reruns join it.  Errors of sql/db.h are not
 * repeated.
 */
#ifndef MCV_SQL_STORE_BATCH_H
#define MCV_SQL_STORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/viewer.h"

enum { BATCH_TAG_MAX_CHARS = 64, BATCH_PAGE_MAX = 200 };

struct batch {
	uint64_t id;
	uint64_t account_id;
	const char *account_name;
	const char *tag;
	uint64_t created_by; /* 0: the user is gone */
	const char *created_by_email;
	int64_t created_at;  /* seconds since 1970 UTC */
	const char *options; /* what was asked of all jobs it began with (lib/joboptions.h); NULL: nothing */
};

/* Whether tag has 1 to BATCH_TAG_MAX_CHARS of the letters A to Z and a to z, digits, '-', '_', '.' and inner
 * single blanks. */
bool batch_tag_fits(const char *tag);

/*
 * A new batch in the viewer's account.  May stand inside a transaction of the caller's, which is then the
 * caller's to roll back on any error.  ERR_INVALID: not a tag; ERR_CONFLICT: the account has one of this
 * name.
 */
enum err store_batch_create(
    struct db *db, const struct viewer *v, const char *tag, uint64_t *id_r) MUST_CHECK;

/*
 * The same with options (as in struct batch), and for who may ask twice.  request_key
 * (JOB_REQUEST_KEY_BYTES; NULL: none) is the batch's for good: ERR_CONFLICT also where the account has a
 * batch with it.
 */
enum err store_batch_create_once(struct db *db, const struct viewer *v, const char *tag, const char *options,
    const uint8_t *request_key, uint64_t *id_r) MUST_CHECK;

/* The batch that was made with that key in the viewer's own account.  ERR_NOT_FOUND. */
enum err store_batch_by_key(
    struct db *db, const struct viewer *v, const uint8_t *request_key, uint64_t *id_r) MUST_CHECK;

/* Its jobs but reruns, in the order they were made.  Of none that the viewer sees: none. */
enum err store_batch_jobs(struct db *db, struct arena *a, const struct viewer *v, uint64_t id,
    uint64_t **ids_r, size_t *count_r) MUST_CHECK;

/* The batch of that tag in the viewer's own account.  ERR_NOT_FOUND. */
enum err store_batch_find(struct db *db, const struct viewer *v, const char *tag, uint64_t *id_r) MUST_CHECK;

/* ERR_NOT_FOUND. */
enum err store_batch_get(
    struct db *db, struct arena *a, const struct viewer *v, uint64_t id, struct batch *batch_r) MUST_CHECK;

/*
 * Those the viewer sees, newest first: at most limit (1 to BATCH_PAGE_MAX) with ids below before (0: from the
 * newest on), of that tag alone (NULL: any; one an account).  *more_r: there are older ones; ask again with
 * the last one's id.
 */
enum err store_batch_list(struct db *db, struct arena *a, const struct viewer *v, const char *tag,
    uint64_t before, unsigned limit, struct batch **list_r, size_t *count_r, bool *more_r) MUST_CHECK;

#endif
