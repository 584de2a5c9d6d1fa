#include "worker/output.h"

#include <errno.h>
#include <unistd.h>

#include "lib/log.h"
#include "sql/store_log.h"
#include "worker/crash.h"

enum {
	READ_MAX = 65536,        /* one read: what a pipe holds */
	PENDING_MAX = 4 * 65536, /* no reading beyond */
	FLUSH_MS = 1000,
	TRIM_EVERY = 1 << 20, /* cut when the log has outgrown its allowance by so much */
};

void output_init(struct output *o, struct redact *redact, int64_t head_bytes, int64_t tail_bytes)
{
	*o = (struct output){
	    .redact = redact,
	    .pending = BUF_INIT,
	    .head_bytes = head_bytes,
	    .tail_bytes = tail_bytes,
	    .last_byte = mono_now(),
	};
	progress_init(&o->progress);
}

void output_free(struct output *o)
{
	redact_free(&o->redact);
	buf_free(&o->pending);
}

void output_say(struct output *o, const char *line)
{
	if (o->pending.len == 0)
		o->oldest = mono_now();
	buf_addf(&o->pending, "mailconvoy: %s\n", line);
}

bool output_wants(const struct output *o)
{
	return !o->ended && o->pending.len < PENDING_MAX;
}

/* Bytes that were added to pending beyond from are news. */
static void took(struct output *o, size_t from)
{
	size_t added = o->pending.len - from;

	if (added == 0)
		return;
	progress_feed(&o->progress, o->pending.data + from, added);
	if (o->discarding)
		buf_truncate(&o->pending, from);
	else if (from == 0)
		o->oldest = mono_now();
}

static ssize_t read_some(struct output *o, int fd)
{
	char bytes[READ_MAX];
	size_t from = o->pending.len;
	ssize_t n;

	do
		n = read(fd, bytes, sizeof(bytes));
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		o->last_byte = mono_now();
		redact_feed(o->redact, bytes, (size_t)n, &o->pending);
		took(o, from);
	} else if (n == 0 || errno != EAGAIN)
		o->ended = true;
	return n;
}

bool output_read(struct output *o, int fd)
{
	return !o->ended && fd >= 0 && read_some(o, fd) > 0;
}

void output_end(struct output *o, int fd)
{
	size_t from;

	while (!o->ended && fd >= 0 && read_some(o, fd) > 0)
		continue;
	o->ended = true;
	from = o->pending.len;
	redact_end(o->redact, &o->pending);
	took(o, from);
	progress_end(&o->progress);
}

void output_again(struct output *o)
{
	o->ended = false;
	o->last_byte = mono_now();
	progress_init(&o->progress);
}

int output_due_ms(const struct output *o)
{
	if (o->pending.len == 0)
		return -1;
	if (o->ended || o->pending.len >= LOG_CHUNK_MAX)
		return 0;
	return mono_left_ms(mono_after(o->oldest, FLUSH_MS));
}

static enum err trim(struct output *o, struct db *db, const struct queue_token *t)
{
	int64_t cut = 0;
	enum err e;

	if (o->pending_from <= o->head_bytes + o->tail_bytes || o->pending_from - o->trimmed_to < TRIM_EVERY)
		return ERR_OK;
	e = store_log_trim(db, t, o->head_bytes, o->tail_bytes, &cut);
	if (e == ERR_OK)
		o->trimmed_to = o->pending_from;
	return e;
}

static enum err store_due(struct output *o, struct db *db, const struct queue_token *t)
{
	while (output_due_ms(o) == 0) {
		enum err e;

		/* What may have been stored already is offered again as it was: the store knows it by its
		 * place and length, and more may have been read since. */
		if (o->offered == 0)
			o->offered = o->pending.len < LOG_CHUNK_MAX ? o->pending.len : LOG_CHUNK_MAX;
		e = store_log_append(db, t, o->pending_from, o->pending.data, o->offered);
		if (e != ERR_OK)
			return e;
		buf_consume(&o->pending, o->offered);
		o->pending_from += (int64_t)o->offered;
		o->offered = 0;
		o->oldest = mono_now();
		crash_point("mid_log");
		e = trim(o, db, t);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err output_store(struct output *o, struct db *db, const struct queue_token *t)
{
	enum err e = store_due(o, db, t);

	if (e == ERR_FULL && !o->is_full)
		o->full_since = mono_now();
	o->is_full = e == ERR_FULL;
	return e;
}

int64_t output_full_ms(const struct output *o)
{
	return o->is_full ? mono_diff_ms(o->full_since, mono_now()) : -1;
}

bool output_is_stored(const struct output *o)
{
	return o->ended && o->pending.len == 0;
}

void output_discard(struct output *o, const char *label)
{
	if (o->pending.len > 0)
		log_warnx("%s: %zu bytes of its log could not be stored", label, o->pending.len);
	o->discarding = true;
	o->offered = 0;
	buf_clear(&o->pending);
}
