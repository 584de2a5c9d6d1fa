-- Deleting on the destination what the source has not, with a limit that a person has confirmed.  may_delete2: whether an
-- account may at all.  delete2: of a dry run: messages_to_delete was, or is to be, counted; of a real run: up to max_delete
-- messages are deleted, messages_deleted says how many were.  No other way of making a job sets it, and none carries it
-- over.  delete2_confirmed_at: when a dry run's count was used; it is not used twice.
ALTER TABLE account ADD COLUMN IF NOT EXISTS may_delete2 BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE job
	ADD COLUMN IF NOT EXISTS delete2 BOOLEAN NOT NULL DEFAULT FALSE,
	ADD COLUMN IF NOT EXISTS max_delete INT UNSIGNED NULL,
	ADD COLUMN IF NOT EXISTS messages_to_delete BIGINT NULL,
	ADD COLUMN IF NOT EXISTS messages_deleted BIGINT NULL,
	ADD COLUMN IF NOT EXISTS delete2_confirmed_at DATETIME(6) NULL;

-- A real run without a limit is no job.  The limit is one for the whole job: what was begun with it and did not come to its
-- end may have deleted some already, so it is never begun again.
ALTER TABLE job ADD CONSTRAINT IF NOT EXISTS job_delete2_limited CHECK ((delete2 AND NOT dry_run) = (max_delete IS NOT NULL));
ALTER TABLE job ADD CONSTRAINT IF NOT EXISTS job_delete2_once CHECK (max_delete IS NULL OR (max_delete > 0 AND attempts <= 1));
