-- How long stays what is stored of jobs that have ended: passwords, logs, the jobs themselves.

ALTER TABLE job MODIFY COLUMN src_sealed VARBINARY(2048) NULL, MODIFY COLUMN dst_sealed VARBINARY(2048) NULL;

-- sealed_at: when passwords were given anew; NULL: they came with the job.  passwords_removed_at, log_removed_at: since
-- when there are none any more.
-- idle_passwords, idle_log: since when those of an ended job lie there; NULL: it has not ended, or has none.  They exist
-- to be indexed, so that what is removed can never be a queued or running job's.
ALTER TABLE job
	ADD COLUMN IF NOT EXISTS sealed_at DATETIME(6) NULL,
	ADD COLUMN IF NOT EXISTS passwords_removed_at DATETIME(6) NULL,
	ADD COLUMN IF NOT EXISTS log_removed_at DATETIME(6) NULL,
	ADD COLUMN IF NOT EXISTS idle_passwords DATETIME(6)
		AS (IF(passwords_removed_at IS NULL, GREATEST(finished_at, COALESCE(sealed_at, finished_at)), NULL)) STORED,
	ADD COLUMN IF NOT EXISTS idle_log DATETIME(6) AS (IF(log_bytes > 0, finished_at, NULL)) STORED;

ALTER TABLE job ADD CONSTRAINT IF NOT EXISTS job_has_passwords CHECK
	((src_sealed IS NULL) = (passwords_removed_at IS NOT NULL) AND (dst_sealed IS NULL) = (src_sealed IS NULL)
	AND (src_sealed IS NOT NULL OR state NOT IN ('queued', 'running')));

CREATE INDEX IF NOT EXISTS job_idle_passwords ON job (idle_passwords, id);
CREATE INDEX IF NOT EXISTS job_idle_log ON job (idle_log, id);
CREATE INDEX IF NOT EXISTS job_finished ON job (finished_at, id);

-- What is done for the whole installation by one worker at a time.  worker_id NULL: by nobody now.  due_at: until when
-- that worker is believed to be at it, else when it is to be done next.
CREATE TABLE IF NOT EXISTS chore (
	name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
	worker_id BIGINT UNSIGNED NULL,
	due_at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT IGNORE INTO chore (name, due_at) VALUES ('expiry', UTC_TIMESTAMP(6)), ('lost_logs', UTC_TIMESTAMP(6));

ALTER TABLE bulk MODIFY COLUMN action
	ENUM('dry_run', 'run_real', 'retry', 'cancel', 'delete', 'remove_passwords') NOT NULL;
CREATE INDEX IF NOT EXISTS bulk_old ON bulk (created_at);
