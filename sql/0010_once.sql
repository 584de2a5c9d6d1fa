-- Two jobs between the same mailboxes never run at once: copied twice at a time, their mail would be there twice.
--
-- mailboxes: what a job copies from and to, whatever the case of its letters; servers that are reached by another port are
-- the same.  running_mailboxes: the same while it runs; that it is unique is what keeps a second one from being claimed,
-- in any account, by any worker, on any node of a cluster.  If this cannot be added, two such jobs run this moment: wait
-- for one of them, or stop the workers, and migrate again.
ALTER TABLE job
	ADD COLUMN IF NOT EXISTS mailboxes BINARY(32)
		AS (UNHEX(SHA2(LOWER(CONCAT(src_host, '\n', src_user, '\n', dst_host, '\n', dst_user)), 256))) STORED,
	ADD COLUMN IF NOT EXISTS running_mailboxes BINARY(32)
		AS (IF(state = 'running', mailboxes, NULL)) STORED,
	ADD UNIQUE INDEX IF NOT EXISTS job_running_mailboxes (running_mailboxes),
	ADD INDEX IF NOT EXISTS job_same_mailboxes (mailboxes, state),
	DROP INDEX IF EXISTS job_mailboxes;

-- touched_at: when the last hundred of it were done; an action that is still going on must not be summed up.
ALTER TABLE bulk ADD COLUMN IF NOT EXISTS touched_at DATETIME(6) NULL AFTER confirmed_at;
