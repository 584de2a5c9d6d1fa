/* From a row of job to a struct job: one column list and its reader, shared by the stores. */
#ifndef MCV_SQL_JOB_ROW_H
#define MCV_SQL_JOB_ROW_H

#include "lib/err.h"
#include "sql/db.h"
#include "sql/job.h"

/*
 * "SELECT" JOB_COLUMNS "FROM job j ...".  What other tables say comes by subqueries: joined, a small table
 * makes MariaDB sort all jobs instead of reading a page in the order of its index.
 */
#define JOB_BATCH_TAG "(SELECT b.tag FROM batch b WHERE b.id = j.batch_id)"
#define JOB_COLUMNS \
	" j.id, j.account_id, (SELECT a.name FROM account a WHERE a.id = j.account_id)," \
	" j.owner_user_id, (SELECT u.email FROM user u WHERE u.id = j.owner_user_id)," \
	" j.batch_id, " JOB_BATCH_TAG ", j.parent_id," \
	" j.name, j.label, j.dry_run," \
	" j.src_server_id, j.src_server_name, j.src_host, j.src_port, j.src_security, j.src_verify, " \
	"j.src_user," \
	" j.dst_server_id, j.dst_server_name, j.dst_host, j.dst_port, j.dst_security, j.dst_verify, " \
	"j.dst_user," \
	" j.state, j.queued_at, j.cancel_requested_at, j.started_at, j.finished_at," \
	" TIMESTAMPDIFF(MICROSECOND, j.started_at, COALESCE(j.finished_at, UTC_TIMESTAMP(6))) DIV 1000," \
	" j.worker_id, j.attempts, j.program, j.program_version, j.exit_code, j.exit_signal," \
	" j.reason, j.reason_text, j.reason_detail, j.reason_action," \
	" IF(j.log_removed_at IS NULL, j.log_bytes, 0), j.log_cut_start, j.log_cut_bytes, j.log_errors," \
	" j.log_warnings," \
	" j.folders_total, j.folders_done, j.folder_current, j.messages_total, j.messages_done," \
	" j.messages_copied, j.messages_skipped, j.messages_failed, j.messages_to_copy, j.bytes_total," \
	" j.bytes_copied, j.biggest_bytes, j.rate_bytes, j.rate_milli_messages, j.eta_s, " \
	"j.quota_used_bytes," \
	" j.quota_limit_bytes, j.messages_to_delete, j.messages_deleted," \
	" j.verify_state, j.verify_mode, j.verify_messages, j.verified_messages, j.verify_missing," \
	" j.verify_altered, j.verify_doubled, j.verify_extra, j.verify_newer, j.verify_adapted," \
	" j.verify_note, j.verify_rows, j.progress_at, j.updated_at," \
	" j.passwords_removed_at, j.log_removed_at, j.options, j.delete2, j.max_delete," \
	" j.delete2_confirmed_at, j.delete2_digest "

/* Columns JOB_COLUMNS adds; what a query selects after them begins there. */
enum { JOB_COLUMN_COUNT = 86 };

/* ERR_INTERNAL: the row holds a word this program does not know. */
enum err job_row_read(const struct db_rows *rows, size_t row, struct job *job_r) MUST_CHECK;

/* "SET" JOB_COUNTERS_SET, and its 19 parameters: JOB_COUNTERS_ARGS(c), folder already cleaned. */
#define JOB_COUNTERS_SET \
	" folders_total = ?, folders_done = ?, folder_current = ?, messages_total = ?, messages_done = ?," \
	" messages_copied = ?, messages_skipped = ?, messages_failed = ?, messages_to_copy = ?," \
	" bytes_total = ?, bytes_copied = ?, biggest_bytes = ?, rate_bytes = ?, rate_milli_messages = ?," \
	" eta_s = ?, quota_used_bytes = ?, quota_limit_bytes = ?, messages_to_delete = ?, messages_deleted " \
	"= ? "
enum { JOB_COUNTERS_COUNT = 19 };
void job_counters_params(
    const struct job_counters *c, const char *folder, struct db_param params_r[JOB_COUNTERS_COUNT]);

/*
 * "INSERT INTO job (" JOB_RERUN_COLUMNS ") SELECT dry_run, request_key, source's and destination's sealed
 * password, options," JOB_RERUN_OWNER "," JOB_RERUN_VALUES "FROM job j" JOB_RERUN_SERVERS makes a queued job
 * from job j.  Server details are read anew while the servers are there and the job's account may use them:
 * what an administrator's job may reach (store_queue.c) is not for who names the host now, so a member's
 * rerun is the member's.  An administrator's stays its owner's.
 */
#define JOB_RERUN_OWNER " COALESCE(?, j.owner_user_id)"
#define JOB_RERUN_OWNER_ARG(v) db_p_id(viewer_is_admin(v) ? 0 : (v)->user_id)
#define JOB_RERUN_COLUMNS \
	"dry_run, request_key, src_sealed, dst_sealed, options, owner_user_id, account_id, batch_id, " \
	"parent_id, " \
	"name," \
	" src_server_id, src_server_name, src_host, src_port, src_security, src_verify, src_user," \
	" dst_server_id, dst_server_name, dst_host, dst_port, dst_security, dst_verify, dst_user," \
	" state, queued_at, updated_at"
#define JOB_RERUN_VALUES \
	" j.account_id, j.batch_id, j.id, j.name," \
	" j.src_server_id, COALESCE(s.name, j.src_server_name), COALESCE(s.host, j.src_host)," \
	" COALESCE(s.port, j.src_port), COALESCE(s.security, j.src_security)," \
	" COALESCE(s.verify, j.src_verify), j.src_user," \
	" j.dst_server_id, COALESCE(d.name, j.dst_server_name), COALESCE(d.host, j.dst_host)," \
	" COALESCE(d.port, j.dst_port), COALESCE(d.security, j.dst_security)," \
	" COALESCE(d.verify, j.dst_verify), j.dst_user," \
	" 'queued', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) "
#define JOB_RERUN_SERVERS \
	" LEFT JOIN server s ON s.id = j.src_server_id AND (s.account_id IS NULL OR s.account_id = " \
	"j.account_id)" \
	" LEFT JOIN server d ON d.id = j.dst_server_id AND (d.account_id IS NULL OR d.account_id = " \
	"j.account_id) "

/* Whether the server of a side ("src", "dst") of job j is another now than the job's row says. */
#define JOB_SERVER_CHANGED(side) \
	" EXISTS (SELECT 1 FROM server x WHERE x.id = j." side "_server_id AND NOT (x.host = j." side \
	"_host AND x.port = j." side "_port AND x.security = j." side "_security AND x.verify = j." side \
	"_verify)) "

/* "SET" JOB_PASSWORDS_REMOVED_SET "WHERE … AND" JOB_HAS_IDLE_PASSWORDS: remove those of an ended job j. */
#define JOB_PASSWORDS_REMOVED_SET \
	" j.src_sealed = NULL, j.dst_sealed = NULL, j.sealed_at = NULL," \
	" j.passwords_removed_at = UTC_TIMESTAMP(6), j.updated_at = UTC_TIMESTAMP(6) "
#define JOB_HAS_IDLE_PASSWORDS " j.state NOT IN ('queued', 'running') AND j.passwords_removed_at IS NULL "

/* "DELETE i FROM job j" JOB_IMPORT_ROWS "WHERE …": what its batch's import still keeps of it, for an hour. */
#define JOB_IMPORT_ROWS \
	" JOIN import m ON m.batch_id = j.batch_id JOIN import_row i ON i.import_id = m.id" \
	" AND i.src_user = j.src_user AND i.dst_user = j.dst_user "

/* "SET" JOB_CANCEL_SET: cancel a queued job j at once; its one parameter is the user (db_p_id). */
#define JOB_CANCEL_SET \
	" j.state = 'cancelled', j.finished_at = UTC_TIMESTAMP(6), j.cancel_requested_at = " \
	"UTC_TIMESTAMP(6)," \
	" j.cancel_requested_by = ?, j.reason = 'cancelled'," \
	" j.reason_text = 'The job was cancelled before it began.', j.reason_action = 'rerun'," \
	" j.updated_at = UTC_TIMESTAMP(6) "
/* The same for a running one: the wish alone. */
#define JOB_CANCEL_WISH_SET \
	" j.cancel_requested_at = UTC_TIMESTAMP(6), j.cancel_requested_by = ?, j.updated_at = " \
	"UTC_TIMESTAMP(6) "

/* "SET" JOB_VERIFY_SET, and its 12 parameters, texts cleaned in a. */
#define JOB_VERIFY_SET \
	" verify_state = ?, verify_mode = ?, verify_messages = ?, verified_messages = ?, verify_missing = " \
	"?," \
	" verify_altered = ?, verify_doubled = ?, verify_extra = ?, verify_newer = ?, verify_adapted = ?," \
	" verify_note = ?, verify_rows = ? "
enum { JOB_VERIFY_COUNT = 12 };
void job_verify_params(
    const struct job_verify *v, struct arena *a, struct db_param params_r[JOB_VERIFY_COUNT]);

/*
 * Whether job o is another one between the same mailboxes as job j, of the same account, and queued or
 * running.  Left to itself MariaDB takes "queued or running" for the better key as long as its statistics
 * remember a short queue.
 */
#define JOB_BUSY_TABLE " job o FORCE INDEX (job_same_mailboxes) "
#define JOB_BUSY_IS \
	" o.mailboxes = j.mailboxes AND o.account_id = j.account_id AND o.state IN ('queued', 'running')" \
	" AND o.id <> j.id "
/* Such a job's id, or NULL. */
#define JOB_BUSY_ID "(SELECT MIN(o.id) FROM" JOB_BUSY_TABLE "WHERE" JOB_BUSY_IS ")"
/*
 * "SELECT o.id " JOB_BUSY_AMONG(from) "WHERE ..." JOB_BUSY_LOCK, after jobs were queued or changed and in the
 * same transaction: is one in the way of any job j of these?  Locked, it waits for what others have not
 * committed yet, so that of two who queue the same mailboxes at the same moment one sees the other (or both
 * are ERR_BUSY, and try again).
 */
#define JOB_BUSY_AMONG(from) "FROM " from " JOIN" JOB_BUSY_TABLE "ON" JOB_BUSY_IS
#define JOB_BUSY_LOCK " LIMIT 1 LOCK IN SHARE MODE"

/* The same of one job, if it is queued.  ERR_CONFLICT: another one of its mailboxes, *other_id_r, is on its
 * way. */
enum err job_demand_idle(struct db *db, uint64_t id, uint64_t *other_id_r) MUST_CHECK;

#endif
