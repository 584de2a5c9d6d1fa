#include "sql/admin.h"

#include "lib/arena.h"

enum err admin_check(struct db *db, const struct viewer *v)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e;

	if (!viewer_is_admin(v))
		return ERR_DENIED;
	if (v->user_id == 0)
		return ERR_OK;
	e = db_query_one(db, a, "SELECT id FROM user WHERE id = ? AND role = 'admin' AND disabled_at IS NULL",
	    DB_ARGS(db_p_u64(v->user_id)), &rows);
	return e == ERR_NOT_FOUND ? ERR_DENIED : e;
}
