-- What was asked of a job beyond its two sides: one object, as lib/joboptions.h writes it.  NULL: nothing.
ALTER TABLE job ADD COLUMN IF NOT EXISTS options TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NULL;
ALTER TABLE job ADD CONSTRAINT IF NOT EXISTS job_options_json CHECK (options IS NULL OR JSON_VALID(options));
