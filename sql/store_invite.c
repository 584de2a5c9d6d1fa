#include "sql/store_invite.h"

#include "lib/token.h"
#include "sql/admin.h"
#include "sql/tx.h"
#include "sql/user_links.h"

enum { KEY_BYTES = 16 };

struct asking {
	const struct viewer *v;
	uint64_t user_id;
	char key[2 * KEY_BYTES + 1];
};

static enum err ask(struct db *db, void *ctx)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct asking *k = ctx;
	struct db_rows rows;
	enum err e = admin_check(db, k->v);

	if (e == ERR_OK)
		e = db_query_one(db, a, "SELECT email LIKE '%.invalid' FROM user WHERE id = ?",
		    DB_ARGS(db_p_u64(k->user_id)), &rows);
	if (e == ERR_OK && db_i64(&rows, 0, 0) != 0)
		return ERR_INVALID;
	if (e == ERR_OK)
		e = user_links_end(db, k->user_id, "another one was asked for since");
	if (e != ERR_OK)
		return e;
	return db_exec(db,
	    "INSERT INTO notification (account_id, user_id, kind, dedupe_key, next_at, created_at, "
	    "created_by)"
	    " SELECT account_id, id, 'invite', CONCAT('invite:', id, ':', ?), UTC_TIMESTAMP(6),"
	    " UTC_TIMESTAMP(6), ? FROM user WHERE id = ?",
	    DB_ARGS(db_p_str(k->key), db_p_id(k->v->user_id), db_p_u64(k->user_id)), NULL);
}

enum err store_invite_add(struct db *db, const struct viewer *v, uint64_t user_id)
{
	struct asking k = {.v = v, .user_id = user_id};
	unsigned char key[KEY_BYTES];

	token_random(key, sizeof(key));
	token_hex(key, sizeof(key), k.key);
	return tx_run(db, ask, &k);
}

struct making {
	struct arena *arena;
	const struct outbox_mail *mail;
	const uint8_t *hash;
	struct invite invite;
};

/* Its columns alone: a notifier sees no password's hash. */
static enum err read_invited(struct db *db, struct making *k)
{
	struct db_rows rows;
	enum err e = db_query_one(db, k->arena,
	    "SELECT a.name, u.disabled_at IS NOT NULL, a.suspended_at IS NOT NULL, u.email <> ? FROM user u"
	    " JOIN account a ON a.id = u.account_id WHERE u.id = ?",
	    DB_ARGS(db_p_str(k->mail->to), db_p_u64(k->mail->user_id)), &rows);

	if (e != ERR_OK)
		return e;
	k->invite = (struct invite){.account_name = db_str(&rows, 0, 0)};
	if (db_i64(&rows, 0, 1) != 0)
		k->invite.refusal = "the user is disabled";
	else if (db_i64(&rows, 0, 2) != 0)
		k->invite.refusal = "the account is suspended";
	else if (db_i64(&rows, 0, 3) != 0)
		k->invite.refusal = "the user has another address since";
	return k->invite.refusal == NULL ? ERR_OK : ERR_DENIED;
}

static enum err make(struct db *db, void *ctx)
{
	struct making *k = ctx;
	struct db_rows rows;
	uint64_t changed;
	/* Ours until the commit: who ends the user's links waits for it (sql/user_links.c).  Written, not
	 * only locked: that holds between the nodes of a Galera cluster, too. */
	enum err e = db_exec(db,
	    "UPDATE notification SET next_at = next_at + INTERVAL 1 MICROSECOND WHERE id = ?"
	    " AND kind = 'invite' AND state = 'sending' AND lease_token = ?",
	    DB_ARGS(db_p_u64(k->mail->id), db_p_blob(k->mail->token, OUTBOX_TOKEN_BYTES)), &changed);

	if (e == ERR_OK && changed == 0)
		return ERR_LOST;
	if (e == ERR_OK)
		e = db_query_one(db, k->arena, "SELECT created_by FROM notification WHERE id = ?",
		    DB_ARGS(db_p_u64(k->mail->id)), &rows);
	if (e == ERR_OK)
		e = read_invited(db, k);
	if (e == ERR_OK)
		e = db_exec(
		    db, "DELETE FROM user_link WHERE user_id = ?", DB_ARGS(db_p_u64(k->mail->user_id)), NULL);
	return e == ERR_OK ? user_links_add(db, k->mail->user_id, db_u64(&rows, 0, 0), k->hash) : e;
}

enum err store_invite_link(struct db *db, struct arena *a, const struct outbox_mail *m,
    const uint8_t id_hash[USER_LINK_HASH_BYTES], struct invite *invite_r)
{
	struct making k = {.arena = a, .mail = m, .hash = id_hash};
	enum err e = tx_run(db, make, &k);

	if (e == ERR_OK || e == ERR_DENIED)
		*invite_r = k.invite;
	return e;
}
