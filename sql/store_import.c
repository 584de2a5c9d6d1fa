#include "sql/store_import.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "sql/tx.h"

/* An import of this user's that is not over. */
#define MINE \
	"id = ? AND user_id = ? AND account_id = ? AND (batch_id IS NOT NULL OR expires_at > " \
	"UTC_TIMESTAMP(6))"
#define MINE_ARGS(v, import) db_p_u64(import), db_p_u64((v)->user_id), db_p_u64((v)->account_id)
/* For a row's import_id. */
#define OF_MINE "import_id IN (SELECT id FROM import WHERE " MINE ")"

/* Rows sent at once: few enough for the parameters of one statement and for the memory of one request. */
enum { ROWS_AT_ONCE = 24, ROW_PARAMS = 10, ACTIVE_AT_ONCE = 1000 };

#define ROW_COLUMNS \
	"INSERT INTO import_row (import_id, line, name, dry_run, src_server_id, src_user, src_sealed," \
	" dst_server_id, dst_user, dst_sealed) VALUES "
#define ROW_VALUES "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

struct import_writer {
	struct db *db;
	struct arena *arena; /* of the rows kept */
	uint64_t id, good, bad;
	unsigned last_line;
	size_t kept;
	struct import_row rows[ROWS_AT_ONCE];
};

/* Let the oldest waiting ones of this user in this account expire, so that with one more there are not too
 * many. */
static enum err make_room(struct db *db, const struct viewer *v)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT id FROM import WHERE user_id = ? AND account_id = ? AND batch_id IS NULL"
	    " AND expires_at > UTC_TIMESTAMP(6) ORDER BY id DESC LIMIT 1 OFFSET ?",
	    DB_ARGS(db_p_u64(v->user_id), db_p_u64(v->account_id), db_p_u64(IMPORT_WAITING_MAX - 1)), &rows);

	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	return db_exec(db,
	    "UPDATE import SET expires_at = UTC_TIMESTAMP(6) WHERE user_id = ? AND account_id = ? AND id <= ?"
	    " AND batch_id IS NULL AND expires_at > UTC_TIMESTAMP(6)",
	    DB_ARGS(db_p_u64(v->user_id), db_p_u64(v->account_id), db_p_u64(db_u64(&rows, 0, 0))), NULL);
}

enum err store_import_begin(
    struct db *db, const struct viewer *v, const char *options, struct import_writer **w_r)
{
	struct import_writer *w;
	enum err e;

	if (options != NULL && strlen(options) > IMPORT_OPTIONS_MAX_BYTES)
		return ERR_INVALID;
	e = make_room(db, v);
	if (e == ERR_OK)
		e = db_begin(db);
	if (e == ERR_OK)
		e = db_exec(db,
		    "INSERT INTO import (account_id, user_id, options, created_at, expires_at) VALUES (?, ?, "
		    "NULLIF(?, ''),"
		    " UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL ? SECOND)",
		    DB_ARGS(db_p_u64(v->account_id), db_p_u64(v->user_id), db_p_str(options),
			db_p_u64(IMPORT_TTL_S)),
		    NULL);
	if (e != ERR_OK) {
		db_rollback(db);
		return e;
	}
	w = mem_alloc(sizeof(*w));
	w->db = db;
	w->arena = arena_new();
	w->id = db_insert_id(db);
	*w_r = w;
	return ERR_OK;
}

static void add_row_params(struct query *q, const char *sql, uint64_t id, const struct import_row *r)
{
	query_add_p(q, sql, db_p_u64(id));
	q->params[q->count++] = db_p_u64(r->line);
	q->params[q->count++] = db_p_str(r->name);
	q->params[q->count++] = db_p_count(r->dry_run);
	q->params[q->count++] = db_p_u64(r->src_server_id);
	q->params[q->count++] = db_p_str(r->src_user);
	q->params[q->count++] = db_p_blob(r->src_sealed.bytes, r->src_sealed.len);
	q->params[q->count++] = db_p_u64(r->dst_server_id);
	q->params[q->count++] = db_p_str(r->dst_user);
	q->params[q->count++] = db_p_blob(r->dst_sealed.bytes, r->dst_sealed.len);
}

/* Send what is kept: all together when it is a full load, else one by one, so that there are two statements
 * only. */
static enum err flush(struct import_writer *w)
{
	size_t step = w->kept == ROWS_AT_ONCE ? ROWS_AT_ONCE : 1;
	enum err e = ERR_OK;

	for (size_t at = 0; e == ERR_OK && at < w->kept; at += step) {
		AUTO_QUERY struct query q = QUERY_INIT;

		query_add(&q, ROW_COLUMNS);
		for (size_t i = 0; i < step; i++)
			add_row_params(&q, i == 0 ? ROW_VALUES : ", " ROW_VALUES, w->id, &w->rows[at + i]);
		e = db_exec(w->db, q.sql.data, q.params, q.count, NULL);
	}
	w->kept = 0;
	arena_reset(w->arena);
	return e;
}

static struct job_sealed copy_sealed(struct arena *a, const struct job_sealed *s)
{
	return (struct job_sealed){.bytes = arena_strndup(a, s->bytes, s->len), .len = s->len};
}

enum err store_import_add(struct import_writer *w, const struct import_row *row)
{
	struct import_row *r = &w->rows[w->kept];

	if (row->line <= w->last_line || !text_fits(row->name, 0, JOB_NAME_MAX_CHARS) ||
	    !text_fits(row->src_user, 1, 255) || !text_fits(row->dst_user, 1, 255))
		return ERR_INVALID;
	*r = *row;
	r->name = row->name != NULL && *row->name != '\0' ? arena_strdup(w->arena, row->name) : NULL;
	r->src_user = arena_strdup(w->arena, row->src_user);
	r->dst_user = arena_strdup(w->arena, row->dst_user);
	r->src_sealed = copy_sealed(w->arena, &row->src_sealed);
	r->dst_sealed = copy_sealed(w->arena, &row->dst_sealed);
	w->last_line = row->line;
	w->good++;
	return ++w->kept == ROWS_AT_ONCE ? flush(w) : ERR_OK;
}

enum err store_import_add_bad(struct import_writer *w, const struct import_bad *bad)
{
	w->bad++;
	return db_exec(w->db,
	    "INSERT INTO import_bad (import_id, line, fields, problems) VALUES (?, ?, ?, ?)",
	    DB_ARGS(db_p_u64(w->id), db_p_u64(bad->line), db_p_str(bad->fields), db_p_str(bad->problems)),
	    NULL);
}

static void writer_free(struct import_writer **w)
{
	arena_free(&(*w)->arena);
	free(*w);
	*w = NULL;
}

enum err store_import_end(struct import_writer **w, uint64_t *id_r)
{
	struct db *db = (*w)->db;
	enum err e = flush(*w);

	if (e == ERR_OK)
		e = db_exec(db, "UPDATE import SET rows_good = ?, rows_bad = ? WHERE id = ?",
		    DB_ARGS(db_p_u64((*w)->good), db_p_u64((*w)->bad), db_p_u64((*w)->id)), NULL);
	if (e == ERR_OK)
		e = db_commit(db);
	else
		db_rollback(db);
	if (e == ERR_OK)
		*id_r = (*w)->id;
	writer_free(w);
	return e;
}

void store_import_abandon(struct import_writer **w)
{
	if (*w == NULL)
		return;
	db_rollback((*w)->db);
	writer_free(w);
}

enum err store_import_get(
    struct db *db, struct arena *a, const struct viewer *v, uint64_t id, struct import *import_r)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT id, rows_good, rows_bad, created_at, expires_at, batch_id, options FROM import "
	    "WHERE " MINE,
	    DB_ARGS(MINE_ARGS(v, id)), &rows);

	if (e == ERR_OK)
		*import_r = (struct import){
		    .id = db_u64(&rows, 0, 0),
		    .rows_good = db_u64(&rows, 0, 1),
		    .rows_bad = db_u64(&rows, 0, 2),
		    .created_at = db_time_s(&rows, 0, 3),
		    .expires_at = db_time_s(&rows, 0, 4),
		    .batch_id = db_u64(&rows, 0, 5),
		    .options = db_str(&rows, 0, 6),
		};
	return e;
}

enum err store_import_pairs(struct db *db, struct arena *a, const struct viewer *v, uint64_t id,
    unsigned limit, struct import_pair **list_r, size_t *count_r)
{
	struct db_rows rows;
	enum err e = db_query(db, a,
	    "SELECT (SELECT name FROM server s WHERE s.id = r.src_server_id),"
	    " (SELECT name FROM server d WHERE d.id = r.dst_server_id),"
	    " COUNT(*), COALESCE(SUM(r.dry_run = 1), 0), COALESCE(SUM(r.dry_run = 0), 0),"
	    " (SELECT host FROM server s WHERE s.id = r.src_server_id)"
	    " FROM import_row r WHERE r." OF_MINE " GROUP BY r.src_server_id, r.dst_server_id ORDER BY 3 "
	    "DESC, r.src_server_id, r.dst_server_id LIMIT ?",
	    DB_ARGS(MINE_ARGS(v, id), db_p_u64(limit)), &rows);

	if (e != ERR_OK)
		return e;
	*count_r = rows.count;
	*list_r = arena_array(a, rows.count, sizeof(**list_r));
	for (size_t i = 0; i < rows.count; i++)
		(*list_r)[i] = (struct import_pair){
		    .src_name = db_str(&rows, i, 0),
		    .dst_name = db_str(&rows, i, 1),
		    .rows = db_u64(&rows, i, 2),
		    .dry = db_u64(&rows, i, 3),
		    .real = db_u64(&rows, i, 4),
		    .src_host = db_str(&rows, i, 5),
		};
	return ERR_OK;
}

enum err store_import_samples(struct db *db, struct arena *a, const struct viewer *v, uint64_t id,
    unsigned limit, struct import_sample **list_r, size_t *count_r)
{
	struct db_rows rows;
	enum err e = db_query(db, a,
	    "SELECT r.line, r.name, r.dry_run, r.src_server_id, r.src_user, r.dst_server_id, r.dst_user,"
	    " (SELECT name FROM server s WHERE s.id = r.src_server_id),"
	    " (SELECT name FROM server d WHERE d.id = r.dst_server_id)"
	    " FROM import_row r WHERE r." OF_MINE " ORDER BY r.line LIMIT ?",
	    DB_ARGS(MINE_ARGS(v, id), db_p_u64(limit)), &rows);

	if (e != ERR_OK)
		return e;
	*count_r = rows.count;
	*list_r = arena_array(a, rows.count, sizeof(**list_r));
	for (size_t i = 0; i < rows.count; i++)
		(*list_r)[i] = (struct import_sample){
		    .row = {.line = (unsigned)db_u64(&rows, i, 0),
			.name = db_str(&rows, i, 1),
			.dry_run = (int)db_count(&rows, i, 2),
			.src_server_id = db_u64(&rows, i, 3),
			.src_user = db_str(&rows, i, 4),
			.dst_server_id = db_u64(&rows, i, 5),
			.dst_user = db_str(&rows, i, 6)},
		    .src_name = db_str(&rows, i, 7),
		    .dst_name = db_str(&rows, i, 8),
		};
	return ERR_OK;
}

enum err store_import_bad_list(struct db *db, struct arena *a, const struct viewer *v, uint64_t id,
    unsigned after, unsigned limit, struct import_bad **list_r, size_t *count_r)
{
	struct db_rows rows;
	enum err e;

	if (limit < 1 || limit > IMPORT_PAGE_MAX)
		return ERR_INVALID;
	e = db_query(db, a,
	    "SELECT line, fields, problems FROM import_bad WHERE " OF_MINE
	    " AND line > ? ORDER BY line LIMIT ?",
	    DB_ARGS(MINE_ARGS(v, id), db_p_u64(after), db_p_u64(limit)), &rows);
	if (e != ERR_OK)
		return e;
	*count_r = rows.count;
	*list_r = arena_array(a, rows.count, sizeof(**list_r));
	for (size_t i = 0; i < rows.count; i++)
		(*list_r)[i] = (struct import_bad){.line = (unsigned)db_u64(&rows, i, 0),
		    .fields = db_str(&rows, i, 1),
		    .problems = db_str(&rows, i, 2)};
	return ERR_OK;
}

/* The active jobs of one state, in the order of their index, some at a time. */
static enum err active_in(struct db *db, const struct viewer *v, const char *state,
    void (*each)(void *arg, const struct import_active *job), void *arg)
{
	AUTO_ARENA struct arena *a = arena_new();
	int64_t at = 0;
	uint64_t id = 0;
	struct db_rows rows;
	enum err e;

	do {
		arena_reset(a);
		e = db_query(db, a,
		    "SELECT id, queued_at, src_host, dst_host, src_user, dst_user FROM job"
		    " WHERE account_id = ? AND state = ? AND queued_at >= ? AND (queued_at > ? OR id > ?)"
		    " ORDER BY queued_at, id LIMIT ?",
		    DB_ARGS(db_p_u64(v->account_id), db_p_str(state), db_p_time(at), db_p_time(at),
			db_p_u64(id), db_p_u64(ACTIVE_AT_ONCE)),
		    &rows);
		for (size_t i = 0; e == ERR_OK && i < rows.count; i++) {
			id = db_u64(&rows, i, 0);
			at = db_time_us(&rows, i, 1);
			each(arg, &(struct import_active){.job_id = id,
				      .src_host = db_str(&rows, i, 2),
				      .dst_host = db_str(&rows, i, 3),
				      .src_user = db_str(&rows, i, 4),
				      .dst_user = db_str(&rows, i, 5)});
		}
	} while (e == ERR_OK && rows.count == ACTIVE_AT_ONCE);
	return e;
}

enum err store_import_active(struct db *db, const struct viewer *v,
    void (*each)(void *arg, const struct import_active *job), void *arg)
{
	enum err e = active_in(db, v, "queued", each, arg);

	return e == ERR_OK ? active_in(db, v, "running", each, arg) : e;
}
