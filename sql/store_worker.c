#include "sql/store_worker.h"

#define COLUMNS \
	"SELECT w.id, w.host, w.pid, w.boot_id, w.version, w.state, w.started_at, w.heartbeat_at, " \
	"w.stopped_at," \
	" TIMESTAMPDIFF(MICROSECOND, w.heartbeat_at, UTC_TIMESTAMP(6)) DIV 1000," \
	" (SELECT COUNT(*) FROM job j WHERE j.worker_id = w.id AND j.state = 'running') FROM worker w "

enum err store_worker_register(
    struct db *db, const char *host, int64_t pid, const char *boot_id, const char *version, uint64_t *id_r)
{
	enum err e = db_exec(db,
	    "INSERT INTO worker (host, pid, boot_id, version, state, started_at, heartbeat_at)"
	    " VALUES (LEFT(?, 255), ?, LEFT(?, 64), LEFT(?, 64), 'running', UTC_TIMESTAMP(6), "
	    "UTC_TIMESTAMP(6))",
	    DB_ARGS(db_p_str(host), db_p_i64(pid), db_p_str(boot_id), db_p_str(version)), NULL);

	if (e == ERR_OK)
		*id_r = db_insert_id(db);
	return e;
}

enum err store_worker_heartbeat(struct db *db, uint64_t id)
{
	uint64_t changed;
	enum err e = db_exec(db,
	    "UPDATE worker SET heartbeat_at = UTC_TIMESTAMP(6) WHERE id = ? AND state IN ('running', "
	    "'stopping')",
	    DB_ARGS(db_p_u64(id)), &changed);

	return e == ERR_OK && changed == 0 ? ERR_LOST : e;
}

enum err store_worker_stopping(struct db *db, uint64_t id)
{
	return db_exec(db,
	    "UPDATE worker SET state = 'stopping', heartbeat_at = UTC_TIMESTAMP(6) WHERE id = ? AND state = "
	    "'running'",
	    DB_ARGS(db_p_u64(id)), NULL);
}

static enum err end(struct db *db, uint64_t id, const char *state)
{
	return db_exec(db,
	    "UPDATE worker SET state = ?, stopped_at = UTC_TIMESTAMP(6)"
	    " WHERE id = ? AND state IN ('running', 'stopping')",
	    DB_ARGS(db_p_str(state), db_p_u64(id)), NULL);
}

enum err store_worker_stopped(struct db *db, uint64_t id)
{
	return end(db, id, "stopped");
}

enum err store_worker_dead(struct db *db, uint64_t id)
{
	return end(db, id, "dead");
}

static struct worker *read_rows(struct arena *a, const struct db_rows *rows)
{
	struct worker *list = arena_array(a, rows->count, sizeof(*list));

	for (size_t i = 0; i < rows->count; i++)
		list[i] = (struct worker){
		    .id = db_u64(rows, i, 0),
		    .host = db_str(rows, i, 1),
		    .pid = db_i64(rows, i, 2),
		    .boot_id = db_str(rows, i, 3),
		    .version = db_str(rows, i, 4),
		    .state = db_str(rows, i, 5),
		    .started_at = db_time_s(rows, i, 6),
		    .heartbeat_at = db_time_s(rows, i, 7),
		    .stopped_at = db_time_s(rows, i, 8),
		    .silent_ms = db_i64(rows, i, 9),
		    .jobs = (unsigned)db_u64(rows, i, 10),
		};
	return list;
}

enum err store_worker_predecessors(
    struct db *db, struct arena *a, const char *host, uint64_t self, struct worker **list_r, size_t *count_r)
{
	struct db_rows rows;
	enum err e = db_query(db, a,
	    COLUMNS
	    "WHERE w.host = LEFT(?, 255) AND w.state IN ('running', 'stopping') AND w.id <> ? ORDER BY w.id",
	    DB_ARGS(db_p_str(host), db_p_u64(self)), &rows);

	if (e != ERR_OK)
		return e;
	*list_r = read_rows(a, &rows);
	*count_r = rows.count;
	return ERR_OK;
}

enum err store_worker_list(struct db *db, struct arena *a, struct worker **list_r, size_t *count_r)
{
	struct db_rows rows;
	enum err e = db_query(db, a, COLUMNS "ORDER BY w.id DESC LIMIT 100", DB_NONE, &rows);

	if (e != ERR_OK)
		return e;
	*list_r = read_rows(a, &rows);
	*count_r = rows.count;
	return ERR_OK;
}
