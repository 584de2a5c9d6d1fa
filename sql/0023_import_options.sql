-- What was asked of all mailboxes of an import, as lib/joboptions.h writes it: with the import, with the batch that it
-- becomes, and in each of its jobs.  NULL: nothing.
ALTER TABLE import ADD COLUMN IF NOT EXISTS options TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL;
ALTER TABLE import ADD CONSTRAINT IF NOT EXISTS import_options_json CHECK (options IS NULL OR JSON_VALID(options));
ALTER TABLE batch ADD COLUMN IF NOT EXISTS options TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL;
ALTER TABLE batch ADD CONSTRAINT IF NOT EXISTS batch_options_json CHECK (options IS NULL OR JSON_VALID(options));

-- An access token is longer than any password, in a row of an import as in a job (0018).
ALTER TABLE import_row MODIFY COLUMN src_sealed VARBINARY(4200) NOT NULL, MODIFY COLUMN dst_sealed VARBINARY(4200) NOT NULL;
