#include "sql/sign_ins.h"

static enum err run_all(struct db *db, const char *const statements[], size_t count, uint64_t id)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = db_exec(db, statements[i], DB_ARGS(db_p_u64(id)), NULL);
	return e;
}

/* First what makes sessions, so that none is made behind what is deleted here. */
enum err sign_ins_end(struct db *db, uint64_t user_id)
{
	static const char *const statements[] = {
	    "DELETE FROM sso_link WHERE user_id = ?",
	    "DELETE FROM login_ticket WHERE user_id = ?",
	    "DELETE FROM session WHERE user_id = ?",
	};

	return run_all(db, statements, sizeof(statements) / sizeof(statements[0]), user_id);
}

enum err sign_ins_end_account(struct db *db, uint64_t account_id)
{
	static const char *const statements[] = {
	    "DELETE l FROM sso_link l JOIN user u ON u.id = l.user_id WHERE u.account_id = ?",
	    "DELETE t FROM login_ticket t JOIN user u ON u.id = t.user_id WHERE u.account_id = ?",
	    "DELETE s FROM session s JOIN user u ON u.id = s.user_id WHERE u.account_id = ?",
	};

	return run_all(db, statements, sizeof(statements) / sizeof(statements[0]), account_id);
}
