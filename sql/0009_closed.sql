-- A customer who has left.  Closed for good: without external id, so that a name given anew is a new customer's.
ALTER TABLE account ADD COLUMN IF NOT EXISTS closed_at DATETIME(6) NULL;
ALTER TABLE account ADD CONSTRAINT IF NOT EXISTS account_closed CHECK
	(closed_at IS NULL OR (suspended_at IS NOT NULL AND external_id IS NULL AND panel_origins IS NULL));
