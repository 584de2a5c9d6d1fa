/* A job's log: the live tail, and the whole as a file. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/range.h"
#include "fcgi/tail.h"
#include "fcgi/view.h"
#include "lib/parse.h"
#include "sql/store_job.h"
#include "sql/store_log.h"

/* A parameter of the tail: decimal, min to max; absent is fallback. */
static enum err number(
    const struct visit *v, const char *name, int64_t fallback, int64_t min, int64_t max, int64_t *n_r)
{
	const char *s = params_get(&v->rq->query, name);

	*n_r = fallback;
	return s != NULL ? parse_i64(s, min, max, n_r) : ERR_OK;
}

static enum err malformed(struct visit *v)
{
	page_error(v, &(struct page_error){.status = 400,
			  .code = "tail_offset",
			  .detail = "“offset” is a byte count from 0 on; “limit” one from 1 to 65536."});
	return ERR_OK;
}

static enum err beyond(struct visit *v, int64_t end)
{
	response_header(v->rs, "Content-Range", arena_printf(v->arena, "bytes */%" PRId64, end));
	page_error(v, &(struct page_error){.status = 416,
			  .code = "tail_offset",
			  .detail = arena_printf(v->arena, "The log has %" PRId64 " bytes so far.", end)});
	return ERR_OK;
}

/* The exact contract: {"status","chunk","newOffset"} and nothing else. */
static enum err answer_tail(struct visit *v, const struct log_slice *s)
{
	AUTO_BUF struct buf text = BUF_INIT;
	struct json_object *o = json_object_new_object();
	int64_t past = s->start + (int64_t)s->len;
	enum tail_end end = past < s->end                  ? TAIL_CUT
			    : job_state_is_ended(s->state) ? TAIL_LAST
							   : TAIL_MORE_LATER;
	size_t took = tail_text(s->bytes, s->len, end, &text);

	view_str(o, "status", job_state_name(s->state));
	view_add(o, "chunk", json_object_new_string_len(text.data, (int)text.len));
	view_int(o, "newOffset", s->start + (int64_t)took);
	return page_json(v, 200, o);
}

enum err page_job_tail(struct visit *v)
{
	struct log_slice s = {0};
	int64_t offset, limit;
	enum err e;

	v->rq->wants_json = true;
	if (number(v, "offset", 0, 0, INT64_MAX, &offset) != ERR_OK ||
	    number(v, "limit", TAIL_MAX_BYTES, 1, TAIL_MAX_BYTES, &limit) != ERR_OK)
		return malformed(v);
	e = store_log_read(v->web->db, v->arena, &v->viewer, v->id, offset, (size_t)limit, &s);
	if (e == ERR_INVALID)
		return beyond(v, s.end);
	return e == ERR_OK ? answer_tail(v, &s) : e;
}

/*
 * The download.  Where the middle was cut out, a line says so in its place; lengths and ranges count the log
 * as it is downloaded: the first part, that line, the last part.
 */
struct download {
	struct visit *v;
	int64_t end, cut_start, cut_bytes; /* of the raw log; cut_start -1: no cut */
	char note[128];                    /* stands for the cut */
	uint64_t from, length;             /* what to send */
};

static uint64_t download_size(const struct download *d)
{
	if (d->cut_start < 0)
		return (uint64_t)d->end;
	return (uint64_t)(d->end - d->cut_bytes) + strlen(d->note);
}

/* Send raw bytes [from, to). */
static enum err send_raw(struct download *d, struct response_sink *sink, int64_t from, int64_t to)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct log_slice s;

	while (from < to) {
		int64_t want = to - from > LOG_CHUNK_MAX ? LOG_CHUNK_MAX : to - from;
		enum err e =
		    store_log_read(d->v->web->db, a, &d->v->viewer, d->v->id, from, (size_t)want, &s);

		if (e == ERR_OK && (s.len == 0 || s.start != from))
			e = ERR_LOST; /* cut or deleted while we were sending */
		if (e == ERR_OK)
			e = sink->write(sink->arg, s.bytes, s.len);
		if (e != ERR_OK)
			return e;
		from += (int64_t)s.len;
		arena_reset(a);
	}
	return ERR_OK;
}

/* The part of [at, at + len) that is to be sent; false when there is none. */
static bool overlap(const struct download *d, uint64_t at, uint64_t len, uint64_t *skip_r, uint64_t *count_r)
{
	uint64_t begin = d->from > at ? d->from : at;
	uint64_t stop = d->from + d->length < at + len ? d->from + d->length : at + len;

	if (begin >= stop)
		return false;
	*skip_r = begin - at;
	*count_r = stop - begin;
	return true;
}

static enum err send_log(void *arg, struct response_sink *sink)
{
	struct download *d = arg;
	uint64_t head = (uint64_t)(d->cut_start < 0 ? d->end : d->cut_start), skip, count;
	int64_t resume;
	enum err e = ERR_OK;

	if (overlap(d, 0, head, &skip, &count))
		e = send_raw(d, sink, (int64_t)skip, (int64_t)(skip + count));
	if (e != ERR_OK || d->cut_start < 0)
		return e;
	if (overlap(d, head, strlen(d->note), &skip, &count))
		e = sink->write(sink->arg, d->note + skip, count);
	resume = d->cut_start + d->cut_bytes;
	if (e == ERR_OK && overlap(d, head + strlen(d->note), (uint64_t)(d->end - resume), &skip, &count))
		e = send_raw(d, sink, resume + (int64_t)skip, resume + (int64_t)(skip + count));
	return e;
}

enum err page_job_log(struct visit *v)
{
	struct download *d = arena_alloc(v->arena, sizeof(*d));
	struct range range;
	struct log_slice s;
	uint64_t size;
	enum err e = store_log_read(v->web->db, v->arena, &v->viewer, v->id, 0, 1, &s);

	if (e != ERR_OK || s.is_removed)
		return e != ERR_OK ? e : ERR_NOT_FOUND;
	*d = (struct download){.v = v, .end = s.end, .cut_start = s.cut_start, .cut_bytes = s.cut_bytes};
	(void)snprintf(d->note, sizeof(d->note),
	    "\n--- mailconvoy: %" PRId64 " bytes were left out here ---\n", s.cut_bytes);
	size = download_size(d);
	response_header(v->rs, "Accept-Ranges", "bytes");
	switch (range_parse(request_env(v->rq, "HTTP_RANGE"), size, &range)) {
	case RANGE_BEYOND: return beyond(v, (int64_t)size);
	case RANGE_PART:
		v->rs->status = 206;
		response_header(v->rs, "Content-Range",
		    arena_printf(v->arena, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range.first,
			range.first + range.length - 1, size));
		break;
	case RANGE_WHOLE:
		v->rs->status = 200;
		range = (struct range){.first = 0, .length = size};
		break;
	}
	d->from = range.first;
	d->length = range.length;
	response_attachment(
	    v->rs, arena_printf(v->arena, "mailconvoy-job-%llu.log", (unsigned long long)v->id));
	/* not text/plain; charset=utf-8: it is the child's bytes, whatever they are */
	v->rs->content_type = "text/plain";
	v->rs->stream = send_log;
	v->rs->stream_arg = d;
	v->rs->stream_length = range.length;
	return ERR_OK;
}
