/*
 * One transaction, whole or not at all, and small helpers every store shares.  For the stores alone.
 */
#ifndef MCV_SQL_TX_H
#define MCV_SQL_TX_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/job.h"
#include "sql/viewer.h"

/*
 * Begin, run body, commit; roll back when body fails.  When the database says ERR_BUSY (a deadlock or a lock
 * wait) all of it is tried again up to TX_TRIES times after a few random milliseconds, so body must set its
 * results anew each time.
 */
enum { TX_TRIES = 6 };
enum err tx_run(struct db *db, enum err (*body)(struct db *db, void *ctx), void *ctx) MUST_CHECK;

/* A condition that scopes a row with account_id to the viewer, and its parameters. */
#define SCOPE "(? = 1 OR account_id = ?)"
#define SCOPE_ARGS(v) db_p_u64(viewer_is_admin(v)), db_p_u64((v)->account_id)

/* Whether s is UTF-8 of min to max characters without control and hidden ones.  NULL fits when min is 0. */
bool text_fits(const char *s, size_t min, size_t max);

/* s, cut to max characters, what is not UTF-8 and every control or hidden character replaced by "?"; NULL
 * stays NULL. */
const char *text_clean(struct arena *a, const char *s, size_t max);

/* A statement put together from fixed pieces. */
struct query {
	struct buf sql;
	struct db_param params[300];
	size_t count;
};
#define QUERY_INIT \
	{ \
		.sql = BUF_INIT \
	}
#define AUTO_QUERY __attribute__((cleanup(query_free)))
void query_free(struct query *q);
void query_add(struct query *q, const char *sql);
/* Adds sql and the value of its one ?. */
void query_add_p(struct query *q, const char *sql, struct db_param p);
/* Adds "(?, ?, …)" for n values of a list, n > 0. */
void query_add_ids(struct query *q, const uint64_t *ids, size_t n);

/* Write a job_event; account and job from the job's row, which must exist.  from, to: enum job_state or -1.
 */
struct event {
	uint64_t job_id;
	const char *kind;
	int from, to;
	uint64_t user_id, worker_id; /* 0: none */
	const char *detail;          /* NULL: none */
};
enum err event_add(struct db *db, const struct event *ev) MUST_CHECK;

#endif
