/* Links that sign in, once they are there: looked at, used up, removed. */
#include "sql/store_sso.h"
#include "sql/tx.h"

/* Everything of the link that must still be so; token_id NULL: it was made on this machine. */
#define WORKS \
	"l.expires_at > UTC_TIMESTAMP(6) AND u.disabled_at IS NULL AND u.role = l.role AND x.closed_at IS " \
	"NULL" \
	" AND (l.token_id IS NULL OR (t.revoked_at IS NULL AND m.disabled_at IS NULL" \
	" AND (t.expires_at IS NULL OR t.expires_at > UTC_TIMESTAMP(6))" \
	" AND IF(t.account_id IS NULL, m.role = 'admin', t.account_id = m.account_id)))"

enum err store_sso_get(
    struct db *db, struct arena *a, const uint8_t hash[SSO_HASH_BYTES], struct sso_link *link_r)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT l.user_id, l.issuer, l.token_id, l.return_to, x.panel_origins, l.support FROM sso_link l"
	    " JOIN user u ON u.id = l.user_id JOIN account x ON x.id = u.account_id"
	    " LEFT JOIN api_token t ON t.id = l.token_id LEFT JOIN user m ON m.id = t.created_by"
	    " WHERE l.id_hash = ? AND " WORKS,
	    DB_ARGS(db_p_blob(hash, SSO_HASH_BYTES)), &rows);

	if (e != ERR_OK)
		return e;
	*link_r = (struct sso_link){
	    .issuer = db_str(&rows, 0, 1),
	    .token_id = db_u64(&rows, 0, 2),
	    .return_to = db_str(&rows, 0, 3),
	    .panel_origins = db_str(&rows, 0, 4),
	    .support = db_str(&rows, 0, 5),
	};
	return store_user_get(db, a, db_u64(&rows, 0, 0), &link_r->user);
}

struct use {
	struct arena *a;
	const uint8_t *hash;
	struct sso_link *link;
	bool is_good;
};

/* Whoever deletes the row has used the link: of two at the same moment, one.  A row that works for nobody any
 * more is deleted, too. */
static enum err use(struct db *db, void *ctx)
{
	struct use *u = ctx;
	uint64_t changed;
	enum err e = store_sso_get(db, u->a, u->hash, u->link);

	u->is_good = e == ERR_OK;
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	e = db_exec(db, "DELETE FROM sso_link WHERE id_hash = ? AND expires_at > UTC_TIMESTAMP(6)",
	    DB_ARGS(db_p_blob(u->hash, SSO_HASH_BYTES)), &changed);
	return e == ERR_OK && changed != 1 ? ERR_NOT_FOUND : e;
}

enum err store_sso_use(
    struct db *db, struct arena *a, const uint8_t hash[SSO_HASH_BYTES], struct sso_link *link_r)
{
	struct use u = {.a = a, .hash = hash, .link = link_r};
	enum err e = tx_run(db, use, &u);

	return e == ERR_OK && !u.is_good ? ERR_NOT_FOUND : e;
}

enum err store_sso_purge(struct db *db)
{
	return db_exec(
	    db, "DELETE FROM sso_link WHERE expires_at < UTC_TIMESTAMP(6) LIMIT 500", DB_NONE, NULL);
}
