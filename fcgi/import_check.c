#include "fcgi/import_check.h"

#include <string.h>
#include <strings.h>

#include "fcgi/csv_write.h"
#include "fcgi/form.h"
#include "lib/parse.h"
#include "lib/utf8.h"

enum { USER_MAX_BYTES = 255, NAME_MAX_CHARS = 200, SHOWN_BYTES = 60 };

static void PRINTF_LIKE(3, 4)
    add_problem(struct buf *problems, enum import_column column, const char *fmt, ...)
{
	va_list ap;

	buf_addf(problems, "%s\t", column < IMPORT_COLUMN__MAX ? import_column_names[column] : "");
	va_start(ap, fmt);
	buf_vaddf(problems, fmt, ap);
	va_end(ap);
	buf_addc(problems, '\n');
}

/* s as it can stand in one line of a message: its beginning, control characters as "?". */
static const char *shown(struct arena *a, const char *s)
{
	size_t len = strlen(s), i = 0, n;
	char *copy = arena_alloc(a, SHOWN_BYTES + 8);
	char *out = copy;

	for (; i < len && i < SHOWN_BYTES; i += n) {
		n = utf8_sequence(s + i, len - i);
		if (n == 0 || (utf8_is_control(s + i, n) || utf8_is_hidden(s + i, n))) {
			n = n == 0 ? 1 : n;
			*out++ = '?';
		} else {
			memcpy(out, s + i, n);
			out += n;
		}
	}
	if (i < len)
		memcpy(out, "…", sizeof("…"));
	return copy;
}

/* A value without blanks around it, and without our apostrophe against formulas.  Never for passwords. */
static const char *tidy(
    const struct import_check *c, struct arena *a, const struct csv_row *row, enum import_column column)
{
	const char *sent = import_value(&c->map, row, column),
		   *s = c->is_list ? sent : csv_without_guard(sent);
	size_t len;

	s += strspn(s, " \t\r\n");
	len = strlen(s);
	while (len > 0 && strchr(" \t\r\n", s[len - 1]) != NULL)
		len--;
	return arena_strndup(a, s, len);
}

/* NULL: none. */
static const struct import_server *check_server(const struct import_check *c, struct arena *a,
    const struct csv_row *row, enum import_column column, struct buf *problems)
{
	const char *s = tidy(c, a, row, column);
	const struct import_server *found = NULL;
	uint64_t id = 0;
	size_t fits = 0;

	if (*s == '\0') {
		add_problem(problems, column, "The server is missing.");
		return NULL;
	}
	if (!form_id(s, &id))
		id = 0;
	for (size_t i = 0; i < c->servers_count; i++) {
		if (c->servers[i].id == id || strcmp(c->servers[i].name, s) == 0) {
			found = &c->servers[i];
			fits++;
		}
	}
	if (fits == 0)
		add_problem(problems, column, "Unknown server “%s”.", shown(a, s));
	if (fits > 1)
		add_problem(problems, column, "“%s” fits %zu servers: give the id.", shown(a, s), fits);
	if (fits != 1)
		return NULL;
	if (column == IMPORT_DEST_SERVER && !found->may_receive)
		add_problem(problems, column, "Your account may not copy to “%s”.", shown(a, found->name));
	return found;
}

/* A user is an address, or, on a server of one domain, a name. */
static bool is_user(const char *s)
{
	size_t len = strlen(s), n;

	for (size_t i = 0; i < len; i += n) {
		n = utf8_sequence(s + i, len - i);
		if (n == 0 || (utf8_is_control(s + i, n) || utf8_is_hidden(s + i, n)) || s[i] == ' ')
			return false;
	}
	return strchr(s, '@') == NULL || parse_is_email(s);
}

static const char *check_user(const struct import_check *c, struct arena *a, const struct csv_row *row,
    enum import_column column, struct buf *problems)
{
	const char *s = tidy(c, a, row, column);

	if (*s == '\0')
		add_problem(problems, column, "The address is missing.");
	else if (strlen(s) > USER_MAX_BYTES)
		add_problem(problems, column, "The address is longer than %d bytes.", USER_MAX_BYTES);
	else if (!is_user(s))
		add_problem(problems, column, "“%s” is not an e-mail address or user name.", shown(a, s));
	else
		return s;
	return NULL;
}

static const char *check_password(
    const struct import_check *c, const struct csv_row *row, enum import_column column, struct buf *problems)
{
	const char *s = import_value(&c->map, row, column);
	bool is_token = c->takes_token[column == IMPORT_DEST_PASSWORD];

	if (*s == '\0')
		add_problem(problems, column, "The password is missing.");
	else if (strlen(s) > FORM_PASSWORD_MAX_BYTES && !is_token)
		add_problem(problems, column,
		    "The password is longer than %d bytes. If it is an access token, say so under Options, "
		    "Sign-in.",
		    FORM_PASSWORD_MAX_BYTES);
	else if (strlen(s) > FORM_SECRET_MAX_BYTES)
		add_problem(
		    problems, column, "The access token is longer than %d bytes.", FORM_SECRET_MAX_BYTES);
	else if (strpbrk(s, "\r\n") != NULL)
		add_problem(problems, column, "The password contains a line break.");
	else
		return s;
	return NULL;
}

/* A line break in a name is a blank in a list, and several look like one. */
static const char *check_name(
    const struct import_check *c, struct arena *a, const struct csv_row *row, struct buf *problems)
{
	const char *s = tidy(c, a, row, IMPORT_NAME);
	size_t len = strlen(s), kept = 0, chars = 0, n;
	char *name = arena_strndup(a, s, len);

	for (size_t i = 0; i < len; i++) {
		if (strchr("\r\n\t", name[i]) != NULL)
			name[i] = ' ';
		if (name[i] != ' ' || kept == 0 || name[kept - 1] != ' ')
			name[kept++] = name[i];
	}
	name[kept] = '\0';
	len = kept;
	for (size_t i = 0; i < len; i += n, chars++) {
		n = utf8_sequence(name + i, len - i);
		if (n == 0 || utf8_is_control(name + i, n) || utf8_is_hidden(name + i, n)) {
			add_problem(
			    problems, IMPORT_NAME, "The name contains a control or invisible character.");
			return NULL;
		}
	}
	if (chars > NAME_MAX_CHARS)
		add_problem(problems, IMPORT_NAME, "The name is longer than %d characters.", NAME_MAX_CHARS);
	return len > 0 ? name : NULL;
}

static int check_dry_run(
    const struct import_check *c, struct arena *a, const struct csv_row *row, struct buf *problems)
{
	static const struct {
		const char *word;
		int value;
	} words[] = {{"", -1}, {"1", 1}, {"true", 1}, {"yes", 1}, {"0", 0}, {"false", 0}, {"no", 0}};
	const char *s = tidy(c, a, row, IMPORT_DRY_RUN);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(words[i].word, s) == 0)
			return words[i].value;
	add_problem(
	    problems, IMPORT_DRY_RUN, "“%s” is neither 1, true or yes nor 0, false or no.", shown(a, s));
	return -1;
}

static void check_seen(
    const struct import_check *c, const struct import_mailboxes *m, unsigned line, struct buf *problems)
{
	uint64_t job, earlier;

	if (m->src_host == NULL || m->dst_host == NULL || m->src_user == NULL || m->dst_user == NULL)
		return;
	earlier = import_seen_add(c->seen, m, line);
	if (earlier != 0 && c->is_list)
		add_problem(problems, IMPORT_COLUMN__MAX, "The same mailboxes as at index %llu.",
		    (unsigned long long)earlier - 1);
	else if (earlier != 0)
		add_problem(problems, IMPORT_COLUMN__MAX, "The same mailboxes as in line %llu.",
		    (unsigned long long)earlier);
	job = import_seen_find(c->active, m);
	if (job != 0)
		add_problem(problems, IMPORT_COLUMN__MAX,
		    "The same mailboxes are queued or running already, as job %llu.",
		    (unsigned long long)job);
}

enum err import_check_row(const struct import_check *c, struct arena *a, const struct csv_row *row,
    struct import_mailbox_row *g, struct buf *problems)
{
	const struct import_server *from, *to;
	size_t before = problems->len;

	if (row->count != c->map.count) {
		/* which value belongs to which column is not known then */
		add_problem(problems, IMPORT_COLUMN__MAX,
		    "The row has %zu %s, the header has %zu. A value with a delimiter in it must be put in "
		    "quotation "
		    "marks.",
		    row->count, row->count == 1 ? "field" : "fields", c->map.count);
		return ERR_INVALID;
	}
	from = check_server(c, a, row, IMPORT_SOURCE_SERVER, problems);
	g->mailboxes.src_user = check_user(c, a, row, IMPORT_SOURCE_EMAIL, problems);
	g->src_password = check_password(c, row, IMPORT_SOURCE_PASSWORD, problems);
	to = check_server(c, a, row, IMPORT_DEST_SERVER, problems);
	g->mailboxes.dst_user = check_user(c, a, row, IMPORT_DEST_EMAIL, problems);
	g->dst_password = check_password(c, row, IMPORT_DEST_PASSWORD, problems);
	g->name = check_name(c, a, row, problems);
	g->dry_run = check_dry_run(c, a, row, problems);
	g->src_server_id = from != NULL ? from->id : 0;
	g->dst_server_id = to != NULL ? to->id : 0;
	g->mailboxes.src_host = from != NULL ? from->host : NULL;
	g->mailboxes.dst_host = to != NULL ? to->host : NULL;
	check_seen(c, &g->mailboxes, row->line, problems);
	return problems->len > before ? ERR_INVALID : ERR_OK;
}

void import_row_text(const struct import_map *m, const struct csv_row *row, struct buf *out)
{
	for (int i = 0; i < IMPORT_REASON; i++) {
		enum import_column column = (enum import_column)i;

		if (i > 0)
			buf_addc(out, ',');
		/* in a row of the wrong length any field may be a password */
		if (column != IMPORT_SOURCE_PASSWORD && column != IMPORT_DEST_PASSWORD &&
		    row->count == m->count)
			csv_write_field(out, csv_without_guard(import_value(m, row, column)));
	}
}
