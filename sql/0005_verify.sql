-- What the verification behind a real run found.  verify_state NULL: there was none.  verify_mode: how contents were
-- compared.  verify_messages: what ought to be on the destination; verified_messages: what is.  verify_extra,
-- verify_newer and verify_adapted (line ends, dates, added Message-Ids) are no faults.  verify_note: why it could not be
-- done.  verify_rows: the first faulty messages, a line for each: fault, tab, text.

ALTER TABLE job
	ADD COLUMN IF NOT EXISTS verify_state ENUM('running', 'verified', 'faults', 'unverified') NULL,
	ADD COLUMN IF NOT EXISTS verify_mode ENUM('size', 'content') NULL,
	ADD COLUMN IF NOT EXISTS verify_messages BIGINT NULL,
	ADD COLUMN IF NOT EXISTS verified_messages BIGINT NULL,
	ADD COLUMN IF NOT EXISTS verify_missing BIGINT NULL,
	ADD COLUMN IF NOT EXISTS verify_altered BIGINT NULL,
	ADD COLUMN IF NOT EXISTS verify_doubled BIGINT NULL,
	ADD COLUMN IF NOT EXISTS verify_extra BIGINT NULL,
	ADD COLUMN IF NOT EXISTS verify_newer BIGINT NULL,
	ADD COLUMN IF NOT EXISTS verify_adapted BIGINT NULL,
	ADD COLUMN IF NOT EXISTS verify_note VARCHAR(1000) COLLATE utf8mb4_unicode_520_nopad_ci NULL,
	ADD COLUMN IF NOT EXISTS verify_rows TEXT COLLATE utf8mb4_unicode_520_nopad_ci NULL;
