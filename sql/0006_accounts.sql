-- Customers, their limits, and the ways in that are no sign-in: one-time links, API tokens, links to a log.

-- max_: NULL means no limit.  made_count: jobs made on the day made_on (UTC); both are kept while there is a limit.
ALTER TABLE account ADD COLUMN IF NOT EXISTS max_queued INT UNSIGNED NULL;
ALTER TABLE account ADD COLUMN IF NOT EXISTS max_daily INT UNSIGNED NULL;
ALTER TABLE account ADD COLUMN IF NOT EXISTS made_on DATE NULL;
ALTER TABLE account ADD COLUMN IF NOT EXISTS made_count INT UNSIGNED NOT NULL DEFAULT 0;

-- Where its jobs may copy to: a name, or "*." and a domain.  No row: anywhere.
CREATE TABLE IF NOT EXISTS account_host (
	account_id BIGINT UNSIGNED NOT NULL,
	host VARCHAR(253) NOT NULL,
	PRIMARY KEY (account_id, host),
	CONSTRAINT account_host_of_account FOREIGN KEY (account_id) REFERENCES account (id) ON DELETE CASCADE,
	CONSTRAINT account_host_lower CHECK (host = LOWER(host))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- Links that let somebody choose a password, once.  Kept hashed.
CREATE TABLE IF NOT EXISTS user_link (
	id_hash BINARY(32) NOT NULL PRIMARY KEY,
	user_id BIGINT UNSIGNED NOT NULL,
	created_by BIGINT UNSIGNED NULL,
	created_at DATETIME(6) NOT NULL,
	expires_at DATETIME(6) NOT NULL,
	KEY user_link_user (user_id),
	KEY user_link_expires (expires_at),
	CONSTRAINT user_link_of_user FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- account_id NULL: the installation's.  networks: CIDR, one a line; NULL: from anywhere.
CREATE TABLE IF NOT EXISTS api_token (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
	account_id BIGINT UNSIGNED NULL,
	name VARCHAR(100) NOT NULL,
	token_hash BINARY(32) NOT NULL,
	scopes VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	networks VARCHAR(2000) CHARACTER SET ascii COLLATE ascii_bin NULL,
	created_by BIGINT UNSIGNED NULL,
	created_at DATETIME(6) NOT NULL,
	expires_at DATETIME(6) NULL,
	last_used_at DATETIME(6) NULL,
	last_address VARCHAR(64) NULL,
	revoked_at DATETIME(6) NULL,
	UNIQUE KEY api_token_hash (token_hash),
	KEY api_token_account (account_id),
	CONSTRAINT api_token_in_account FOREIGN KEY (account_id) REFERENCES account (id) ON DELETE CASCADE,
	CONSTRAINT api_token_by_user FOREIGN KEY (created_by) REFERENCES user (id) ON DELETE SET NULL,
	CONSTRAINT api_token_name_given CHECK (CHAR_LENGTH(name) > 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- Links to one job's log.  What a link says is signed; the row is there to be revoked, and goes with the job.
CREATE TABLE IF NOT EXISTS log_link (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
	job_id BIGINT UNSIGNED NOT NULL,
	created_by BIGINT UNSIGNED NULL,
	created_at DATETIME(6) NOT NULL,
	expires_at DATETIME(6) NOT NULL,
	revoked_at DATETIME(6) NULL,
	KEY log_link_job (job_id),
	CONSTRAINT log_link_of_job FOREIGN KEY (job_id) REFERENCES job (id) ON DELETE CASCADE,
	CONSTRAINT log_link_by_user FOREIGN KEY (created_by) REFERENCES user (id) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- Keys that every web process of the installation shares.
CREATE TABLE IF NOT EXISTS site_secret (
	name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
	bytes BINARY(32) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT IGNORE INTO site_secret (name, bytes) VALUES ('log_link', RANDOM_BYTES(32));

-- Which token did it; what the trail is searched by.
ALTER TABLE audit ADD COLUMN IF NOT EXISTS token_id BIGINT UNSIGNED NULL AFTER user_id;
ALTER TABLE audit ADD INDEX IF NOT EXISTS audit_user (user_id, id);
ALTER TABLE audit ADD INDEX IF NOT EXISTS audit_action (action, id);
