#include "sql/user_links.h"

/* First the mails: a notifier that makes a link holds its mail's row, so that its link is there to be deleted
 * when that is let go. */
#define END_MAILS \
	"UPDATE notification SET state = 'suppressed', lease_token = NULL, last_error = ?" \
	" WHERE kind = 'invite' AND state IN ('waiting', 'sending') AND "

enum err user_links_add(
    struct db *db, uint64_t user_id, uint64_t created_by, const uint8_t id_hash[USER_LINK_HASH_BYTES])
{
	return db_exec(db,
	    "INSERT INTO user_link (id_hash, user_id, created_by, created_at, expires_at)"
	    " VALUES (?, ?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL ? SECOND)",
	    DB_ARGS(db_p_blob(id_hash, USER_LINK_HASH_BYTES), db_p_u64(user_id), db_p_id(created_by),
		db_p_u64(USER_LINK_S)),
	    NULL);
}

enum err user_links_end_mails(struct db *db, uint64_t user_id, const char *why)
{
	return db_exec(db, END_MAILS "user_id = ?", DB_ARGS(db_p_str(why), db_p_u64(user_id)), NULL);
}

enum err user_links_end(struct db *db, uint64_t user_id, const char *why)
{
	enum err e = user_links_end_mails(db, user_id, why);

	return e == ERR_OK
		   ? db_exec(db, "DELETE FROM user_link WHERE user_id = ?", DB_ARGS(db_p_u64(user_id)), NULL)
		   : e;
}

enum err user_links_end_account(struct db *db, uint64_t account_id, const char *why)
{
	enum err e =
	    db_exec(db, END_MAILS "account_id = ?", DB_ARGS(db_p_str(why), db_p_u64(account_id)), NULL);

	if (e != ERR_OK)
		return e;
	return db_exec(db, "DELETE l FROM user_link l JOIN user u ON u.id = l.user_id WHERE u.account_id = ?",
	    DB_ARGS(db_p_u64(account_id)), NULL);
}
