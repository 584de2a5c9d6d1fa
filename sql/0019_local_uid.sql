-- The system user who has used an account's "local" name (mailconvoy-web --sso): who is given the same name later, with
-- another uid, is somebody else.  NULL: no system user has used the name yet, or since it was handed over.
ALTER TABLE account_external ADD COLUMN IF NOT EXISTS uid INT UNSIGNED NULL;
ALTER TABLE account_external ADD CONSTRAINT IF NOT EXISTS account_external_uid CHECK (uid IS NULL OR issuer = 'local');
