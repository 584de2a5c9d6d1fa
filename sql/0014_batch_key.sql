-- What a script calls its request: a list of jobs that is sent twice makes one batch.
ALTER TABLE batch ADD COLUMN IF NOT EXISTS request_key BINARY(16) NULL;
ALTER TABLE batch ADD UNIQUE KEY IF NOT EXISTS batch_request (account_id, request_key);
