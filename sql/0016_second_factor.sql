-- A second factor for users who want one: codes of an app that shares a secret with us.  sealed: that secret, under a key
-- that is in no database.  last_step: the newest step whose code was used; none is taken twice.
CREATE TABLE IF NOT EXISTS second_factor (
	user_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
	sealed VARBINARY(300) NOT NULL,
	last_step BIGINT UNSIGNED NOT NULL,
	created_at DATETIME(6) NOT NULL,
	CONSTRAINT second_factor_of_user FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- What works once instead of a code.  Kept hashed; a row is gone when its code was used.
CREATE TABLE IF NOT EXISTS recovery_code (
	user_id BIGINT UNSIGNED NOT NULL,
	code_hash BINARY(32) NOT NULL,
	PRIMARY KEY (user_id, code_hash),
	CONSTRAINT recovery_code_of_factor FOREIGN KEY (user_id) REFERENCES second_factor (user_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- Who has given a right password and owes the code.  It opens nothing else.  password: SHA-256 of the stored hash of that
-- password; after a change of password the ticket is void.
CREATE TABLE IF NOT EXISTS login_ticket (
	id_hash BINARY(32) NOT NULL PRIMARY KEY,
	user_id BIGINT UNSIGNED NOT NULL,
	password BINARY(32) NOT NULL,
	tries_left TINYINT UNSIGNED NOT NULL,
	expires_at DATETIME(6) NOT NULL,
	KEY login_ticket_expires (expires_at),
	CONSTRAINT login_ticket_of_user FOREIGN KEY (user_id) REFERENCES user (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
