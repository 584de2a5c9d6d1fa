#include "sql/tx.h"

#include <stdint.h>
#include <string.h>
#include <time.h>

#include "lib/token.h"
#include "lib/utf8.h"

static void wait_a_little(int attempt)
{
	uint8_t random;
	struct timespec pause;

	token_random(&random, sizeof(random));
	pause = (struct timespec){.tv_nsec = (long)(1 + random % (4 << attempt)) * 1000000};
	nanosleep(&pause, NULL);
}

enum err tx_run(struct db *db, enum err (*body)(struct db *db, void *ctx), void *ctx)
{
	enum err e = ERR_BUSY;

	for (int attempt = 0; e == ERR_BUSY && attempt < TX_TRIES; attempt++) {
		if (attempt > 0)
			wait_a_little(attempt);
		e = db_begin(db);
		if (e != ERR_OK)
			return e;
		e = body(db, ctx);
		if (e == ERR_OK)
			e = db_commit(db);
		else
			db_rollback(db);
	}
	return e;
}

bool text_fits(const char *s, size_t min, size_t max)
{
	size_t len, chars = 0;

	if (s == NULL)
		return min == 0;
	len = strlen(s);
	for (size_t i = 0, n; i < len; i += n, chars++) {
		n = utf8_sequence(s + i, len - i);
		if (n == 0 || utf8_is_control(s + i, n) || utf8_is_hidden(s + i, n))
			return false;
	}
	return chars >= min && chars <= max;
}

const char *text_clean(struct arena *a, const char *s, size_t max)
{
	size_t len, out = 0, chars = 0;
	char *copy;

	if (s == NULL)
		return NULL;
	len = strlen(s);
	copy = arena_alloc(a, len + 1);
	for (size_t i = 0, n; i < len && chars < max; i += n, chars++) {
		n = utf8_sequence(s + i, len - i);
		if (n == 0 || utf8_is_control(s + i, n) || utf8_is_hidden(s + i, n)) {
			n = n == 0 ? 1 : n;
			copy[out++] = '?';
		} else {
			memcpy(copy + out, s + i, n);
			out += n;
		}
	}
	return copy;
}

void query_free(struct query *q)
{
	buf_free(&q->sql);
}

void query_add(struct query *q, const char *sql)
{
	buf_adds(&q->sql, sql);
}

void query_add_p(struct query *q, const char *sql, struct db_param p)
{
	buf_adds(&q->sql, sql);
	q->params[q->count++] = p;
}

void query_add_ids(struct query *q, const uint64_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		query_add_p(q, i == 0 ? "(?" : ", ?", db_p_u64(ids[i]));
	query_add(q, ")");
}

static struct db_param state_param(int state)
{
	return state < 0 ? db_p_null() : db_p_str(job_state_name((enum job_state)state));
}

enum err event_add(struct db *db, const struct event *ev)
{
	return db_exec(db,
	    "INSERT INTO job_event (job_id, account_id, at, kind, from_state, to_state, user_id, worker_id, "
	    "detail)"
	    " SELECT id, account_id, UTC_TIMESTAMP(6), ?, ?, ?, ?, ?, LEFT(?, 255) FROM job WHERE id = ?",
	    DB_ARGS(db_p_str(ev->kind), state_param(ev->from), state_param(ev->to), db_p_id(ev->user_id),
		db_p_id(ev->worker_id), db_p_str(ev->detail), db_p_u64(ev->job_id)),
	    NULL);
}
