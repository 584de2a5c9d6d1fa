#include "sql/store_login_ticket.h"

#include "sql/tx.h"

static struct db_param hash_param(const uint8_t *hash)
{
	return db_p_blob(hash, LOGIN_TICKET_HASH_BYTES);
}

enum err store_login_ticket_create(
    struct db *db, const uint8_t id_hash[LOGIN_TICKET_HASH_BYTES], const struct user *u, const char *support)
{
	return db_exec(db,
	    "INSERT INTO login_ticket (id_hash, user_id, password, tries_left, support, expires_at)"
	    " VALUES (?, ?, UNHEX(SHA2(?, 256)), ?, ?, UTC_TIMESTAMP(6) + INTERVAL ? SECOND)",
	    DB_ARGS(hash_param(id_hash), db_p_u64(u->id), db_p_str(u->password_hash),
		db_p_u64(LOGIN_TICKET_TRIES), db_p_str(support), db_p_u64(LOGIN_TICKET_S)),
	    NULL);
}

enum err store_login_ticket_get(struct db *db, struct arena *a,
    const uint8_t id_hash[LOGIN_TICKET_HASH_BYTES], struct user *user_r, struct login_ticket *ticket_r)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT t.user_id, a.panel_origins, t.support FROM login_ticket t JOIN user u ON u.id = t.user_id"
	    " JOIN account a ON a.id = u.account_id WHERE t.id_hash = ?"
	    " AND t.tries_left > 0 AND t.expires_at > UTC_TIMESTAMP(6) AND u.disabled_at IS NULL"
	    " AND t.password = UNHEX(SHA2(u.password_hash, 256))",
	    DB_ARGS(hash_param(id_hash)), &rows);

	if (e != ERR_OK)
		return e;
	*ticket_r =
	    (struct login_ticket){.panel_origins = db_str(&rows, 0, 1), .support = db_str(&rows, 0, 2)};
	return store_user_get(db, a, db_u64(&rows, 0, 0), user_r);
}

static enum err one(enum err e, uint64_t changed)
{
	return e == ERR_OK && changed != 1 ? ERR_NOT_FOUND : e;
}

enum err store_login_ticket_try(struct db *db, const uint8_t id_hash[LOGIN_TICKET_HASH_BYTES])
{
	uint64_t changed = 0;
	enum err e = db_exec(db,
	    "UPDATE login_ticket SET tries_left = tries_left - 1"
	    " WHERE id_hash = ? AND tries_left > 0 AND expires_at > UTC_TIMESTAMP(6)",
	    DB_ARGS(hash_param(id_hash)), &changed);

	return one(e, changed);
}

enum err store_login_ticket_use(struct db *db, const uint8_t id_hash[LOGIN_TICKET_HASH_BYTES])
{
	uint64_t changed = 0;
	enum err e =
	    db_exec(db, "DELETE FROM login_ticket WHERE id_hash = ?", DB_ARGS(hash_param(id_hash)), &changed);

	return one(e, changed);
}

enum err store_login_ticket_purge(struct db *db)
{
	return db_exec(
	    db, "DELETE FROM login_ticket WHERE expires_at < UTC_TIMESTAMP(6) LIMIT 500", DB_NONE, NULL);
}
