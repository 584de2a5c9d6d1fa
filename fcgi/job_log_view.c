#include "fcgi/job_log_view.h"

#include <string.h>

#include "fcgi/form.h"
#include "fcgi/tail.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "lib/visible.h"
#include "sql/store_log.h"

/* Where a part of at most TAIL_MAX_BYTES that ends at end begins. */
static int64_t part_before(int64_t end)
{
	return end > TAIL_MAX_BYTES ? end - TAIL_MAX_BYTES : 0;
}

/* Bytes to leave out so that a part that does not begin the log begins with a line. */
static size_t to_next_line(const struct log_slice *s)
{
	const char *nl;

	if (s->start == 0 || s->len == 0)
		return 0;
	nl = memchr(s->bytes, '\n', s->len);
	return nl != NULL && (size_t)(nl - s->bytes) + 1 < s->len ? (size_t)(nl - s->bytes) + 1 : 0;
}

static const char *cut_text(struct arena *a, const struct log_slice *s)
{
	if (s->cut_start < 0)
		return NULL;
	return arena_printf(a, "The middle of this log, %s, was left out because it grew too long.",
	    view_size_text(a, (uint64_t)s->cut_bytes));
}

/* The slice as text, and where it begins and goes on. */
static void add_text(struct visit *v, struct json_object *o, const struct log_slice *s, bool asked)
{
	AUTO_BUF struct buf text = BUF_INIT;
	AUTO_BUF struct buf shown = BUF_INIT;
	size_t skip = asked ? 0 : to_next_line(s);
	int64_t start = s->start + (int64_t)skip;
	enum tail_end end = s->start + (int64_t)s->len < s->end ? TAIL_CUT
			    : job_state_is_ended(s->state)      ? TAIL_LAST
								: TAIL_MORE_LATER;
	size_t took = tail_text(s->bytes + skip, s->len - skip, end, &text);

	visible_text(text.data, text.len, &shown);
	view_int(o, "start", start);
	view_add(
	    o, "chunk", v->rq->wants_json ? NULL : json_object_new_string_len(shown.data, (int)shown.len));
	view_int(o, "next_offset", start + (int64_t)took);
	view_bool(o, "is_cut", start > 0);
	view_add(o, "earlier_offset", start > 0 ? json_object_new_int64(part_before(start)) : NULL);
	view_str(o, "earlier_url",
	    start > 0 ? arena_printf(v->arena, "%s#log",
			    url_with_number(v->arena, url_job(v->arena, v->id, NULL), "log_offset",
				(uint64_t)part_before(start)))
		      : NULL);
}

enum err job_log_view(struct visit *v, const struct job *j, struct json_object **log_r)
{
	const char *wish = params_get(&v->rq->query, "log_offset");
	struct json_object *o;
	struct log_slice s;
	uint64_t from = 0;
	bool asked = wish != NULL && (strcmp(wish, "0") == 0 || form_id(wish, &from)) &&
		     from <= (uint64_t)j->log_bytes;
	int64_t offset = asked ? (int64_t)from : part_before(j->log_bytes);
	enum err e = store_log_read(v->web->db, v->arena, &v->viewer, j->id, offset, TAIL_MAX_BYTES, &s);

	if (e != ERR_OK)
		return e;
	o = json_object_new_object();
	view_int(o, "size", s.end);
	view_str(o, "size_text", view_size_text(v->arena, (uint64_t)s.end));
	view_bool(o, "has_log", s.end > 0);
	add_text(v, o, &s, asked);
	view_bool(o, "is_capped", s.cut_start >= 0);
	view_str(o, "capped_text", cut_text(v->arena, &s));
	view_str(
	    o, "newest_url", asked ? arena_printf(v->arena, "%s#log", url_job(v->arena, v->id, NULL)) : NULL);
	view_count(
	    o, v->arena, "errors", j->log_errors < 0 ? 0 : (uint64_t)j->log_errors, j->log_errors >= 0);
	view_count(o, v->arena, "warnings", j->log_warnings < 0 ? 0 : (uint64_t)j->log_warnings,
	    j->log_warnings >= 0);
	*log_r = o;
	return ERR_OK;
}
