/* What the outbox tells: of a mail, for the pages; of a batch, for its summary. */
#include "sql/store_outbox.h"

#include <string.h>

#include "sql/job_filter.h"
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
	};
	return ERR_OK;
}

#define STATUS \
	"SELECT n.state, (SELECT u.email FROM user u WHERE u.id = n.user_id), n.attempts, n.next_at, " \
	"n.sent_at," \
	" n.last_error FROM notification n WHERE "

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

#define OF_BATCH " FROM job j WHERE j.batch_id = ? AND " JOB_IS_LATEST

static enum err read_causes(struct db *db, struct arena *a, uint64_t batch_id, struct outbox_summary *s)
{
	struct db_rows rows;
	enum err e = db_query(db, a,
	    "SELECT MIN(j.reason_text), MIN(j.reason_action), COUNT(*)" OF_BATCH
	    " AND j.state IN ('failed', 'interrupted') GROUP BY j.reason ORDER BY COUNT(*) DESC, j.reason "
	    "LIMIT ?",
	    DB_ARGS(db_p_u64(batch_id), db_p_u64(OUTBOX_CAUSES_MAX)), &rows);

	if (e != ERR_OK)
		return e;
	s->causes = arena_array(a, rows.count, sizeof(*s->causes));
	s->cause_count = rows.count;
	for (size_t i = 0; i < rows.count; i++)
		s->causes[i] = (struct outbox_cause){
		    .text = db_str(&rows, i, 0), .action = db_str(&rows, i, 1), .count = db_u64(&rows, i, 2)};
	return ERR_OK;
}

enum err store_outbox_summary(
    struct db *db, struct arena *a, uint64_t batch_id, struct outbox_summary *summary_r)
{
	struct outbox_summary s = {0};
	struct db_rows rows;
	enum err e =
	    db_query_one(db, a, "SELECT tag FROM batch WHERE id = ?", DB_ARGS(db_p_u64(batch_id)), &rows);

	if (e != ERR_OK)
		return e;
	s.tag = db_str(&rows, 0, 0);
	e = db_query(db, a,
	    "SELECT j.state, COUNT(*), SUM(j.dry_run), SUM(IF(j.dry_run, 0, COALESCE(j.messages_copied, 0))),"
	    " SUM(IF(j.dry_run, 0, COALESCE(j.bytes_copied, 0))),"
	    " SUM(IF(j.dry_run, COALESCE(j.messages_to_copy, j.messages_total, 0), 0))" OF_BATCH
	    " GROUP BY j.state",
	    DB_ARGS(db_p_u64(batch_id)), &rows);
	for (size_t i = 0; e == ERR_OK && i < rows.count; i++) {
		enum job_state state;

		e = job_state_parse(db_str(&rows, i, 0), &state);
		if (e != ERR_OK)
			return ERR_INTERNAL;
		s.states[state] = db_u64(&rows, i, 1);
		s.jobs += s.states[state];
		s.dry_jobs += db_u64(&rows, i, 2);
		s.messages_copied += db_i64(&rows, i, 3);
		s.bytes_copied += db_i64(&rows, i, 4);
		s.messages_to_copy += db_i64(&rows, i, 5);
	}
	if (e == ERR_OK)
		e = read_causes(db, a, batch_id, &s);
	if (e == ERR_OK)
		*summary_r = s;
	return e;
}
