-- The schema's first version.  Every statement may be run again (see migrate.h).
--
-- Moments are DATETIME(6) in UTC.  Text that is an identity is compared byte for byte (utf8mb4_nopad_bin); what people
-- search and sort by is not (utf8mb4_unicode_520_nopad_ci).  State, slot, lease and token of a job are tied together by
-- CHECK constraints, so that no program can write a half-claimed job.

CREATE TABLE IF NOT EXISTS account (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
	name VARCHAR(100) NOT NULL,
	external_id VARCHAR(100) NULL,
	suspended_at DATETIME(6) NULL,
	created_at DATETIME(6) NOT NULL,
	UNIQUE KEY account_name (name),
	UNIQUE KEY account_external (external_id),
	CONSTRAINT account_name_given CHECK (CHAR_LENGTH(name) > 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS user (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
	account_id BIGINT UNSIGNED NOT NULL,
	email VARCHAR(254) NOT NULL,
	password_hash VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	role ENUM('member', 'admin') NOT NULL DEFAULT 'member',
	disabled_at DATETIME(6) NULL,
	mail_on_done BOOLEAN NOT NULL DEFAULT TRUE,
	mail_on_failed BOOLEAN NOT NULL DEFAULT TRUE,
	last_login_at DATETIME(6) NULL,
	jobs_seen_at DATETIME(6) NULL,
	created_at DATETIME(6) NOT NULL,
	UNIQUE KEY user_email (email),
	KEY user_account (account_id),
	CONSTRAINT user_in_account FOREIGN KEY (account_id) REFERENCES account (id),
	CONSTRAINT user_email_lower CHECK (email = LOWER(email))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS session (
	id_hash BINARY(32) NOT NULL PRIMARY KEY,
	user_id BIGINT UNSIGNED NOT NULL,
	created_at DATETIME(6) NOT NULL,
	last_seen_at DATETIME(6) NOT NULL,
	expires_at DATETIME(6) NOT NULL,
	address VARCHAR(64) NULL,
	user_agent VARCHAR(255) NULL,
	KEY session_user (user_id),
	KEY session_expires (expires_at),
	CONSTRAINT session_of_user FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- kind is enum throttle_kind; key_hash is the SHA-256 of the address or e-mail.
CREATE TABLE IF NOT EXISTS login_throttle (
	kind TINYINT UNSIGNED NOT NULL,
	key_hash BINARY(32) NOT NULL,
	failures INT UNSIGNED NOT NULL,
	window_start DATETIME(6) NOT NULL,
	blocked_until DATETIME(6) NULL,
	PRIMARY KEY (kind, key_hash),
	KEY login_throttle_window (window_start)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- account_id NULL: shared with all.  A unique key takes NULLs for different, so the key is over a column without.
CREATE TABLE IF NOT EXISTS server (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
	account_id BIGINT UNSIGNED NULL,
	account_key BIGINT UNSIGNED AS (COALESCE(account_id, 0)) STORED,
	name VARCHAR(100) COLLATE utf8mb4_unicode_520_nopad_ci NOT NULL,
	host VARCHAR(253) NOT NULL,
	port SMALLINT UNSIGNED NOT NULL,
	security ENUM('tls', 'starttls', 'none') NOT NULL,
	verify BOOLEAN NOT NULL,
	created_at DATETIME(6) NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	UNIQUE KEY server_name (account_key, name),
	KEY server_account (account_id),
	CONSTRAINT server_in_account FOREIGN KEY (account_id) REFERENCES account (id),
	CONSTRAINT server_name_given CHECK (CHAR_LENGTH(name) > 0),
	CONSTRAINT server_host_given CHECK (CHAR_LENGTH(host) > 0),
	CONSTRAINT server_port CHECK (port > 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS batch (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
	account_id BIGINT UNSIGNED NOT NULL,
	tag VARCHAR(100) COLLATE utf8mb4_unicode_520_nopad_ci NOT NULL,
	created_by BIGINT UNSIGNED NULL,
	created_at DATETIME(6) NOT NULL,
	UNIQUE KEY batch_tag (account_id, tag),
	CONSTRAINT batch_in_account FOREIGN KEY (account_id) REFERENCES account (id),
	CONSTRAINT batch_by_user FOREIGN KEY (created_by) REFERENCES user (id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS worker (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
	host VARCHAR(255) NOT NULL,
	pid BIGINT NOT NULL,
	boot_id VARCHAR(64) NOT NULL,
	version VARCHAR(64) NOT NULL,
	state ENUM('running', 'stopping', 'stopped', 'dead') NOT NULL,
	started_at DATETIME(6) NOT NULL,
	heartbeat_at DATETIME(6) NOT NULL,
	stopped_at DATETIME(6) NULL,
	KEY worker_host (host, state)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- state: facts, written by the worker.  cancel_requested_at: a wish, written by the web.
-- src_/dst_: the servers' details as they were at insert, refreshed at claim.
-- finish_token: the claim that ended the job by itself; NULL when somebody rescued it.
-- label and the sort_ columns exist to be indexed: one for each column the list can be sorted by.
CREATE TABLE IF NOT EXISTS job (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
	account_id BIGINT UNSIGNED NOT NULL,
	owner_user_id BIGINT UNSIGNED NULL,
	batch_id BIGINT UNSIGNED NULL,
	parent_id BIGINT UNSIGNED NULL,
	name VARCHAR(200) COLLATE utf8mb4_unicode_520_nopad_ci NULL,
	dry_run BOOLEAN NOT NULL,
	request_key BINARY(16) NULL,

	src_server_id BIGINT UNSIGNED NULL,
	src_server_name VARCHAR(100) COLLATE utf8mb4_unicode_520_nopad_ci NOT NULL,
	src_host VARCHAR(253) NOT NULL,
	src_port SMALLINT UNSIGNED NOT NULL,
	src_security ENUM('tls', 'starttls', 'none') NOT NULL,
	src_verify BOOLEAN NOT NULL,
	src_user VARCHAR(255) COLLATE utf8mb4_unicode_520_nopad_ci NOT NULL,
	src_sealed VARBINARY(2048) NOT NULL,
	dst_server_id BIGINT UNSIGNED NULL,
	dst_server_name VARCHAR(100) COLLATE utf8mb4_unicode_520_nopad_ci NOT NULL,
	dst_host VARCHAR(253) NOT NULL,
	dst_port SMALLINT UNSIGNED NOT NULL,
	dst_security ENUM('tls', 'starttls', 'none') NOT NULL,
	dst_verify BOOLEAN NOT NULL,
	dst_user VARCHAR(255) COLLATE utf8mb4_unicode_520_nopad_ci NOT NULL,
	dst_sealed VARBINARY(2048) NOT NULL,

	state ENUM('queued', 'running', 'done', 'failed', 'cancelled', 'interrupted') NOT NULL,
	queued_at DATETIME(6) NOT NULL,
	cancel_requested_at DATETIME(6) NULL,
	cancel_requested_by BIGINT UNSIGNED NULL,
	claim_token BINARY(16) NULL,
	finish_token BINARY(16) NULL,
	worker_id BIGINT UNSIGNED NULL,
	lease_until DATETIME(6) NULL,
	attempts INT UNSIGNED NOT NULL DEFAULT 0,
	started_at DATETIME(6) NULL,
	finished_at DATETIME(6) NULL,

	program VARCHAR(255) NULL,
	program_version VARCHAR(64) NULL,
	exit_code INT NULL,
	exit_signal INT NULL,
	reason VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
	reason_text VARCHAR(1000) NULL,
	reason_detail VARCHAR(1000) NULL,
	reason_action VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,

	log_bytes BIGINT NOT NULL DEFAULT 0,
	log_cut_start BIGINT NULL,
	log_cut_bytes BIGINT NOT NULL DEFAULT 0,
	log_errors BIGINT NULL,
	log_warnings BIGINT NULL,

	folders_total BIGINT NULL,
	folders_done BIGINT NULL,
	folder_current VARCHAR(255) NULL,
	messages_total BIGINT NULL,
	messages_done BIGINT NULL,
	messages_copied BIGINT NULL,
	messages_skipped BIGINT NULL,
	messages_failed BIGINT NULL,
	messages_to_copy BIGINT NULL,
	bytes_total BIGINT NULL,
	bytes_copied BIGINT NULL,
	biggest_bytes BIGINT NULL,
	rate_bytes BIGINT NULL,
	rate_milli_messages BIGINT NULL,
	eta_s BIGINT NULL,
	quota_used_bytes BIGINT NULL,
	quota_limit_bytes BIGINT NULL,
	progress_at DATETIME(6) NULL,
	updated_at DATETIME(6) NOT NULL,

	label VARCHAR(255) COLLATE utf8mb4_unicode_520_nopad_ci
		AS (LEFT(COALESCE(name, CONCAT(src_user, ' → ', dst_user)), 255)) STORED,
	sort_started DATETIME(6) AS (COALESCE(started_at, TIMESTAMP'9999-12-31 00:00:00.000000')) STORED,
	sort_duration BIGINT AS (COALESCE(TIMESTAMPDIFF(MICROSECOND, started_at, finished_at), -1)) STORED,

	UNIQUE KEY job_request (account_id, request_key),
	UNIQUE KEY job_claim_token (claim_token),
	KEY job_queue (state, queued_at, id),
	KEY job_lease (lease_until),
	KEY job_worker (worker_id, state),
	KEY job_account_state (account_id, state, queued_at, id),
	KEY job_account_queued (account_id, queued_at, id),
	KEY job_account_label (account_id, label, id),
	KEY job_account_started (account_id, sort_started, id),
	KEY job_account_duration (account_id, sort_duration, id),
	KEY job_all_queued (queued_at, id),
	KEY job_all_label (label, id),
	KEY job_all_started (sort_started, id),
	KEY job_all_duration (sort_duration, id),
	KEY job_batch (batch_id),
	KEY job_parent (parent_id),
	KEY job_src_server (src_server_id, state),
	KEY job_dst_server (dst_server_id, state),
	CONSTRAINT job_in_account FOREIGN KEY (account_id) REFERENCES account (id),
	CONSTRAINT job_of_owner FOREIGN KEY (owner_user_id) REFERENCES user (id) ON DELETE SET NULL,
	CONSTRAINT job_in_batch FOREIGN KEY (batch_id) REFERENCES batch (id) ON DELETE SET NULL,
	CONSTRAINT job_rerun_of FOREIGN KEY (parent_id) REFERENCES job (id) ON DELETE SET NULL,
	CONSTRAINT job_from_server FOREIGN KEY (src_server_id) REFERENCES server (id) ON DELETE SET NULL,
	CONSTRAINT job_to_server FOREIGN KEY (dst_server_id) REFERENCES server (id) ON DELETE SET NULL,
	CONSTRAINT job_running_has_token CHECK ((state = 'running') = (claim_token IS NOT NULL)),
	CONSTRAINT job_running_has_lease CHECK ((state = 'running') = (lease_until IS NOT NULL)),
	CONSTRAINT job_running_has_start CHECK (state <> 'running' OR (started_at IS NOT NULL AND worker_id IS NOT NULL)),
	CONSTRAINT job_ended_has_end CHECK ((state IN ('queued', 'running')) = (finished_at IS NULL)),
	CONSTRAINT job_users_given CHECK (CHAR_LENGTH(src_user) > 0 AND CHAR_LENGTH(dst_user) > 0),
	CONSTRAINT job_log_cut CHECK (log_cut_bytes >= 0 AND log_bytes >= log_cut_bytes)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- Append-only, and outlives its job: no foreign key.
CREATE TABLE IF NOT EXISTS job_event (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
	job_id BIGINT UNSIGNED NOT NULL,
	account_id BIGINT UNSIGNED NOT NULL,
	at DATETIME(6) NOT NULL,
	kind VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	from_state ENUM('queued', 'running', 'done', 'failed', 'cancelled', 'interrupted') NULL,
	to_state ENUM('queued', 'running', 'done', 'failed', 'cancelled', 'interrupted') NULL,
	user_id BIGINT UNSIGNED NULL,
	worker_id BIGINT UNSIGNED NULL,
	detail VARCHAR(255) NULL,
	KEY job_event_job (job_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- start and length are of the raw bytes.  No foreign key: a deleted job's log goes in small batches afterwards.
CREATE TABLE IF NOT EXISTS job_log (
	job_id BIGINT UNSIGNED NOT NULL,
	start BIGINT NOT NULL,
	length INT UNSIGNED NOT NULL,
	encoding TINYINT UNSIGNED NOT NULL,
	bytes MEDIUMBLOB NOT NULL,
	at DATETIME(6) NOT NULL,
	PRIMARY KEY (job_id, start),
	CONSTRAINT job_log_start CHECK (start >= 0),
	CONSTRAINT job_log_length CHECK (length BETWEEN 1 AND 65536),
	CONSTRAINT job_log_encoding CHECK (encoding IN (0, 1))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- One row for each job that may run at once.  kind 'global', owner 0: the whole installation's.
CREATE TABLE IF NOT EXISTS run_slot (
	kind VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	owner BIGINT UNSIGNED NOT NULL,
	n INT UNSIGNED NOT NULL,
	job_id BIGINT UNSIGNED NULL,
	claim_token BINARY(16) NULL,
	PRIMARY KEY (kind, owner, n),
	UNIQUE KEY run_slot_job (kind, job_id),
	CONSTRAINT run_slot_whole CHECK ((job_id IS NULL) = (claim_token IS NULL))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- Mails to be sent; written with a job's finish, delivered by the notifier.
CREATE TABLE IF NOT EXISTS notification (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
	account_id BIGINT UNSIGNED NOT NULL,
	user_id BIGINT UNSIGNED NOT NULL,
	job_id BIGINT UNSIGNED NULL,
	batch_id BIGINT UNSIGNED NULL,
	kind VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	dedupe_key VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	state ENUM('waiting', 'sending', 'sent', 'suppressed', 'failed') NOT NULL DEFAULT 'waiting',
	attempts INT UNSIGNED NOT NULL DEFAULT 0,
	next_at DATETIME(6) NOT NULL,
	created_at DATETIME(6) NOT NULL,
	sent_at DATETIME(6) NULL,
	last_error VARCHAR(255) NULL,
	UNIQUE KEY notification_once (dedupe_key),
	KEY notification_due (state, next_at, id),
	CONSTRAINT notification_in_account FOREIGN KEY (account_id) REFERENCES account (id),
	CONSTRAINT notification_to_user FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE,
	CONSTRAINT notification_of_job FOREIGN KEY (job_id) REFERENCES job (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS audit (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
	at DATETIME(6) NOT NULL,
	account_id BIGINT UNSIGNED NULL,
	user_id BIGINT UNSIGNED NULL,
	address VARCHAR(64) NULL,
	action VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	object VARCHAR(100) NULL,
	detail VARCHAR(1000) NULL,
	KEY audit_account (account_id, id),
	KEY audit_at (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- Two at once, unless the administrator says otherwise (mailconvoyctl slots).
INSERT INTO run_slot (kind, owner, n)
SELECT 'global', 0, seq.n FROM (SELECT 1 AS n UNION ALL SELECT 2) AS seq
WHERE NOT EXISTS (SELECT 1 FROM run_slot WHERE kind = 'global');
