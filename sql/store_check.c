#include "sql/store_check.h"

#include "sql/tx.h"

enum { LIST_MAX = 1000 };

/* Each query selects one sentence per violation. */
static const struct rule {
	const char *code;
	const char *sql;
} rules[] = {
    {"running_without_slot",
	"SELECT CONCAT('job ', j.id, ' is running but holds no slot') FROM job j LEFT JOIN run_slot s"
	" ON s.kind = 'global' AND s.job_id = j.id AND s.claim_token = j.claim_token"
	" WHERE j.state = 'running' AND s.n IS NULL LIMIT 1000"},
    {"running_half_claimed",
	"SELECT CONCAT('job ', id, ' is running without token, lease, start or worker') FROM job"
	" WHERE state = 'running' AND (claim_token IS NULL OR lease_until IS NULL OR started_at IS NULL"
	" OR worker_id IS NULL) LIMIT 1000"},
    {"slot_without_job",
	"SELECT CONCAT('slot ', s.n, ' is held by job ', s.job_id, ', which is not running under its token')"
	" FROM run_slot s LEFT JOIN job j ON j.id = s.job_id AND j.state = 'running'"
	" AND j.claim_token = s.claim_token WHERE s.job_id IS NOT NULL AND j.id IS NULL LIMIT 1000"},
    {"claimed_but_not_running",
	"SELECT CONCAT('job ', id, ' is ', state, ' but has a token or a lease') FROM job"
	" WHERE state <> 'running' AND (claim_token IS NOT NULL OR lease_until IS NOT NULL) LIMIT 1000"},
    {"ended_without_end",
	"SELECT CONCAT('job ', id, ' is ', state, ' but has no moment it ended at, or no reason') FROM job"
	" WHERE state NOT IN ('queued', 'running') AND (finished_at IS NULL OR reason IS NULL) LIMIT 1000"},
    {"verifying_after_the_end",
	"SELECT CONCAT('job ', id, ' is ', state, ' but its verification is under way') FROM job"
	" WHERE state <> 'running' AND verify_state = 'running' LIMIT 1000"},
    {"expired_lease",
	"SELECT CONCAT('job ', id, ' has a lease that ran out and nobody has rescued it') FROM job"
	" WHERE state = 'running' AND lease_until < UTC_TIMESTAMP(6) - INTERVAL 5 MINUTE LIMIT 1000"},
    {"log_length",
	"SELECT CONCAT('the log of job ', j.id, ' holds ', COALESCE(l.bytes, 0), ' bytes, its job says ',"
	" j.log_bytes - j.log_cut_bytes)"
	" FROM job j LEFT JOIN (SELECT job_id, SUM(length) AS bytes FROM job_log GROUP BY job_id) l"
	" ON l.job_id = j.id WHERE COALESCE(l.bytes, 0) <> j.log_bytes - j.log_cut_bytes AND "
	"j.log_removed_at IS NULL LIMIT 1000"},
    {"log_gap",
	"SELECT CONCAT('the log of job ', job_id, ' has a gap or an overlap before byte ', start) FROM ("
	"SELECT l.job_id, l.start, j.log_cut_start, j.log_cut_bytes, COALESCE(LAG(l.start + l.length)"
	" OVER (PARTITION BY l.job_id ORDER BY l.start), 0) AS expected"
	" FROM job_log l JOIN job j ON j.id = l.job_id AND j.log_removed_at IS NULL) c WHERE start <> "
	"expected"
	" AND NOT (expected <=> log_cut_start AND start = log_cut_start + log_cut_bytes) LIMIT 1000"},
    {"log_without_job", "SELECT CONCAT('there is a log of job ', l.job_id, ', which does not exist')"
			" FROM (SELECT DISTINCT job_id FROM job_log) l LEFT JOIN job j ON j.id = l.job_id"
			" WHERE j.id IS NULL LIMIT 1000"},
};

/* All rules see one moment: a claim that commits between two of them is no violation. */
static enum err check(struct db *db, struct arena *a, struct violation *list, size_t *count)
{
	for (size_t r = 0; r < sizeof(rules) / sizeof(rules[0]); r++) {
		struct db_rows rows;
		enum err e = db_query(db, a, rules[r].sql, DB_NONE, &rows);

		if (e != ERR_OK)
			return e;
		for (size_t i = 0; i < rows.count && *count < LIST_MAX; i++)
			list[(*count)++] =
			    (struct violation){.rule = rules[r].code, .text = db_str(&rows, i, 0)};
	}
	return ERR_OK;
}

enum err store_check(struct db *db, struct arena *a, struct violation **list_r, size_t *count_r)
{
	struct violation *list = arena_array(a, LIST_MAX, sizeof(*list));
	size_t count = 0;
	enum err e = db_exec_text(db, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");

	if (e == ERR_OK)
		e = db_begin(db);
	if (e != ERR_OK)
		return e;
	e = check(db, a, list, &count);
	db_rollback(db);
	*list_r = list;
	*count_r = count;
	return e;
}
