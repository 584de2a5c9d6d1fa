-- Mails to be sent.  A notification that is being sent is leased to one notifier: lease_token says to whom, and next_at
-- until when.
ALTER TABLE notification ADD COLUMN IF NOT EXISTS lease_token BINARY(16) NULL AFTER attempts;
ALTER TABLE notification ADD INDEX IF NOT EXISTS notification_job (job_id);
ALTER TABLE notification ADD INDEX IF NOT EXISTS notification_batch (batch_id, id);

-- ends: how many runs in it have ended, ever; it is written by each, so that of two that end at once one comes after the
-- other.  unreported: how many of them no summary has told of yet.
ALTER TABLE batch ADD COLUMN IF NOT EXISTS ends BIGINT UNSIGNED NOT NULL DEFAULT 0;
ALTER TABLE batch ADD COLUMN IF NOT EXISTS unreported BIGINT UNSIGNED NOT NULL DEFAULT 0;
ALTER TABLE batch ADD INDEX IF NOT EXISTS batch_unreported (unreported);
