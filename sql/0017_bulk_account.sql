-- Which account was acted for: one user may act for several, and what was asked for one is not the others' to see.
ALTER TABLE bulk ADD COLUMN IF NOT EXISTS account_id BIGINT UNSIGNED NULL AFTER user_id;
UPDATE bulk b JOIN user u ON u.id = b.user_id SET b.account_id = u.account_id WHERE b.account_id IS NULL;
ALTER TABLE bulk ADD UNIQUE KEY IF NOT EXISTS bulk_asked (user_id, as_admin, account_id, request_key);
ALTER TABLE bulk DROP KEY IF EXISTS bulk_request;
