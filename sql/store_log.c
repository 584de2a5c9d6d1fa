#include "sql/store_log.h"

#include "sql/logzip.h"
#include "sql/tx.h"

enum { DELETE_ROWS = 500, READ_ROWS = 16, SWEEP_JOBS = 20 };

struct chunk {
	const struct queue_token *token;
	int64_t start;
	const void *bytes;
	size_t len;
};

/* Nothing was appended: is it there already, is it not ours, or does it not fit? */
static enum err judge_append(struct db *db, const struct chunk *c)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT j.log_bytes, l.length FROM job j LEFT JOIN job_log l ON l.job_id = j.id AND l.start = ?"
	    " WHERE j.id = ? AND j.claim_token = ?",
	    DB_ARGS(
		db_p_i64(c->start), db_p_u64(c->token->job_id), db_p_blob(c->token->bytes, JOB_TOKEN_BYTES)),
	    &rows);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_LOST : e;
	if (db_i64(&rows, 0, 0) == c->start + (int64_t)c->len && db_i64(&rows, 0, 1) == (int64_t)c->len)
		return ERR_OK;
	return ERR_CONFLICT;
}

static enum err append(struct db *db, void *ctx)
{
	AUTO_BUF struct buf packed = BUF_INIT;
	const struct chunk *c = ctx;
	enum log_encoding encoding;
	uint64_t changed;
	enum err e = db_exec(db,
	    "UPDATE job SET log_bytes = log_bytes + ?, updated_at = UTC_TIMESTAMP(6)"
	    " WHERE id = ? AND claim_token = ? AND log_bytes = ?",
	    DB_ARGS(db_p_u64(c->len), db_p_u64(c->token->job_id), db_p_blob(c->token->bytes, JOB_TOKEN_BYTES),
		db_p_i64(c->start)),
	    &changed);

	if (e != ERR_OK)
		return e;
	if (changed != 1)
		return judge_append(db, c);
	encoding = logzip_pack(c->bytes, c->len, &packed);
	return db_exec(db,
	    "INSERT INTO job_log (job_id, start, length, encoding, bytes, at) VALUES (?, ?, ?, ?, ?, "
	    "UTC_TIMESTAMP(6))",
	    DB_ARGS(db_p_u64(c->token->job_id), db_p_i64(c->start), db_p_u64(c->len), db_p_u64(encoding),
		db_p_blob(packed.data, packed.len)),
	    NULL);
}

enum err store_log_append(
    struct db *db, const struct queue_token *t, int64_t start, const void *bytes, size_t len)
{
	if (len < 1 || len > LOG_CHUNK_MAX || start < 0)
		return ERR_INVALID;
	return tx_run(db, append, &(struct chunk){.token = t, .start = start, .bytes = bytes, .len = len});
}

struct trim {
	const struct queue_token *token;
	int64_t head_bytes, tail_bytes;
	int64_t cut; /* result */
};

static enum err trim(struct db *db, void *ctx)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct trim *t = ctx;
	struct db_param id = db_p_u64(t->token->job_id);
	struct db_rows rows;
	int64_t from, cut = 0;
	enum err e = db_query_one(db, a,
	    "SELECT log_bytes, log_cut_start, log_cut_bytes FROM job WHERE id = ? AND claim_token = ? FOR "
	    "UPDATE",
	    DB_ARGS(id, db_p_blob(t->token->bytes, JOB_TOKEN_BYTES)), &rows);

	t->cut = 0;
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_LOST : e;
	/* The gap only ever grows at its end. */
	from = db_is_null(&rows, 0, 1) ? t->head_bytes : db_i64(&rows, 0, 1) + db_i64(&rows, 0, 2);
	e = db_query(db, a,
	    "SELECT start, length FROM job_log WHERE job_id = ? AND start >= ? AND start + length <= ?"
	    " ORDER BY start LIMIT ?",
	    DB_ARGS(id, db_p_i64(from), db_p_i64(db_i64(&rows, 0, 0) - t->tail_bytes), db_p_u64(DELETE_ROWS)),
	    &rows);
	if (e != ERR_OK || rows.count == 0)
		return e;
	for (size_t i = 0; i < rows.count; i++)
		cut += db_i64(&rows, i, 1);
	from = db_i64(&rows, 0, 0);
	e = db_exec(db, "DELETE FROM job_log WHERE job_id = ? AND start >= ? AND start < ?",
	    DB_ARGS(id, db_p_i64(from), db_p_i64(from + cut)), NULL);
	if (e != ERR_OK)
		return e;
	e = db_exec(db,
	    "UPDATE job SET log_cut_start = COALESCE(log_cut_start, ?), log_cut_bytes = log_cut_bytes + ? "
	    "WHERE id = ?",
	    DB_ARGS(db_p_i64(from), db_p_i64(cut), id), NULL);
	t->cut = cut;
	return e;
}

enum err store_log_trim(
    struct db *db, const struct queue_token *t, int64_t head_bytes, int64_t tail_bytes, int64_t *cut_r)
{
	struct trim ctx = {.token = t, .head_bytes = head_bytes, .tail_bytes = tail_bytes};
	enum err e = tx_run(db, trim, &ctx);

	if (e == ERR_OK && cut_r != NULL)
		*cut_r = ctx.cut;
	return e;
}

/* Where the first chunk to read begins: the one that holds offset, or the first after it (behind the gap). */
static enum err first_chunk(struct db *db, struct arena *a, uint64_t job_id, int64_t offset, int64_t *start_r)
{
	struct db_rows rows;
	enum err e = db_query(db, a,
	    "SELECT start, length FROM job_log WHERE job_id = ? AND start <= ? ORDER BY start DESC LIMIT 1",
	    DB_ARGS(db_p_u64(job_id), db_p_i64(offset)), &rows);

	*start_r = offset;
	if (e == ERR_OK && rows.count > 0 && db_i64(&rows, 0, 0) + db_i64(&rows, 0, 1) > offset)
		*start_r = db_i64(&rows, 0, 0);
	return e;
}

/* Unpack one chunk behind what the slice has.  *stop_r: no more fits, or a gap begins. */
static enum err add_chunk(struct arena *a, const struct db_rows *rows, size_t row, struct buf *out,
    size_t max, int64_t *next, bool *stop_r)
{
	int64_t start = db_i64(rows, row, 0);
	size_t raw_len = db_u64(rows, row, 1), len, skip, take;
	const void *bytes = db_blob(rows, row, 3, &len);
	char *room;

	*stop_r = true;
	if (start > *next) {
		if (out->len > 0)
			return ERR_OK;
		*next = start;
	}
	if (raw_len > LOG_CHUNK_MAX || start + (int64_t)raw_len <= *next)
		return ERR_INTERNAL;
	room = arena_alloc(a, raw_len);
	if (logzip_unpack((enum log_encoding)db_u64(rows, row, 2), bytes, len, room, raw_len) != ERR_OK)
		return ERR_INTERNAL;
	skip = (size_t)(*next - start);
	take = raw_len - skip;
	if (take > max - out->len)
		take = max - out->len;
	buf_add(out, room + skip, take);
	*next += (int64_t)take;
	*stop_r = out->len == max;
	return ERR_OK;
}

static enum err read_chunks(struct db *db, struct arena *a, uint64_t job_id, size_t max, struct log_slice *s)
{
	AUTO_ARENA struct arena *scratch = arena_new();
	AUTO_BUF struct buf out = BUF_INIT;
	int64_t next = s->start, from;
	bool stop = false;
	enum err e = first_chunk(db, scratch, job_id, s->start, &from);

	while (e == ERR_OK && !stop) {
		struct db_rows rows;

		e = db_query(db, scratch,
		    "SELECT start, length, encoding, bytes FROM job_log WHERE job_id = ? AND start >= ? AND "
		    "start < ?"
		    " ORDER BY start LIMIT ?",
		    DB_ARGS(db_p_u64(job_id), db_p_i64(from), db_p_i64(s->end), db_p_u64(READ_ROWS)), &rows);
		for (size_t i = 0; e == ERR_OK && !stop && i < rows.count; i++) {
			e = add_chunk(scratch, &rows, i, &out, max, &next, &stop);
			from = db_i64(&rows, i, 0) + 1;
		}
		stop = stop || e != ERR_OK || rows.count < READ_ROWS;
		arena_reset(scratch);
	}
	s->len = out.len;
	s->start = next - (int64_t)out.len;
	s->bytes = arena_strndup(a, out.data, out.len);
	return e;
}

enum err store_log_read(struct db *db, struct arena *a, const struct viewer *v, uint64_t job_id,
    int64_t offset, size_t max, struct log_slice *slice_r)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT state, log_bytes, log_cut_start, log_cut_bytes, log_removed_at IS NOT NULL FROM job"
	    " WHERE id = ? AND " SCOPE,
	    DB_ARGS(db_p_u64(job_id), SCOPE_ARGS(v)), &rows);

	if (e != ERR_OK)
		return e;
	*slice_r = (struct log_slice){
	    .end = db_i64(&rows, 0, 1),
	    .cut_start = db_count(&rows, 0, 2),
	    .cut_bytes = db_i64(&rows, 0, 3),
	    .start = offset,
	    .bytes = "",
	};
	if (db_u64(&rows, 0, 4) != 0)
		*slice_r =
		    (struct log_slice){.cut_start = -1, .start = offset, .bytes = "", .is_removed = true};
	if (job_state_parse(db_str(&rows, 0, 0), &slice_r->state) != ERR_OK)
		return ERR_INTERNAL;
	if (offset < 0 || offset > slice_r->end || max < 1 || max > LOG_READ_MAX)
		return ERR_INVALID;
	return offset < slice_r->end ? read_chunks(db, a, job_id, max, slice_r) : ERR_OK;
}

enum err store_log_delete(struct db *db, uint64_t job_id)
{
	uint64_t changed = DELETE_ROWS;
	enum err e = ERR_OK;

	while (e == ERR_OK && changed == DELETE_ROWS)
		e = db_exec(db, "DELETE FROM job_log WHERE job_id = ? ORDER BY start LIMIT ?",
		    DB_ARGS(db_p_u64(job_id), db_p_u64(DELETE_ROWS)), &changed);
	return e;
}

/* The next job there is a log of, after this one, and whether it has a row.  ERR_NOT_FOUND. */
static enum err next_log(struct db *db, uint64_t after, uint64_t *job_id_r, bool *has_job_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT l.job_id, EXISTS (SELECT 1 FROM job j WHERE j.id = l.job_id) FROM job_log l"
	    " WHERE l.job_id > ? ORDER BY l.job_id LIMIT 1",
	    DB_ARGS(db_p_u64(after)), &rows);

	if (e != ERR_OK)
		return e;
	*job_id_r = db_u64(&rows, 0, 0);
	*has_job_r = db_u64(&rows, 0, 1) != 0;
	return ERR_OK;
}

enum err store_log_sweep(struct db *db, uint64_t *at, bool *more_r)
{
	enum err e = ERR_OK;

	for (unsigned i = 0; e == ERR_OK && i < SWEEP_JOBS; i++) {
		bool has_job;

		e = next_log(db, *at, at, &has_job);
		if (e == ERR_OK && !has_job)
			e = store_log_delete(db, *at);
	}
	*more_r = e == ERR_OK;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
