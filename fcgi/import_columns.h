/*
 * The columns of an import file, and where they stand in this one.  Pure.
 */
#ifndef MCV_FCGI_IMPORT_COLUMNS_H
#define MCV_FCGI_IMPORT_COLUMNS_H

#include <stdbool.h>

#include "fcgi/csv_read.h"
#include "lib/buf.h"
#include "lib/err.h"

enum import_column {
	IMPORT_SOURCE_SERVER,
	IMPORT_SOURCE_EMAIL,
	IMPORT_SOURCE_PASSWORD,
	IMPORT_DEST_SERVER,
	IMPORT_DEST_EMAIL,
	IMPORT_DEST_PASSWORD,
	IMPORT_REQUIRED, /* those above must be there */
	IMPORT_NAME = IMPORT_REQUIRED,
	IMPORT_DRY_RUN,
	IMPORT_REASON, /* of a file of bad rows that comes back mended: passed over */
	IMPORT_COLUMN__MAX
};

/* "sourceServerId" …, and NULL behind the last. */
extern const char *const import_column_names[IMPORT_COLUMN__MAX + 1];

/* Where each column stands in a row; -1: nowhere. */
struct import_map {
	int at[IMPORT_COLUMN__MAX];
	size_t count; /* fields of the header */
};

/*
 * Read the header.  ERR_INVALID: problems gets a line ended by '\n' for each thing wrong with it: columns
 * missing, unknown or there twice, by name.
 */
enum err import_map_read(
    const struct csv_row *header, struct import_map *map_r, struct buf *problems) MUST_CHECK;

/* The row's value of that column, "" when it has none. */
const char *import_value(const struct import_map *m, const struct csv_row *row, enum import_column c);

#endif
