-- Somebody who signs in in a user's place (a provider's staff): what they are called, shown on every page of that session
-- and kept beside the user in the audit log.  NULL: the user themselves.
ALTER TABLE sso_link ADD COLUMN IF NOT EXISTS support VARCHAR(100) NULL;
ALTER TABLE login_ticket ADD COLUMN IF NOT EXISTS support VARCHAR(100) NULL;
ALTER TABLE session ADD COLUMN IF NOT EXISTS support VARCHAR(100) NULL;
ALTER TABLE audit ADD COLUMN IF NOT EXISTS support VARCHAR(100) NULL;
