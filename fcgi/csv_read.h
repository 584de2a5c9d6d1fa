/*
 * CSV (RFC 4180) from outside, by libcsv in strict mode: quoted fields with commas, quotes and line breaks in
 * them, CR LF, LF or CR at the line's end, a byte order mark.  The delimiter (',', ';' or tab) is the one
 * under which the first line holds most of the names expected.  What is not UTF-8 is refused.  Blanks belong
 * to fields.  Lines without fields, and rows whose fields are all empty, are passed over.
 *
 * Fields may be passwords: what passes through is wiped.  The only user of csv.h.
 */
#ifndef MCV_FCGI_CSV_READ_H
#define MCV_FCGI_CSV_READ_H

#include <stddef.h>

#include "lib/err.h"

enum {
	CSV_FILE_MAX_BYTES = 20 * 1024 * 1024,
	CSV_ROWS_MAX = 50000, /* below the header */
	CSV_FIELD_MAX_BYTES = 4096,
	CSV_FEED_MAX_BYTES = 64 * 1024,
	CSV_COLUMNS_MAX = 24 /* what stands behind is only counted */
};

struct csv_row {
	unsigned line;       /* of the file, from 1, where the row begins */
	size_t count;        /* of fields; may be more than CSV_COLUMNS_MAX */
	const char **fields; /* the first CSV_COLUMNS_MAX, valid UTF-8; valid during the call */
};

/* Called for each row, the header first.  Anything but ERR_OK ends the reading and is handed on. */
typedef enum err (*csv_row_fn)(void *arg, const struct csv_row *row);

struct csv_reader;

/* expected: the header's names, NULL-terminated; must outlive the reader. */
struct csv_reader *csv_reader_new(const char *const *expected, csv_row_fn on_row, void *arg)
    __attribute__((returns_nonnull));
/* Wipes, frees, sets to NULL; *r may be NULL. */
void csv_reader_free(struct csv_reader **r);

/*
 * The next len (at most CSV_FEED_MAX_BYTES) bytes; the end.  ERR_INVALID: not CSV or not UTF-8; ERR_TOO_BIG:
 * over one of the limits above; csv_reader_problem() then says what and where.  Or what on_row returned.
 * After an error only csv_reader_free() may be called.
 */
enum err csv_reader_feed(struct csv_reader *r, const char *bytes, size_t len) MUST_CHECK;
enum err csv_reader_end(struct csv_reader *r) MUST_CHECK;

/* What is wrong, where, and how to mend it: sentences for people.  "" while nothing is. */
const char *csv_reader_problem(const struct csv_reader *r);

#endif
