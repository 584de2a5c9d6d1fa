#include "sql/store_batch_view.h"

#include <string.h>

#include "sql/job_filter.h"
#include "sql/job_row.h"
#include "sql/tx.h"

/* "FROM job j" of one batch, as far as the viewer sees it; parameters: BATCH_ARGS. */
#define OF_BATCH "FROM job j WHERE j.batch_id = ? AND (? = 1 OR j.account_id = ?) "
#define BATCH_ARGS(id, v) db_p_u64(id), SCOPE_ARGS(v)

/* A good run leaves its mailbox in one of two ways: ready for the real one, or moved. */
static enum err add_last_runs(
    struct db *db, struct arena *a, const struct viewer *v, uint64_t id, struct batch_summary *s)
{
	struct db_rows rows;
	enum err e = db_query(db, a,
	    "SELECT j.state, j.dry_run, COUNT(*), SUM(j.messages_total), SUM(j.bytes_total),"
	    " SUM(j.messages_to_copy), SUM(j.messages_skipped), SUM(j.messages_failed),"
	    " SUM(j.verify_messages), SUM(j.verified_messages), SUM(j.verify_missing), SUM(j.verify_altered),"
	    " SUM(j.verify_doubled), SUM(j.verify_state <=> 'verified' OR j.verify_state <=> 'faults'),"
	    " SUM(j.verify_state <=> 'unverified') " OF_BATCH "AND " JOB_IS_LATEST
	    " GROUP BY j.state, j.dry_run",
	    DB_ARGS(BATCH_ARGS(id, v)), &rows);

	for (size_t i = 0; e == ERR_OK && i < rows.count; i++) {
		bool is_dry = db_u64(&rows, i, 1) != 0;
		uint64_t count = db_u64(&rows, i, 2);
		enum job_state state;

		if (job_state_parse(db_str(&rows, i, 0), &state) != ERR_OK)
			return ERR_INTERNAL;
		s->mailboxes += count;
		s->states[state] += count;
		if (state == JOB_DONE)
			*(is_dry ? &s->dry_done : &s->real_done) += count;
		s->messages_total += db_i64(&rows, i, 3);
		s->bytes_total += db_i64(&rows, i, 4);
		if (is_dry) {
			s->messages_to_copy += db_i64(&rows, i, 5);
		} else {
			s->messages_skipped += db_i64(&rows, i, 6);
			s->messages_failed += db_i64(&rows, i, 7);
			s->verify_messages += db_i64(&rows, i, 8);
			s->verified_messages += db_i64(&rows, i, 9);
			s->verify_missing += db_i64(&rows, i, 10);
			s->verify_altered += db_i64(&rows, i, 11);
			s->verify_doubled += db_i64(&rows, i, 12);
			s->verified += db_u64(&rows, i, 13);
			s->unverified += db_u64(&rows, i, 14);
		}
	}
	return e;
}

enum err store_batch_summary(
    struct db *db, const struct viewer *v, uint64_t batch_id, struct batch_summary *summary_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct batch_summary s = {0};
	struct db_rows rows;
	enum err e = add_last_runs(db, a, v, batch_id, &s);

	if (e == ERR_OK)
		e = db_query_one(db, a,
		    "SELECT COUNT(*), SUM(IF(j.dry_run = 0, j.messages_copied, 0)),"
		    " SUM(IF(j.dry_run = 0, j.bytes_copied, 0)), MIN(j.started_at), "
		    "MAX(j.finished_at) " OF_BATCH,
		    DB_ARGS(BATCH_ARGS(batch_id, v)), &rows);
	if (e != ERR_OK)
		return e;
	s.runs = db_u64(&rows, 0, 0);
	s.messages_copied = db_i64(&rows, 0, 1);
	s.bytes_copied = db_i64(&rows, 0, 2);
	s.started_at = db_time_s(&rows, 0, 3);
	s.finished_at = db_time_s(&rows, 0, 4);
	*summary_r = s;
	return ERR_OK;
}

enum err store_batch_states(struct db *db, const struct viewer *v, const uint64_t *batch_ids, size_t count,
    struct batch_summary *summaries_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	AUTO_QUERY struct query q = QUERY_INIT;
	struct db_rows rows;
	enum err e;

	memset(summaries_r, 0, count * sizeof(*summaries_r));
	if (count == 0)
		return ERR_OK;
	if (count > BATCH_STATES_MAX)
		return ERR_INVALID;
	query_add(&q, "SELECT j.batch_id, j.state, COUNT(*) FROM job j WHERE j.batch_id IN ");
	query_add_ids(&q, batch_ids, count);
	query_add_p(&q, " AND (? = 1", db_p_u64(viewer_is_admin(v)));
	query_add_p(&q, " OR j.account_id = ?) AND " JOB_IS_LATEST " GROUP BY j.batch_id, j.state",
	    db_p_u64(v->account_id));
	e = db_query(db, a, q.sql.data, q.params, q.count, &rows);
	for (size_t i = 0; e == ERR_OK && i < rows.count; i++) {
		enum job_state state;

		if (job_state_parse(db_str(&rows, i, 1), &state) != ERR_OK)
			return ERR_INTERNAL;
		for (size_t k = 0; k < count; k++)
			if (batch_ids[k] == db_u64(&rows, i, 0)) {
				summaries_r[k].states[state] += db_u64(&rows, i, 2);
				summaries_r[k].mailboxes += db_u64(&rows, i, 2);
			}
	}
	return e;
}

enum err store_batch_causes(struct db *db, struct arena *a, const struct viewer *v, uint64_t batch_id,
    struct batch_cause **list_r, size_t *count_r)
{
	struct db_rows rows;
	struct batch_cause *list;
	/* COUNT(DISTINCT) leaves out NULL: a server that was deleted is not shared with the others */
	enum err e = db_query(db, a,
	    "SELECT j.reason, MIN(j.reason_text), MIN(j.reason_action), COUNT(*), MIN(j.id),"
	    " IF(COUNT(DISTINCT COALESCE(j.src_server_id, 0)) = 1, MIN(j.src_server_id), NULL),"
	    " IF(COUNT(DISTINCT COALESCE(j.dst_server_id, 0)) = 1, MIN(j.dst_server_id), NULL) " OF_BATCH
	    "AND j.state IN ('failed', 'interrupted') AND " JOB_IS_LATEST
	    " GROUP BY j.reason ORDER BY COUNT(*) DESC, j.reason LIMIT ?",
	    DB_ARGS(BATCH_ARGS(batch_id, v), db_p_u64(BATCH_CAUSES_MAX)), &rows);

	if (e != ERR_OK)
		return e;
	list = arena_array(a, rows.count, sizeof(*list));
	for (size_t i = 0; i < rows.count; i++)
		list[i] = (struct batch_cause){
		    .reason = db_str(&rows, i, 0),
		    .text = db_str(&rows, i, 1),
		    .action = db_str(&rows, i, 2),
		    .count = db_u64(&rows, i, 3),
		    .job_id = db_u64(&rows, i, 4),
		    .src_server_id = db_u64(&rows, i, 5),
		    .dst_server_id = db_u64(&rows, i, 6),
		};
	*list_r = list;
	*count_r = rows.count;
	return ERR_OK;
}

enum err store_batch_report(struct db *db, struct arena *a, const struct viewer *v, uint64_t batch_id,
    uint64_t after, unsigned limit, struct job **list_r, size_t *count_r)
{
	struct db_rows rows;
	struct job *list;
	/* the index holds a batch's jobs by id, so that each page begins where the last one ended */
	enum err e = db_query(db, a,
	    "SELECT" JOB_COLUMNS "FROM job j FORCE INDEX (job_batch) WHERE j.batch_id = ?"
	    " AND (? = 1 OR j.account_id = ?) AND j.id > ? AND " JOB_IS_LATEST " ORDER BY j.id LIMIT ?",
	    DB_ARGS(BATCH_ARGS(batch_id, v), db_p_u64(after), db_p_u64(limit)), &rows);

	if (e != ERR_OK)
		return e;
	list = arena_array(a, rows.count, sizeof(*list));
	for (size_t i = 0; e == ERR_OK && i < rows.count; i++)
		e = job_row_read(&rows, i, &list[i]);
	*list_r = list;
	*count_r = rows.count;
	return e;
}
