#include "sql/store_user_admin.h"

#include "sql/admin.h"
#include "sql/sign_ins.h"
#include "sql/tx.h"
#include "sql/user_links.h"

enum change_kind { CHANGE_INVITE, CHANGE_ROLE, CHANGE_ADMIT, CHANGE_SIGN_OUT, CHANGE_LINK };

struct change {
	const struct viewer *v;
	enum change_kind kind;
	uint64_t id; /* the user; of an invitation the result */
	uint64_t account_id;
	const char *email;
	enum role role;
	bool disabled;
	const uint8_t *hash;
};

static struct db_param hash_param(const uint8_t *hash)
{
	return db_p_blob(hash, USER_LINK_HASH_BYTES);
}

/* After a change, inside its transaction: somebody must be left who can undo it.  Locking, or two who take
 * each other's rights at the same moment would each still see the other. */
static enum err demand_admin(struct db *db, struct arena *a)
{
	struct db_rows rows;
	enum err e = db_query(db, a,
	    "SELECT id FROM user WHERE role = 'admin' AND disabled_at IS NULL FOR UPDATE", DB_NONE, &rows);

	return e == ERR_OK && rows.count == 0 ? ERR_CONFLICT : e;
}

static enum err set_role(struct db *db, struct arena *a, const struct change *c)
{
	enum err e;

	if (c->id == c->v->user_id)
		return ERR_CONFLICT;
	e = db_exec(db, "UPDATE user SET role = ? WHERE id = ?",
	    DB_ARGS(db_p_str(role_name(c->role)), db_p_u64(c->id)), NULL);
	if (e == ERR_OK)
		e = demand_admin(db, a);
	/* it was made for less, and perhaps by who may make none for this role */
	if (e == ERR_OK)
		e = user_links_end(db, c->id, "the role was changed since");
	return e == ERR_OK ? sign_ins_end(db, c->id) : e;
}

/* Locked, so that the account is not closed meanwhile: closing disables everybody, for good. */
static enum err demand_open(struct db *db, struct arena *a, uint64_t user_id)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT id FROM account WHERE id = (SELECT account_id FROM user WHERE id = ?) AND closed_at IS "
	    "NULL"
	    " LOCK IN SHARE MODE",
	    DB_ARGS(db_p_u64(user_id)), &rows);

	return e == ERR_NOT_FOUND ? ERR_INVALID : e;
}

static enum err admit(struct db *db, struct arena *a, const struct change *c)
{
	enum err e = ERR_OK;

	if (c->id == c->v->user_id)
		return ERR_CONFLICT;
	if (!c->disabled)
		e = demand_open(db, a, c->id);
	if (e != ERR_OK)
		return e;
	e = db_exec(db,
	    "UPDATE user SET disabled_at = IF(?, COALESCE(disabled_at, UTC_TIMESTAMP(6)), NULL) WHERE id = ?",
	    DB_ARGS(db_p_u64(c->disabled), db_p_u64(c->id)), NULL);
	if (e == ERR_OK)
		e = demand_admin(db, a);
	if (e == ERR_OK)
		e = user_links_end(db, c->id, "the user was disabled or enabled since");
	return e == ERR_OK ? sign_ins_end(db, c->id) : e;
}

static enum err make_link(struct db *db, const struct change *c)
{
	enum err e = user_links_end(db, c->id, "a link was made to be passed on since");

	return e == ERR_OK ? user_links_add(db, c->id, c->v->user_id, c->hash) : e;
}

static enum err change(struct db *db, void *ctx)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct change *c = ctx;
	struct user user;
	enum err e = admin_check(db, c->v);

	if (e == ERR_OK && c->kind == CHANGE_INVITE)
		return store_user_create(db, c->account_id, c->email, USER_NO_PASSWORD, c->role, &c->id);
	if (e == ERR_OK)
		e = store_user_get(db, a, c->id, &user);
	if (e != ERR_OK)
		return e;
	switch (c->kind) {
	case CHANGE_ROLE: return set_role(db, a, c);
	case CHANGE_ADMIT: return admit(db, a, c);
	case CHANGE_LINK: return make_link(db, c);
	default: return sign_ins_end(db, c->id);
	}
}

enum err store_user_invite(struct db *db, const struct viewer *v, uint64_t account_id, const char *email,
    enum role role, uint64_t *id_r)
{
	struct change c = {
	    .v = v, .kind = CHANGE_INVITE, .account_id = account_id, .email = email, .role = role};
	enum err e = tx_run(db, change, &c);

	if (e == ERR_OK)
		*id_r = c.id;
	return e;
}

enum err store_user_set_role(struct db *db, const struct viewer *v, uint64_t id, enum role role)
{
	return tx_run(db, change, &(struct change){.v = v, .kind = CHANGE_ROLE, .id = id, .role = role});
}

enum err store_user_admit(struct db *db, const struct viewer *v, uint64_t id, bool disabled)
{
	return tx_run(
	    db, change, &(struct change){.v = v, .kind = CHANGE_ADMIT, .id = id, .disabled = disabled});
}

enum err store_user_sign_out(struct db *db, const struct viewer *v, uint64_t id)
{
	return tx_run(db, change, &(struct change){.v = v, .kind = CHANGE_SIGN_OUT, .id = id});
}

enum err store_user_link_create(
    struct db *db, const struct viewer *v, uint64_t user_id, const uint8_t id_hash[USER_LINK_HASH_BYTES])
{
	return tx_run(
	    db, change, &(struct change){.v = v, .kind = CHANGE_LINK, .id = user_id, .hash = id_hash});
}

enum err store_user_link_purge(struct db *db)
{
	return db_exec(
	    db, "DELETE FROM user_link WHERE expires_at < UTC_TIMESTAMP(6) LIMIT 500", DB_NONE, NULL);
}

enum err store_user_link_get(
    struct db *db, struct arena *a, const uint8_t id_hash[USER_LINK_HASH_BYTES], struct user *user_r)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT l.user_id FROM user_link l JOIN user u ON u.id = l.user_id WHERE l.id_hash = ?"
	    " AND l.expires_at > UTC_TIMESTAMP(6) AND u.disabled_at IS NULL",
	    DB_ARGS(hash_param(id_hash)), &rows);

	return e == ERR_OK ? store_user_get(db, a, db_u64(&rows, 0, 0), user_r) : e;
}

struct use {
	const uint8_t *hash;
	const char *password_hash;
};

/* Whoever deletes the row has used the link: of two at the same moment, one. */
static enum err use_link(struct db *db, void *ctx)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct use *u = ctx;
	struct user user;
	uint64_t changed;
	enum err e = store_user_link_get(db, a, u->hash, &user);

	if (e == ERR_OK)
		e = db_exec(
		    db, "DELETE FROM user_link WHERE id_hash = ?", DB_ARGS(hash_param(u->hash)), &changed);
	if (e == ERR_OK && changed != 1)
		return ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = db_exec(db, "UPDATE user SET password_hash = ? WHERE id = ?",
		    DB_ARGS(db_p_str(u->password_hash), db_p_u64(user.id)), NULL);
	if (e == ERR_OK)
		e = user_links_end_mails(db, user.id, "a password was set since");
	return e == ERR_OK ? sign_ins_end(db, user.id) : e;
}

enum err store_user_link_use(
    struct db *db, const uint8_t id_hash[USER_LINK_HASH_BYTES], const char *password_hash)
{
	if (!text_fits(password_hash, 1, 255))
		return ERR_INVALID;
	return tx_run(db, use_link, &(struct use){id_hash, password_hash});
}
