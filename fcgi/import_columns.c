#include "fcgi/import_columns.h"

#include <string.h>
#include <strings.h>

#include "lib/visible.h"

enum { NAME_SHOWN_BYTES = 60 };

const char *const import_column_names[IMPORT_COLUMN__MAX + 1] = {
    [IMPORT_SOURCE_SERVER] = "sourceServerId",
    [IMPORT_SOURCE_EMAIL] = "sourceEmail",
    [IMPORT_SOURCE_PASSWORD] = "sourcePassword",
    [IMPORT_DEST_SERVER] = "destServerId",
    [IMPORT_DEST_EMAIL] = "destEmail",
    [IMPORT_DEST_PASSWORD] = "destPassword",
    [IMPORT_NAME] = "name",
    [IMPORT_DRY_RUN] = "dryRun",
    [IMPORT_REASON] = "reason",
};

/* Blanks around a name count for nothing. */
static bool is_name(const char *s, const char *name, int (*compare)(const char *, const char *, size_t))
{
	size_t n;

	s += strspn(s, " \t\r\n");
	n = strcspn(s, " \t\r\n");
	return n == strlen(name) && compare(s, name, n) == 0 && s[n + strspn(s + n, " \t\r\n")] == '\0';
}

static void add_unknown(struct buf *problems, const char *s, size_t place)
{
	AUTO_BUF struct buf shown = BUF_INIT;
	size_t n = strnlen(s, NAME_SHOWN_BYTES);

	if (s[strspn(s, " \t\r\n")] == '\0') {
		buf_addf(problems, "Column %zu has no name.\n", place);
		return;
	}
	while (n > 0 && ((unsigned char)s[n] & 0xC0) == 0x80)
		n--; /* not within a character */
	visible_text(s, n, &shown);
	for (char *p = shown.data; *p != '\0'; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	buf_addf(problems, "There is no column “%s”.", shown.data);
	for (size_t c = 0; c < IMPORT_COLUMN__MAX; c++)
		if (is_name(s, import_column_names[c], strncasecmp))
			buf_addf(problems, " Write it “%s”.", import_column_names[c]);
	buf_addc(problems, '\n');
}

enum err import_map_read(const struct csv_row *header, struct import_map *m, struct buf *problems)
{
	size_t before = problems->len, c;

	m->count = header->count;
	for (c = 0; c < IMPORT_COLUMN__MAX; c++)
		m->at[c] = -1;
	if (header->count > CSV_COLUMNS_MAX)
		buf_addf(problems, "There are %zu columns; at most %u can be read.\n", header->count,
		    CSV_COLUMNS_MAX);
	for (size_t i = 0; i < header->count && i < CSV_COLUMNS_MAX; i++) {
		for (c = 0; c < IMPORT_COLUMN__MAX; c++)
			if (is_name(header->fields[i], import_column_names[c], strncmp))
				break;
		if (c == IMPORT_COLUMN__MAX)
			add_unknown(problems, header->fields[i], i + 1);
		else if (m->at[c] >= 0)
			buf_addf(problems, "The column “%s” is there twice.\n", import_column_names[c]);
		else
			m->at[c] = (int)i;
	}
	for (c = 0; c < IMPORT_REQUIRED; c++)
		if (m->at[c] < 0)
			buf_addf(problems, "The column “%s” is missing.\n", import_column_names[c]);
	return problems->len > before ? ERR_INVALID : ERR_OK;
}

const char *import_value(const struct import_map *m, const struct csv_row *row, enum import_column c)
{
	int at = m->at[c];

	return at >= 0 && (size_t)at < row->count ? row->fields[at] : "";
}
