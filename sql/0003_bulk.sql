-- Bulk actions.  A row of bulk is one that was asked for, with the jobs it counted then in bulk_job: a confirmed action
-- touches those and no others.  done: how many of them are dealt with, in the order of n; it moves in the same
-- transaction as what was done, so that an action that was cut short goes on where it stopped, and never twice.
-- as_admin: it may hold jobs of every account, whatever its asker is now.
-- filter: the query of the list it was taken from; picked: rows of it chosen one by one, not all of it.
CREATE TABLE IF NOT EXISTS bulk (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
	user_id BIGINT UNSIGNED NOT NULL,
	request_key BINARY(16) NOT NULL,
	action ENUM('dry_run', 'run_real', 'retry', 'cancel', 'delete') NOT NULL,
	filter VARCHAR(2000) NULL,
	picked BOOLEAN NOT NULL,
	as_admin BOOLEAN NOT NULL DEFAULT FALSE,
	newest_job_id BIGINT UNSIGNED NOT NULL,
	total INT UNSIGNED NOT NULL,
	done INT UNSIGNED NOT NULL DEFAULT 0,
	created_at DATETIME(6) NOT NULL,
	confirmed_at DATETIME(6) NULL,
	finished_at DATETIME(6) NULL,
	UNIQUE KEY bulk_request (user_id, request_key),
	KEY bulk_created (user_id, created_at),
	CONSTRAINT bulk_by_user FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE,
	CONSTRAINT bulk_done CHECK (done <= total)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- No foreign keys to job: what became of a job that is gone is still told.  is_last: of several runs of the same
-- mailboxes among these, the newest.
CREATE TABLE IF NOT EXISTS bulk_job (
	bulk_id BIGINT UNSIGNED NOT NULL,
	n INT UNSIGNED NOT NULL,
	job_id BIGINT UNSIGNED NOT NULL,
	label VARCHAR(255) NOT NULL,
	is_last BOOLEAN NOT NULL,
	outcome VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NULL,
	other_job_id BIGINT UNSIGNED NULL,
	PRIMARY KEY (bulk_id, n),
	KEY bulk_job_outcome (bulk_id, outcome, n),
	CONSTRAINT bulk_job_in_bulk FOREIGN KEY (bulk_id) REFERENCES bulk (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- Whether a mailbox is already being moved; how a batch stands.
CREATE INDEX IF NOT EXISTS job_mailboxes ON job (account_id, src_user(60), dst_user(60));
CREATE INDEX IF NOT EXISTS job_batch_state ON job (batch_id, state);
