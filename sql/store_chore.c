#include "sql/store_chore.h"

enum err store_chore_take(struct db *db, const char *name, uint64_t worker_id, unsigned lease_s)
{
	uint64_t changed;
	enum err e = db_exec(db,
	    "UPDATE chore SET worker_id = ?, due_at = UTC_TIMESTAMP(6) + INTERVAL ? SECOND"
	    " WHERE name = ? AND (worker_id = ? OR due_at <= UTC_TIMESTAMP(6))",
	    DB_ARGS(db_p_u64(worker_id), db_p_u64(lease_s), db_p_str(name), db_p_u64(worker_id)), &changed);

	return e == ERR_OK && changed != 1 ? ERR_NOT_FOUND : e;
}

enum err store_chore_done(struct db *db, const char *name, uint64_t worker_id, unsigned pause_s)
{
	return db_exec(db,
	    "UPDATE chore SET worker_id = NULL, due_at = UTC_TIMESTAMP(6) + INTERVAL ? SECOND"
	    " WHERE name = ? AND worker_id = ?",
	    DB_ARGS(db_p_u64(pause_s), db_p_str(name), db_p_u64(worker_id)), NULL);
}
