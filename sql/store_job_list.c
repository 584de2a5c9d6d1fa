/* The jobs list: filters, keyset pages, counts. */
#include "sql/store_job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/job_filter.h"
#include "sql/job_row.h"
#include "sql/tx.h"

/*
 * A cursor is the sort key of the row it stands beside, as text: a letter for the sort, then the parts with
 * "." between: "q" queued_at.id, "s" state.queued_at.id, "n" hex of label.id, "b" sort_started.id, "d"
 * sort_duration.id. Moments are microseconds.
 */
struct sort {
	char letter;
	const char *column;
	enum { KEY_TIME, KEY_NUMBER, KEY_TEXT, KEY_STATE } kind;
	const char *index_all, *index_account; /* in this order, of all accounts and of one */
};

static const struct sort sorts[JOB_SORT__MAX] = {
    [JOB_SORT_QUEUED] = {'q', "j.queued_at", KEY_TIME, "job_all_queued", "job_account_queued"},
    [JOB_SORT_STATE] = {'s', "j.queued_at", KEY_STATE, "job_queue", "job_account_state"},
    [JOB_SORT_NAME] = {'n', "j.label", KEY_TEXT, "job_all_label", "job_account_label"},
    [JOB_SORT_STARTED] = {'b', "j.sort_started", KEY_TIME, "job_all_started", "job_account_started"},
    [JOB_SORT_DURATION] = {'d', "j.sort_duration", KEY_NUMBER, "job_all_duration", "job_account_duration"},
};

enum { LABEL_BYTES_MAX = 255 * 4, COLUMN_SORT_VALUE = JOB_COLUMN_COUNT };

struct cursor {
	enum job_state state;
	int64_t number;
	const char *text;
	uint64_t id;
};

static char *unhex(struct arena *a, const char *hex, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char *out = arena_alloc(a, len / 2 + 1);

	if (len % 2 != 0 || len / 2 > LABEL_BYTES_MAX)
		return NULL;
	for (size_t i = 0; i < len; i += 2) {
		const char *high = memchr(digits, hex[i], 16), *low = memchr(digits, hex[i + 1], 16);

		if (high == NULL || low == NULL || (high == digits && low == digits))
			return NULL;
		out[i / 2] = (char)((high - digits) << 4 | (low - digits));
	}
	return out;
}

static enum err read_cursor(struct arena *a, const struct sort *sort, const char *text, struct cursor *c)
{
	const char *p = text + 1;
	char *end;

	memset(c, 0, sizeof(*c));
	if (text[0] != sort->letter || strlen(text) > 2 * LABEL_BYTES_MAX + 40)
		return ERR_INVALID;
	if (sort->kind == KEY_STATE) {
		unsigned long state = strtoul(p, &end, 10);

		if (end == p || *end != '.' || state >= JOB_STATE__MAX)
			return ERR_INVALID;
		c->state = (enum job_state)state;
		p = end + 1;
	}
	if (sort->kind == KEY_TEXT) {
		size_t len = strcspn(p, ".");

		c->text = unhex(a, p, len);
		end = (char *)p + len;
		if (c->text == NULL)
			return ERR_INVALID;
	} else {
		c->number = strtoll(p, &end, 10);
		if (end == p)
			return ERR_INVALID;
	}
	if (*end != '.')
		return ERR_INVALID;
	p = end + 1;
	c->id = strtoull(p, &end, 10);
	return end == p || *end != '\0' ? ERR_INVALID : ERR_OK;
}

static const char *write_cursor(
    struct arena *a, const struct sort *sort, const struct db_rows *rows, size_t row, const struct job *job)
{
	AUTO_BUF struct buf out = BUF_INIT;

	buf_addc(&out, sort->letter);
	if (sort->kind == KEY_STATE)
		buf_addf(&out, "%d.", (int)job->state);
	if (sort->kind == KEY_TEXT)
		for (const char *p = job->label; *p != '\0'; p++)
			buf_addf(&out, "%02x", (unsigned char)*p);
	else
		buf_addf(&out, "%" PRId64, db_i64(rows, row, COLUMN_SORT_VALUE));
	buf_addf(&out, ".%" PRIu64, job->id);
	return arena_strndup(a, out.data, out.len);
}

static struct db_param key_param(const struct sort *sort, const struct cursor *c)
{
	switch (sort->kind) {
	case KEY_TEXT: return db_p_str(c->text);
	case KEY_NUMBER: return db_p_i64(c->number);
	default: return db_p_time(c->number);
	}
}

/*
 * Rows behind the cursor.  Written out, with a bound on the first column alone, because MariaDB finds no
 * range in a comparison of row values.
 */
static void add_keyset(struct query *q, const struct sort *sort, const struct cursor *c, bool upward)
{
	const char *beyond = upward ? " > ?" : " < ?";

	query_add(q, " AND (");
	if (sort->kind == KEY_STATE) {
		unsigned later = 0;

		for (unsigned s = 0; s < JOB_STATE__MAX; s++)
			if (upward ? s > c->state : s < c->state)
				later |= 1u << s;
		job_filter_states(q, later);
		query_add_p(q, " OR j.state = ? AND ", db_p_str(job_state_name(c->state)));
	}
	query_add(q, sort->column);
	query_add_p(q, upward ? " >= ?" : " <= ?", key_param(sort, c));
	query_add(q, " AND (");
	query_add(q, sort->column);
	query_add_p(q, beyond, key_param(sort, c));
	query_add(q, " OR (");
	query_add(q, sort->column);
	query_add_p(q, " = ?", key_param(sort, c));
	query_add(q, " AND j.id");
	query_add_p(q, beyond, db_p_u64(c->id));
	query_add(q, ")))");
}

static void add_order(struct query *q, const struct sort *sort, bool upward)
{
	const char *way = upward ? " ASC" : " DESC";

	query_add(q, " ORDER BY ");
	if (sort->kind == KEY_STATE) {
		query_add(q, "j.state");
		query_add(q, way);
		query_add(q, ", ");
	}
	query_add(q, sort->column);
	query_add(q, way);
	query_add(q, ", j.id");
	query_add(q, way);
}

/*
 * Left to itself MariaDB reads a deep page from the list's beginning (it takes "account_id = ?" for the
 * better key), so it is told which index has the page in order.  A filter that few rows pass is better served
 * by its own choice.
 */
static void add_index(
    struct query *q, const struct sort *sort, const struct viewer *v, const struct job_filter *f)
{
	bool is_one_state = f->states != 0 && (f->states & (f->states - 1)) == 0;

	if (f->ids != NULL || f->batch_id != 0)
		return;
	if (is_one_state && sort == &sorts[JOB_SORT_QUEUED])
		sort = &sorts[JOB_SORT_STATE];
	else if (f->states != 0)
		return;
	query_add(q, "FORCE INDEX (");
	query_add(q, viewer_is_admin(v) ? sort->index_all : sort->index_account);
	query_add(q, ") ");
}

static void reverse(struct job *jobs, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct job swap = jobs[i];

		jobs[i] = jobs[count - 1 - i];
		jobs[count - 1 - i] = swap;
	}
}

/* Rows come in the order asked of the database; one more than the page tells whether there is another page.
 */
static enum err fill_list(
    struct arena *a, const struct job_page *p, const struct db_rows *rows, struct job_list *list_r)
{
	const struct sort *sort = &sorts[p->sort];
	bool is_backward = p->before != NULL;
	bool has_more = rows->count > p->limit;
	size_t count = has_more ? p->limit : rows->count;
	struct job *jobs = arena_array(a, count, sizeof(*jobs));
	const char *first = NULL, *last = NULL;

	for (size_t i = 0; i < count; i++) {
		enum err e = job_row_read(rows, i, &jobs[i]);

		if (e != ERR_OK)
			return e;
	}
	if (count > 0) {
		first = write_cursor(a, sort, rows, 0, &jobs[0]);
		last = write_cursor(a, sort, rows, count - 1, &jobs[count - 1]);
	}
	if (is_backward)
		reverse(jobs, count);
	*list_r = (struct job_list){
	    .jobs = jobs,
	    .count = count,
	    .next = is_backward ? first : (has_more ? last : NULL),
	    .prev = is_backward ? (has_more ? last : NULL) : (p->after != NULL ? first : NULL),
	};
	return ERR_OK;
}

enum err store_job_list(struct db *db, struct arena *a, const struct viewer *v, const struct job_filter *f,
    const struct job_page *p, struct job_list *list_r)
{
	AUTO_QUERY struct query q = QUERY_INIT;
	const struct sort *sort;
	const char *cursor_text = p->after != NULL ? p->after : p->before;
	bool upward = p->descending == (p->before != NULL);
	struct cursor cursor;
	struct db_rows rows;
	enum err e;

	if ((unsigned)p->sort >= JOB_SORT__MAX || p->limit < 1 || p->limit > JOB_PAGE_MAX ||
	    (p->after != NULL && p->before != NULL))
		return ERR_INVALID;
	sort = &sorts[p->sort];
	query_add(&q, "SELECT" JOB_COLUMNS ", ");
	query_add(&q, sort->column);
	query_add(&q, " FROM job j ");
	add_index(&q, sort, v, f);
	e = job_filter_add(&q, a, v, f);
	if (e != ERR_OK)
		return e;
	if (f->states != 0) {
		query_add(&q, " AND ");
		job_filter_states(&q, f->states);
	}
	if (cursor_text != NULL) {
		e = read_cursor(a, sort, cursor_text, &cursor);
		if (e != ERR_OK)
			return e;
		add_keyset(&q, sort, &cursor, upward);
	}
	add_order(&q, sort, upward);
	query_add_p(&q, " LIMIT ?", db_p_u64(p->limit + 1));
	e = db_query(db, a, q.sql.data, q.params, q.count, &rows);
	return e == ERR_OK ? fill_list(a, p, &rows, list_r) : e;
}

enum err store_job_counts(
    struct db *db, const struct viewer *v, const struct job_filter *f, uint64_t counts_r[JOB_STATE__MAX])
{
	AUTO_ARENA struct arena *a = arena_new();
	AUTO_QUERY struct query q = QUERY_INIT;
	struct db_rows rows;
	enum err e;

	query_add(&q, "SELECT j.state, COUNT(*) FROM job j ");
	e = job_filter_add(&q, a, v, f);
	if (e != ERR_OK)
		return e;
	query_add(&q, " GROUP BY j.state");
	e = db_query(db, a, q.sql.data, q.params, q.count, &rows);
	if (e != ERR_OK)
		return e;
	memset(counts_r, 0, JOB_STATE__MAX * sizeof(*counts_r));
	for (size_t i = 0; i < rows.count; i++) {
		enum job_state s;

		if (job_state_parse(db_str(&rows, i, 0), &s) == ERR_OK)
			counts_r[s] = db_u64(&rows, i, 1);
	}
	return ERR_OK;
}
