-- How many mails an account got within the hour, which is limited.
ALTER TABLE notification ADD INDEX IF NOT EXISTS notification_sent (account_id, sent_at);

-- What links to logs are signed with, apart from other secrets: who writes mails signs links, too.
CREATE TABLE IF NOT EXISTS log_link_key (
	id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
	bytes BINARY(32) NOT NULL,
	CONSTRAINT log_link_key_one CHECK (id = 1)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin;
INSERT IGNORE INTO log_link_key (id, bytes) SELECT 1, bytes FROM site_secret WHERE name = 'log_link';
DELETE FROM site_secret WHERE name = 'log_link';
