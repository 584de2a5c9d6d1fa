#include "fcgi/csv_read.h"

#include <csv.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/utf8.h"

enum {
	HEAD_MAX_BYTES = 16 * 1024, /* a first line longer than this is judged by its beginning */
	PIECE_BYTES = 1024,         /* fed to libcsv at once: its buffer can outgrow a field by so much */
	PROBLEM_BYTES = 400
};

/* What may stand before the first line: blank lines, and the bytes of a byte order mark. */
#define BLANK_OR_MARK "\r\n\xEF\xBB\xBF"

struct csv_reader {
	const char *const *expected;
	csv_row_fn on_row;
	void *arg;
	struct csv_parser parser;
	bool is_started; /* the delimiter is known */
	struct buf head; /* until then */
	size_t total;
	char rest[4]; /* the beginning of a UTF-8 sequence */
	size_t rest_len;

	unsigned line, row_line; /* where we are; where the row began */
	bool in_row, after_cr, row_ended;
	size_t rows; /* the header counts */

	size_t count; /* fields of this row */
	bool is_blank;
	size_t used;
	const char *fields[CSV_COLUMNS_MAX];
	char text[CSV_COLUMNS_MAX * (CSV_FIELD_MAX_BYTES + 1)];

	enum err e;
	char problem[PROBLEM_BYTES];
};

/* Blanks are part of a field: of a password, for one. */
static int no_space(unsigned char c)
{
	(void)c;
	return 0;
}

struct csv_reader *csv_reader_new(const char *const *expected, csv_row_fn on_row, void *arg)
{
	struct csv_reader *r = mem_alloc(sizeof(*r));

	r->expected = expected;
	r->on_row = on_row;
	r->arg = arg;
	r->head = (struct buf)BUF_INIT;
	/* at once, since growing would leave copies behind */
	buf_reserve(&r->head, HEAD_MAX_BYTES + CSV_FEED_MAX_BYTES);
	r->line = 1;
	r->is_blank = true;
	if (csv_init(&r->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0)
		abort();
	csv_set_space_func(&r->parser, no_space);
	csv_set_realloc_func(&r->parser, mem_wiping_resize);
	csv_set_free_func(&r->parser, mem_wiping_free);
	return r;
}

void csv_reader_free(struct csv_reader **r)
{
	if (*r == NULL)
		return;
	csv_free(&(*r)->parser);
	buf_wipe(&(*r)->head);
	explicit_bzero(*r, sizeof(**r));
	free(*r);
	*r = NULL;
}

const char *csv_reader_problem(const struct csv_reader *r)
{
	return r->problem;
}

static enum err PRINTF_LIKE(3, 4) refuse(struct csv_reader *r, enum err e, const char *fmt, ...)
{
	va_list ap;

	if (r->e == ERR_OK) {
		va_start(ap, fmt);
		(void)vsnprintf(r->problem, sizeof(r->problem), fmt, ap);
		va_end(ap);
		r->e = e;
	}
	return r->e;
}

static enum err refuse_long_field(struct csv_reader *r)
{
	return refuse(r, ERR_TOO_BIG,
	    "Line %u: a field is longer than %u KB, which is the most there may be. Perhaps a closing "
	    "quotation "
	    "mark is missing.",
	    r->row_line, CSV_FIELD_MAX_BYTES / 1024);
}

static void take_field(void *bytes, size_t len, void *arg)
{
	struct csv_reader *r = arg;

	if (r->e != ERR_OK)
		return;
	if (len > CSV_FIELD_MAX_BYTES) {
		(void)refuse_long_field(r);
		return;
	}
	if (len > 0)
		r->is_blank = false;
	if (r->count < CSV_COLUMNS_MAX) {
		char *to = r->text + r->used;

		memcpy(to, bytes, len);
		to[len] = '\0';
		r->used += len + 1;
		r->fields[r->count] = to;
	}
	r->count++;
}

static void take_row(int end, void *arg)
{
	struct csv_reader *r = arg;
	struct csv_row row = {.line = r->row_line, .count = r->count, .fields = r->fields};

	(void)end;
	r->row_ended = true;
	if (r->e == ERR_OK && !r->is_blank) {
		if (++r->rows > CSV_ROWS_MAX + 1)
			(void)refuse(r, ERR_TOO_BIG,
			    "Line %u: this is more than 50,000 rows. Split the file, and import one part "
			    "after the "
			    "other.",
			    r->row_line);
		else
			r->e = r->on_row(r->arg, &row);
	}
	explicit_bzero(r->text, r->used);
	r->used = r->count = 0;
	r->is_blank = true;
}

/* How far s is UTF-8 without NUL, the sequence that an earlier piece began included. */
static size_t good_length(struct csv_reader *r, const char *s, size_t len)
{
	size_t i = 0, n;

	while (r->rest_len > 0 && i < len) {
		r->rest[r->rest_len++] = s[i++];
		if (utf8_sequence(r->rest, r->rest_len) > 0)
			r->rest_len = 0;
		else if (!utf8_incomplete(r->rest, r->rest_len))
			return 0;
	}
	for (; i < len && s[i] != '\0'; i += n) {
		n = utf8_sequence(s + i, len - i);
		if (n > 0)
			continue;
		if (utf8_incomplete(s + i, len - i)) {
			r->rest_len = len - i;
			memcpy(r->rest, s + i, r->rest_len);
			return len;
		}
		break;
	}
	return i;
}

static enum err refuse_encoding(struct csv_reader *r, char c)
{
	if (c == '\0')
		return refuse(r, ERR_INVALID,
		    "Line %u contains a NUL byte: this is not a text file in UTF-8. Save it as “CSV UTF-8”.",
		    r->line);
	return refuse(r, ERR_INVALID,
	    "Line %u is not UTF-8. It looks like Latin-1 (Windows-1252). Save the file again with the "
	    "encoding "
	    "UTF-8: “CSV UTF-8” in Excel, “Unicode (UTF-8)” in LibreOffice.",
	    r->line);
}

/* One piece of at most one line. */
static enum err feed_piece(struct csv_reader *r, const char *s, size_t len, bool is_end)
{
	bool is_blank = is_end && len == 1 && !r->in_row;

	if (!r->in_row && !is_blank) {
		r->row_line = r->line;
		r->in_row = true;
	}
	r->row_ended = false;
	if (csv_parse(&r->parser, s, len, take_field, take_row, r) != len)
		return refuse(r, ERR_INVALID,
		    "Line %u: a quotation mark stands where none may stand. A field that contains quotation "
		    "marks "
		    "must be put in quotation marks as a whole, and each one inside be doubled.",
		    r->line);
	if (r->e != ERR_OK)
		return r->e;
	if (csv_get_buffer_size(&r->parser) > CSV_FIELD_MAX_BYTES + 2 * PIECE_BYTES)
		return refuse_long_field(r);
	if (r->row_ended)
		r->in_row = false;
	return ERR_OK;
}

static enum err feed_lines(struct csv_reader *r, const char *s, size_t len)
{
	enum err e = ERR_OK;

	while (e == ERR_OK && len > 0) {
		size_t n = 0, most = len < PIECE_BYTES ? len : PIECE_BYTES;
		bool is_end;

		while (n < most && s[n] != '\n' && s[n] != '\r')
			n++;
		is_end = n < most;
		if (is_end)
			n++;
		if (r->after_cr && s[0] == '\n') {
			/* the second half of a line's end that was counted with its first */
			r->after_cr = false;
			e = csv_parse(&r->parser, s, 1, take_field, take_row, r) == 1 ? r->e : ERR_INTERNAL;
		} else {
			e = feed_piece(r, s, n, is_end);
			r->after_cr = is_end && s[n - 1] == '\r';
			r->line += is_end;
		}
		s += n;
		len -= n;
	}
	return e;
}

static enum err feed_text(struct csv_reader *r, const char *s, size_t len)
{
	size_t good = good_length(r, s, len);
	enum err e = feed_lines(r, s, good);

	return e == ERR_OK && good < len ? refuse_encoding(r, s[good]) : e;
}

/* How many of the names expected stand in a first line taken apart at this character. */
static unsigned names_found(const struct csv_reader *r, const char *s, size_t len, char delimiter)
{
	unsigned found = 0;

	while (len > 0) {
		const char *stop = memchr(s, delimiter, len);
		size_t n = stop != NULL ? (size_t)(stop - s) : len, skip = n < len ? n + 1 : n;
		const char *name = s;

		while (n > 0 && strchr("\" ", *name) != NULL && *name != '\0') {
			name++;
			n--;
		}
		while (n > 0 && (name[n - 1] == '"' || name[n - 1] == ' '))
			n--;
		for (const char *const *x = r->expected; *x != NULL; x++)
			found += strlen(*x) == n && memcmp(*x, name, n) == 0;
		s += skip;
		len -= skip;
	}
	return found;
}

static unsigned count_of(const char *s, size_t len, char c)
{
	unsigned n = 0;

	while (len > 0)
		n += s[--len] == c;
	return n;
}

static char find_delimiter(const struct csv_reader *r, const char *s, size_t len)
{
	static const char candidates[] = {',', ';', '\t'};
	unsigned best = 0;
	char found = ',';

	for (size_t i = 0; i < sizeof(candidates); i++) {
		/* names decide; among equals the character that is there more often */
		unsigned score =
		    names_found(r, s, len, candidates[i]) * 65536 + count_of(s, len, candidates[i]);

		if (score > best) {
			best = score;
			found = candidates[i];
		}
	}
	return found;
}

static enum err start(struct csv_reader *r)
{
	const char *s = r->head.data;
	size_t len = r->head.len, at, n = 0;
	enum err e;

	r->is_started = true;
	if (len >= 2 && (memcmp(s, "\xFF\xFE", 2) == 0 || memcmp(s, "\xFE\xFF", 2) == 0))
		return refuse(r, ERR_INVALID,
		    "This file is UTF-16 (“Unicode text”). Save it with the encoding UTF-8: “CSV UTF-8” in "
		    "Excel.");
	if (len >= 4 && memcmp(s, "PK\x03\x04", 4) == 0)
		return refuse(r, ERR_INVALID,
		    "This is a workbook or an archive, not a CSV file. Save it as “CSV UTF-8”.");
	if (len >= 3 && memcmp(s, "\xEF\xBB\xBF", 3) == 0) {
		s += 3;
		len -= 3;
	}
	for (at = strspn(s, BLANK_OR_MARK); at + n < len && at + n < HEAD_MAX_BYTES;) {
		if (s[at + n] == '\n' || s[at + n] == '\r')
			break;
		n++;
	}
	csv_set_delim(&r->parser, (unsigned char)find_delimiter(r, s + at, n));
	e = feed_text(r, s, len);
	buf_wipe(&r->head);
	return e;
}

/* Whether the head holds its first line, blank lines in front aside. */
static bool head_is_whole(const struct csv_reader *r)
{
	size_t blank = strspn(r->head.data, BLANK_OR_MARK);

	return r->head.len > HEAD_MAX_BYTES || strpbrk(r->head.data + blank, "\r\n") != NULL ||
	       strlen(r->head.data) < r->head.len;
}

enum err csv_reader_feed(struct csv_reader *r, const char *bytes, size_t len)
{
	if (r->e != ERR_OK)
		return r->e;
	if (len > CSV_FILE_MAX_BYTES - r->total)
		return refuse(r, ERR_TOO_BIG,
		    "The file is larger than 20 MB. Split it, and import one part after the other.");
	r->total += len;
	if (r->is_started)
		return feed_text(r, bytes, len);
	buf_add(&r->head, bytes, len);
	return head_is_whole(r) ? start(r) : ERR_OK;
}

enum err csv_reader_end(struct csv_reader *r)
{
	enum err e = r->e;

	if (e == ERR_OK && !r->is_started)
		e = start(r);
	if (e == ERR_OK && r->rest_len > 0)
		e = refuse_encoding(r, r->rest[0]);
	if (e != ERR_OK)
		return e;
	if (csv_fini(&r->parser, take_field, take_row, r) != 0)
		return refuse(r, ERR_INVALID,
		    "The file ends inside a field whose quotation mark was never closed. The row that holds "
		    "it begins in line "
		    "%u.",
		    r->row_line);
	return r->e;
}
