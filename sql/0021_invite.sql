-- Who asked for a mail with a link to choose a password; of other mails NULL.  The link is not here: the notifier makes it.
ALTER TABLE notification ADD COLUMN IF NOT EXISTS created_by BIGINT UNSIGNED NULL;
