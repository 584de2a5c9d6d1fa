/*
 * Aligned columns for people, by the width that a terminal gives to characters.  What a cell holds may come
 * from strangers: nothing in it steers the terminal (lib/visible.h).
 */
#ifndef MCV_CTL_TABLE_H
#define MCV_CTL_TABLE_H

#include <stddef.h>

#include "lib/arena.h"

enum { TABLE_COLUMNS_MAX = 12 };

struct table {
	struct arena *a; /* cells live here */
	size_t columns;  /* at most TABLE_COLUMNS_MAX */
	const char **cells;
	size_t count, room; /* of cells */
};

/* heading: columns texts. */
void table_begin(struct table *t, struct arena *a, size_t columns, const char *const *heading);

/* One row, copied; NULL is an empty cell. */
void table_row(struct table *t, const char *const *cells);

/* Print the heading and the rows to standard output. */
void table_print(const struct table *t);

/* s (may be NULL) as it may stand in a line on a terminal; lives in a. */
const char *table_text(struct arena *a, const char *s);

#endif
