-- What a CSV import keeps between its preview and its confirmation, an hour at most: passwords sealed as the job's row
-- needs them, and the refused rows without their passwords.

CREATE TABLE IF NOT EXISTS import (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
	account_id BIGINT UNSIGNED NOT NULL,
	user_id BIGINT UNSIGNED NOT NULL,
	rows_good INT UNSIGNED NOT NULL DEFAULT 0,
	rows_bad INT UNSIGNED NOT NULL DEFAULT 0,
	created_at DATETIME(6) NOT NULL,
	expires_at DATETIME(6) NOT NULL,
	batch_id BIGINT UNSIGNED NULL,
	KEY import_expires (expires_at),
	CONSTRAINT import_in_account FOREIGN KEY (account_id) REFERENCES account (id),
	CONSTRAINT import_by_user FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE,
	CONSTRAINT import_became_batch FOREIGN KEY (batch_id) REFERENCES batch (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- line: where the row begins in the file, which is its place in the queue.  dry_run NULL: as the batch.
CREATE TABLE IF NOT EXISTS import_row (
	import_id BIGINT UNSIGNED NOT NULL,
	line INT UNSIGNED NOT NULL,
	name VARCHAR(200) COLLATE utf8mb4_unicode_520_nopad_ci NULL,
	dry_run BOOLEAN NULL,
	src_server_id BIGINT UNSIGNED NOT NULL,
	src_user VARCHAR(255) COLLATE utf8mb4_unicode_520_nopad_ci NOT NULL,
	src_sealed VARBINARY(2048) NOT NULL,
	dst_server_id BIGINT UNSIGNED NOT NULL,
	dst_user VARCHAR(255) COLLATE utf8mb4_unicode_520_nopad_ci NOT NULL,
	dst_sealed VARBINARY(2048) NOT NULL,
	PRIMARY KEY (import_id, line),
	KEY import_row_user (import_id, src_user),
	CONSTRAINT import_row_of_import FOREIGN KEY (import_id) REFERENCES import (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- fields: the row as CSV, passwords left out.  problems: a line for each, column (may be empty), tab, reason.
CREATE TABLE IF NOT EXISTS import_bad (
	import_id BIGINT UNSIGNED NOT NULL,
	line INT UNSIGNED NOT NULL,
	fields MEDIUMTEXT NOT NULL,
	problems TEXT NOT NULL,
	PRIMARY KEY (import_id, line),
	CONSTRAINT import_bad_of_import FOREIGN KEY (import_id) REFERENCES import (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
