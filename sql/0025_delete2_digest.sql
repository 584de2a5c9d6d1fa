-- What a dry run found to be deleted, and a confirmed real run may delete: the engine's digest of these messages.  Their number
-- alone would let another message go in the place of one that is gone.  A count of before this column is confirmed no more.
ALTER TABLE job ADD COLUMN IF NOT EXISTS delete2_digest CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL;
