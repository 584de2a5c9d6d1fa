-- Where the mails about an account's jobs and batches go instead of to their owners.  NULL: each to its owner's address.
ALTER TABLE account ADD COLUMN IF NOT EXISTS notify_email VARCHAR(254) NULL;
ALTER TABLE account DROP CONSTRAINT IF EXISTS account_closed, ADD CONSTRAINT account_closed CHECK
	(closed_at IS NULL OR (suspended_at IS NOT NULL AND panel_origins IS NULL AND notify_email IS NULL));

-- Whom a mail was offered to last: the address may be another since.
ALTER TABLE notification ADD COLUMN IF NOT EXISTS last_to VARCHAR(254) NULL;
