-- What control panels and scripts (issuers) call accounts and users: each by names of its own, so that nobody reaches
-- what another issuer means by the same name.  Issuer "local" is this machine's: its own socket and command line.
CREATE TABLE IF NOT EXISTS account_external (
	issuer VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	external_id VARCHAR(100) NOT NULL,
	account_id BIGINT UNSIGNED NOT NULL,
	PRIMARY KEY (issuer, external_id),
	UNIQUE KEY account_external_account (account_id, issuer),
	CONSTRAINT account_external_of_account FOREIGN KEY (account_id) REFERENCES account (id) ON DELETE CASCADE,
	CONSTRAINT account_external_issuer CHECK (issuer <> '' AND issuer NOT REGEXP '[^a-z0-9-]'),
	CONSTRAINT account_external_given CHECK (external_id <> '')
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS user_external (
	issuer VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	external_id VARCHAR(100) NOT NULL,
	user_id BIGINT UNSIGNED NOT NULL,
	PRIMARY KEY (issuer, external_id),
	UNIQUE KEY user_external_user (user_id, issuer),
	CONSTRAINT user_external_of_user FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE,
	CONSTRAINT user_external_issuer CHECK (issuer <> '' AND issuer NOT REGEXP '[^a-z0-9-]'),
	CONSTRAINT user_external_given CHECK (external_id <> '')
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- The WHMCS module has always named its accounts so; the other names go to the issuer that tokens have by default.  None
-- goes to "local": an account opens for a system user of its name only once an administrator says so, or they made it.
-- The column is there but when this file is run again.
ALTER TABLE account ADD COLUMN IF NOT EXISTS external_id VARCHAR(100) NULL;
INSERT IGNORE INTO account_external (issuer, external_id, account_id)
	SELECT IF(external_id LIKE 'whmcs-%', 'whmcs', 'api'), external_id, id FROM account
	WHERE external_id IS NOT NULL AND external_id <> '' AND closed_at IS NULL;
ALTER TABLE account DROP CONSTRAINT IF EXISTS account_closed, DROP COLUMN IF EXISTS external_id,
	ADD CONSTRAINT account_closed CHECK (closed_at IS NULL OR (suspended_at IS NOT NULL AND panel_origins IS NULL));

-- Whose names a token speaks.  An account's tokens have names that no other account's can take.
ALTER TABLE api_token ADD COLUMN IF NOT EXISTS
	issuer VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'api' AFTER scopes;
UPDATE api_token SET issuer = CONCAT('account-', account_id) WHERE account_id IS NOT NULL;
-- WHMCS goes on with the token it has.
UPDATE api_token SET issuer = 'whmcs' WHERE account_id IS NULL AND scopes LIKE '%accounts:write%'
	AND EXISTS (SELECT * FROM account_external WHERE issuer = 'whmcs');
ALTER TABLE api_token ADD CONSTRAINT IF NOT EXISTS api_token_issuer CHECK
	(issuer <> '' AND issuer <> 'local' AND issuer NOT REGEXP '[^a-z0-9-]');

-- Links that sign one user in, once, for a minute.  Kept hashed.  role: what the user must still be when it is used.
-- token_id NULL: made without a token, on this machine.
CREATE TABLE IF NOT EXISTS sso_link (
	id_hash BINARY(32) NOT NULL PRIMARY KEY,
	user_id BIGINT UNSIGNED NOT NULL,
	issuer VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	token_id BIGINT UNSIGNED NULL,
	role ENUM('member', 'admin') NOT NULL,
	return_to VARCHAR(1000) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	created_at DATETIME(6) NOT NULL,
	expires_at DATETIME(6) NOT NULL,
	KEY sso_link_expires (expires_at),
	KEY sso_link_user (user_id),
	CONSTRAINT sso_link_of_user FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE,
	CONSTRAINT sso_link_by_token FOREIGN KEY (token_id) REFERENCES api_token (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
