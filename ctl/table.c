#include "ctl/table.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "lib/buf.h"
#include "lib/visible.h"

const char *table_text(struct arena *a, const char *s)
{
	AUTO_BUF struct buf b = BUF_INIT;

	if (s != NULL)
		visible_line(s, strlen(s), &b);
	return arena_strndup(a, b.data, b.len);
}

void table_begin(struct table *t, struct arena *a, size_t columns, const char *const *heading)
{
	*t = (struct table){.a = a, .columns = columns};
	table_row(t, heading);
}

void table_row(struct table *t, const char *const *cells)
{
	if (t->count + t->columns > t->room) {
		size_t room = t->room > 0 ? 2 * t->room : 64 * t->columns;
		const char **bigger = arena_array(t->a, room, sizeof(*bigger));

		if (t->count > 0)
			memcpy(bigger, t->cells, t->count * sizeof(*bigger));
		t->cells = bigger;
		t->room = room;
	}
	for (size_t i = 0; i < t->columns; i++)
		t->cells[t->count++] = table_text(t->a, cells[i]);
}

/* Columns of a terminal that s takes. */
static size_t width(const char *s)
{
	size_t sum = 0;
	mbstate_t state = {0};
	wchar_t c;
	size_t n;

	for (; *s != '\0'; s += n) {
		n = mbrtowc(&c, s, MB_CUR_MAX, &state);
		if (n == (size_t)-1 || n == (size_t)-2 || n == 0)
			return sum + strlen(s);
		if (wcwidth(c) > 0)
			sum += (size_t)wcwidth(c);
	}
	return sum;
}

void table_print(const struct table *t)
{
	size_t widest[TABLE_COLUMNS_MAX] = {0};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	for (size_t i = 0; i < t->count; i++)
		if (width(t->cells[i]) > widest[i % t->columns])
			widest[i % t->columns] = width(t->cells[i]);
	for (size_t i = 0; i < t->count; i++) {
		size_t column = i % t->columns;

		if (column + 1 == t->columns)
			puts(t->cells[i]);
		else
			printf("%s%*s", t->cells[i], (int)(widest[column] - width(t->cells[i]) + 2), "");
	}
}
