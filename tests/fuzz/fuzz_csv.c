/*
 * Import files: every field read is UTF-8 within its limit, what is judged good keeps the queue's rules, what
 * is judged bad shows no password, and what we write we read back.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "fcgi/csv_read.h"
#include "fcgi/csv_write.h"
#include "fcgi/import_check.h"
#include "lib/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct import_server servers[] = {
    {1, "Old", "a.example.org", true}, {2, "New", "b.example.org", false}};

struct reading {
	struct import_check check;
	struct arena *arena;
	struct buf out;
	unsigned rows, last_line;
};

static enum err take_row(void *arg, const struct csv_row *row)
{
	AUTO_BUF struct buf problems = BUF_INIT;
	struct reading *r = arg;
	struct import_mailbox_row good;

	assert(row->line > r->last_line);
	r->last_line = row->line;
	for (size_t i = 0; i < row->count && i < CSV_COLUMNS_MAX; i++) {
		assert(strlen(row->fields[i]) <= CSV_FIELD_MAX_BYTES);
		assert(utf8_valid(row->fields[i], strlen(row->fields[i])));
	}
	if (r->rows++ == 0)
		return import_map_read(row, &r->check.map, &problems);
	if (import_check_row(&r->check, r->arena, row, &good, &problems) == ERR_OK) {
		assert(good.src_server_id > 0 && good.dst_server_id > 0);
		assert(
		    *good.mailboxes.src_user != '\0' && strpbrk(good.mailboxes.src_user, "\r\n\t ") == NULL);
		assert(*good.src_password != '\0' && strpbrk(good.src_password, "\r\n") == NULL);
		assert(problems.len == 0);
	} else {
		assert(problems.len > 0 && problems.data[problems.len - 1] == '\n');
	}
	assert(utf8_valid(problems.data, problems.len));
	buf_clear(&r->out);
	import_row_text(&r->check.map, row, &r->out);
	return ERR_OK;
}

static enum err read_all(struct reading *r, const char *text, size_t len, size_t step)
{
	struct csv_reader *reader = csv_reader_new(import_column_names, take_row, r);
	enum err e = ERR_OK;

	for (size_t at = 0; e == ERR_OK && at < len; at += step)
		e = csv_reader_feed(reader, text + at, len - at < step ? len - at : step);
	if (e == ERR_OK)
		e = csv_reader_end(reader);
	csv_reader_free(&reader);
	return e;
}

static enum err take_one(void *arg, const struct csv_row *row)
{
	assert(row->count == 1);
	assert(strcmp(csv_without_guard(row->fields[0]), arg) == 0);
	return ERR_OK;
}

/* One field, written and read again. */
static void round_trip(const char *s)
{
	static const char *const none[] = {NULL};
	AUTO_BUF struct buf out = BUF_INIT;
	struct csv_reader *reader = csv_reader_new(none, take_one, (void *)s);

	csv_write_field(&out, s);
	if (strpbrk(out.data, "\"") != NULL) {
		assert(csv_reader_feed(reader, out.data, out.len) == ERR_OK);
		assert(csv_reader_end(reader) == ERR_OK);
	}
	csv_reader_free(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum err e[2];
	unsigned rows[2];

	for (int i = 0; i < 2; i++) {
		struct reading r = {
		    .check = {.servers = servers,
			.servers_count = 2,
			.seen = import_seen_new(),
			.active = import_seen_new()},
		    .arena = arena_new(),
		    .out = BUF_INIT,
		};

		e[i] = read_all(&r, (const char *)data, size, i == 0 ? CSV_FEED_MAX_BYTES : 1 + size / 7);
		rows[i] = r.rows;
		import_seen_free(&r.check.seen);
		import_seen_free(&r.check.active);
		arena_free(&r.arena);
		buf_free(&r.out);
	}
	/* however it is cut */
	assert(e[0] == e[1] && rows[0] == rows[1]);
	if (size > 0 && size < CSV_FIELD_MAX_BYTES && memchr(data, '\0', size) == NULL && data[0] != '\'' &&
	    utf8_valid((const char *)data, size)) {
		struct arena *a = arena_new();

		round_trip(arena_strndup(a, data, size));
		arena_free(&a);
	}
	return 0;
}
