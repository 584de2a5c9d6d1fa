#include "sql/store_second_factor.h"

#include "sql/admin.h"
#include "sql/tx.h"

enum err store_second_factor_get(
    struct db *db, struct arena *a, uint64_t user_id, struct second_factor *factor_r)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT f.sealed, UTC_TIMESTAMP(6), f.created_at,"
	    " (SELECT COUNT(*) FROM recovery_code c WHERE c.user_id = f.user_id)"
	    " FROM second_factor f WHERE f.user_id = ?",
	    DB_ARGS(db_p_u64(user_id)), &rows);

	if (e != ERR_OK)
		return e;
	factor_r->sealed = db_blob(&rows, 0, 0, &factor_r->sealed_len);
	factor_r->now_s = db_time_s(&rows, 0, 1);
	factor_r->created_at = db_time_s(&rows, 0, 2);
	factor_r->recovery_left = (unsigned)db_u64(&rows, 0, 3);
	return ERR_OK;
}

enum err store_second_factor_now(struct db *db, int64_t *now_s_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query_one(db, a, "SELECT UTC_TIMESTAMP(6)", DB_NONE, &rows);

	if (e == ERR_OK)
		*now_s_r = db_time_s(&rows, 0, 0);
	return e;
}

struct change {
	uint64_t user_id;
	const void *sealed; /* NULL: the recovery codes alone */
	size_t sealed_len;
	uint64_t step;
	const uint8_t (*hashes)[RECOVERY_HASH_BYTES];
	size_t count;
	const struct viewer *v;
};

static enum err add_codes(struct db *db, const struct change *c)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < c->count; i++)
		e = db_exec(db, "INSERT INTO recovery_code (user_id, code_hash) VALUES (?, ?)",
		    DB_ARGS(db_p_u64(c->user_id), db_p_blob(c->hashes[i], RECOVERY_HASH_BYTES)), NULL);
	return e;
}

static enum err create(struct db *db, void *ctx)
{
	const struct change *c = ctx;
	enum err e = db_exec(db,
	    "INSERT INTO second_factor (user_id, sealed, last_step, created_at)"
	    " VALUES (?, ?, ?, UTC_TIMESTAMP(6))",
	    DB_ARGS(db_p_u64(c->user_id), db_p_blob(c->sealed, c->sealed_len), db_p_u64(c->step)), NULL);

	return e == ERR_OK ? add_codes(db, c) : e;
}

enum err store_second_factor_create(struct db *db, uint64_t user_id, const void *sealed, size_t sealed_len,
    uint64_t step, const uint8_t (*hashes)[RECOVERY_HASH_BYTES], size_t count)
{
	return tx_run(db, create,
	    &(struct change){.user_id = user_id,
		.sealed = sealed,
		.sealed_len = sealed_len,
		.step = step,
		.hashes = hashes,
		.count = count});
}

static enum err used(enum err e, uint64_t changed)
{
	return e == ERR_OK && changed != 1 ? ERR_DENIED : e;
}

enum err store_second_factor_use_step(struct db *db, uint64_t user_id, uint64_t step)
{
	uint64_t changed = 0;
	enum err e = db_exec(db, "UPDATE second_factor SET last_step = ? WHERE user_id = ? AND last_step < ?",
	    DB_ARGS(db_p_u64(step), db_p_u64(user_id), db_p_u64(step)), &changed);

	return used(e, changed);
}

enum err store_second_factor_use_recovery(
    struct db *db, uint64_t user_id, const uint8_t hash[RECOVERY_HASH_BYTES])
{
	uint64_t changed = 0;
	enum err e = db_exec(db, "DELETE FROM recovery_code WHERE user_id = ? AND code_hash = ?",
	    DB_ARGS(db_p_u64(user_id), db_p_blob(hash, RECOVERY_HASH_BYTES)), &changed);

	return used(e, changed);
}

/* The lock keeps two who renew at the same moment from leaving twice as many. */
static enum err renew(struct db *db, void *ctx)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct change *c = ctx;
	struct db_rows rows;
	enum err e = db_query_one(db, a, "SELECT user_id FROM second_factor WHERE user_id = ? FOR UPDATE",
	    DB_ARGS(db_p_u64(c->user_id)), &rows);

	if (e == ERR_OK)
		e = db_exec(
		    db, "DELETE FROM recovery_code WHERE user_id = ?", DB_ARGS(db_p_u64(c->user_id)), NULL);
	return e == ERR_OK ? add_codes(db, c) : e;
}

enum err store_second_factor_renew(
    struct db *db, uint64_t user_id, const uint8_t (*hashes)[RECOVERY_HASH_BYTES], size_t count)
{
	return tx_run(db, renew, &(struct change){.user_id = user_id, .hashes = hashes, .count = count});
}

enum err store_second_factor_delete(struct db *db, uint64_t user_id)
{
	uint64_t changed = 0;
	enum err e =
	    db_exec(db, "DELETE FROM second_factor WHERE user_id = ?", DB_ARGS(db_p_u64(user_id)), &changed);

	return e == ERR_OK && changed != 1 ? ERR_NOT_FOUND : e;
}

static enum err reset(struct db *db, void *ctx)
{
	const struct change *c = ctx;
	enum err e = admin_check(db, c->v);

	if (e == ERR_OK && c->user_id == c->v->user_id)
		return ERR_CONFLICT;
	return e == ERR_OK ? store_second_factor_delete(db, c->user_id) : e;
}

enum err store_second_factor_reset(struct db *db, const struct viewer *v, uint64_t user_id)
{
	return tx_run(db, reset, &(struct change){.user_id = user_id, .v = v});
}

enum err store_second_factor_count(
    struct db *db, const uint8_t id[SECOND_FACTOR_KEY_ID_BYTES], unsigned *count_r, unsigned *other_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	/* the id stands behind the box's version */
	enum err e = db_query_one(db, a,
	    "SELECT COUNT(*), COALESCE(SUM(SUBSTR(sealed, 2, 4) <> ?), 0) FROM second_factor",
	    DB_ARGS(db_p_blob(id, SECOND_FACTOR_KEY_ID_BYTES)), &rows);

	if (e == ERR_OK) {
		*count_r = (unsigned)db_u64(&rows, 0, 0);
		*other_r = (unsigned)db_u64(&rows, 0, 1);
	}
	return e;
}
