/* How a mail stands, for the pages. */
#include "sql/store_outbox.h"

#include <string.h>

#include "sql/outbox_sql.h"
#include "sql/tx.h"

static enum err read_status(const struct db_rows *rows, struct outbox_status *status_r)
{
	static const char *const states[] = {"waiting", "sending", "sent", "suppressed", "failed"};
	const char *state = db_str(rows, 0, 0);
	size_t i = 0;

	while (i < sizeof(states) / sizeof(states[0]) && strcmp(states[i], state) != 0)
		i++;
	if (i == sizeof(states) / sizeof(states[0]))
		return ERR_INTERNAL;
	*status_r = (struct outbox_status){
	    .state = (enum outbox_state)i,
	    .to = db_str(rows, 0, 1),
	    .attempts = (unsigned)db_u64(rows, 0, 2),
	    .next_at = db_time_s(rows, 0, 3),
	    .sent_at = db_time_s(rows, 0, 4),
	    .last_error = db_str(rows, 0, 5),
	    .is_held = db_i64(rows, 0, 6) != 0,
	};
	return ERR_OK;
}

#define OF_N \
	" FROM user u JOIN account o ON o.id = u.account_id JOIN account a ON a.id = n.account_id " \
	"WHERE u.id = n.user_id"

/* Of what is over, whom it was for then: the account's address may be another since. */
#define STATUS \
	"SELECT n.state, CASE WHEN n.state IN ('sent', 'failed') AND n.last_to IS NOT NULL THEN n.last_to" \
	" WHEN n.state = 'suppressed' THEN (SELECT u.email FROM user u WHERE u.id = n.user_id)" \
	" ELSE (SELECT " OUTBOX_TO_OF_N OF_N ") END, n.attempts, n.next_at, n.sent_at, n.last_error," \
	" (SELECT u.disabled_at IS NOT NULL OR o.suspended_at IS NOT NULL OR NOT " OUTBOX_IS_REAL OF_N ")" \
	" FROM notification n WHERE "

enum err store_outbox_of_job(
    struct db *db, struct arena *a, const struct viewer *v, uint64_t job_id, struct outbox_status *status_r)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a, STATUS "n.job_id = ? AND " SCOPE " ORDER BY n.id DESC LIMIT 1",
	    DB_ARGS(db_p_u64(job_id), SCOPE_ARGS(v)), &rows);

	return e == ERR_OK ? read_status(&rows, status_r) : e;
}

enum err store_outbox_of_batch(
    struct db *db, struct arena *a, const struct viewer *v, uint64_t batch_id, struct outbox_status *status_r)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a, STATUS "n.batch_id = ? AND " SCOPE " ORDER BY n.id DESC LIMIT 1",
	    DB_ARGS(db_p_u64(batch_id), SCOPE_ARGS(v)), &rows);

	return e == ERR_OK ? read_status(&rows, status_r) : e;
}

enum err store_outbox_of_user(
    struct db *db, struct arena *a, const struct viewer *v, uint64_t user_id, struct outbox_status *status_r)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    STATUS "n.user_id = ? AND n.kind = 'invite' AND " SCOPE " ORDER BY n.id DESC LIMIT 1",
	    DB_ARGS(db_p_u64(user_id), SCOPE_ARGS(v)), &rows);

	if (e == ERR_OK)
		e = read_status(&rows, status_r);
	if (e == ERR_OK)
		status_r->is_held = false; /* it is refused instead */
	return e;
}
