/* An account whose system user is somebody else now. */
#include "sql/admin.h"
#include "sql/sign_ins.h"
#include "sql/store_account.h"
#include "sql/tx.h"
#include "sql/user_links.h"

struct handing {
	const struct viewer *v;
	uint64_t id;
	int64_t uid;
};

/* Whoever is signed in, or could be by what they were sent, may be the former one. */
static enum err sign_out(struct db *db, uint64_t id)
{
	enum err e = user_links_end_account(db, id, "the account was handed over");

	return e == ERR_OK ? sign_ins_end_account(db, id) : e;
}

static enum err hand_over(struct db *db, void *ctx)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct handing *h = ctx;
	struct db_rows rows;
	enum err e = admin_check(db, h->v);

	/* locked as store_sso_issue() does, so that no link is made meanwhile */
	if (e == ERR_OK)
		e = db_query_one(db, a,
		    "SELECT id FROM account WHERE id = ? AND closed_at IS NULL FOR UPDATE",
		    DB_ARGS(db_p_u64(h->id)), &rows);
	if (e == ERR_OK)
		e = db_query_one(db, a,
		    "SELECT uid FROM account_external WHERE account_id = ? AND issuer = ? FOR UPDATE",
		    DB_ARGS(db_p_u64(h->id), db_p_str(ISSUER_LOCAL)), &rows);
	if (e != ERR_OK)
		return e;
	h->uid = db_is_null(&rows, 0, 0) ? -1 : (int64_t)db_u64(&rows, 0, 0);
	e = db_exec(db, "UPDATE account_external SET uid = NULL WHERE account_id = ? AND issuer = ?",
	    DB_ARGS(db_p_u64(h->id), db_p_str(ISSUER_LOCAL)), NULL);
	return e == ERR_OK ? sign_out(db, h->id) : e;
}

enum err store_account_hand_over(struct db *db, const struct viewer *v, uint64_t id, int64_t *uid_r)
{
	struct handing h = {.v = v, .id = id};
	enum err e = tx_run(db, hand_over, &h);

	if (e == ERR_OK)
		*uid_r = h.uid;
	return e;
}
