-- Whose turn it is: accounts go round, from the one that was served last on.  Written by the claims alone, a row for each
-- account, so that claims of different accounts do not meet; no foreign key: they do not wait for what holds the
-- account's own row.
CREATE TABLE IF NOT EXISTS account_turn (
	account_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
	claimed_at DATETIME(6) NOT NULL,
	KEY account_turn_last (claimed_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;

-- waits_in: the account of a queued job, NULL of every other.  Its index holds the queue alone, account by account.
ALTER TABLE job ADD COLUMN IF NOT EXISTS waits_in BIGINT UNSIGNED AS (IF(state = 'queued', account_id, NULL)) STORED;
CREATE INDEX IF NOT EXISTS job_turn ON job (waits_in, queued_at, id);
