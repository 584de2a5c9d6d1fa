#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/template.h"
#include "lib/template_ast.h"

enum { DELIMITER_MAX_BYTES = 16 };

struct parser {
	struct arena *a;
	const char *src;
	size_t len;
	size_t at;
	size_t counted; /* lines up to here have been counted: */
	int line;
	char open[DELIMITER_MAX_BYTES + 1];
	char close[DELIMITER_MAX_BYTES + 1];
	struct buf *why;

	/* The containers around the place we are at: a new node goes to *tail[depth]. */
	struct node **tail[TEMPLATE_NESTING_MAX + 1];
	struct node *opened[TEMPLATE_NESTING_MAX + 1];
	size_t depth;
};

/* A tag as found in the source. */
struct tag {
	char kind;         /* '#', '^', '/', '>', '<', '$', '!', '=', '&', '{' or 0 for a plain value */
	size_t start, end; /* of the whole tag */
	const char *body;
	size_t body_len;
	bool standalone;
	size_t line_start, line_end; /* the whole line, if standalone */
};

/* The line of a place that is never before the last one asked for. */
static int line_of(struct parser *p, size_t at)
{
	for (; p->counted < at; p->counted++)
		p->line += p->src[p->counted] == '\n';
	return p->line;
}

static enum err refuse(struct parser *p, size_t at, enum err e, const char *what)
{
	buf_addf(p->why, "line %d: %s", line_of(p, at), what);
	return e;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void trim(const char **s, size_t *len)
{
	while (*len > 0 && is_blank(**s)) {
		(*s)++;
		(*len)--;
	}
	while (*len > 0 && is_blank((*s)[*len - 1]))
		(*len)--;
}

static struct node *add_node(struct parser *p, enum node_type type, size_t at)
{
	struct node *n = arena_alloc(p->a, sizeof(*n));

	n->type = type;
	n->line = line_of(p, at);
	n->indent = "";
	*p->tail[p->depth] = n;
	p->tail[p->depth] = &n->next;
	return n;
}

static void add_text(struct parser *p, size_t from, size_t to)
{
	struct node *n;

	if (from >= to)
		return;
	n = add_node(p, NODE_TEXT, from);
	n->text = p->src + from;
	n->len = to - from;
}

/* "a.b.c" → 3 parts; "." → 0.  An empty part or a blank inside is no name. */
static enum err set_name(struct parser *p, struct node *n, const struct tag *t)
{
	const char *s = t->body;
	size_t len = t->body_len, parts = 1;

	n->text = arena_strndup(p->a, s, len);
	n->len = len;
	if (len == 1 && s[0] == '.')
		return ERR_OK;
	for (size_t i = 0; i < len; i++) {
		bool dot = s[i] == '.';

		if (is_blank(s[i]) || (dot && (i == 0 || i + 1 == len || s[i + 1] == '.')))
			return refuse(p, t->start, ERR_INVALID, "malformed name in a tag");
		parts += dot;
	}
	if (len == 0)
		return refuse(p, t->start, ERR_INVALID, "empty tag");
	n->path = arena_array(p->a, parts, sizeof(char *));
	for (size_t i = 0, from = 0; i <= len; i++) {
		if (i < len && s[i] != '.')
			continue;
		n->path[n->path_len++] = arena_strndup(p->a, s + from, i - from);
		from = i + 1;
	}
	return ERR_OK;
}

static size_t find(const struct parser *p, size_t from, const char *what)
{
	const char *hit = memmem(p->src + from, p->len - from, what, strlen(what));

	return hit ? (size_t)(hit - p->src) : p->len;
}

/* A tag alone on its line takes the line with it (specification, "standalone tags"). */
static void look_around(const struct parser *p, struct tag *t)
{
	size_t from = t->start, to = t->end;

	while (from > 0 && (p->src[from - 1] == ' ' || p->src[from - 1] == '\t'))
		from--;
	while (to < p->len && (p->src[to] == ' ' || p->src[to] == '\t' || p->src[to] == '\r'))
		to++;
	t->standalone = (from == 0 || p->src[from - 1] == '\n') && (to == p->len || p->src[to] == '\n');
	t->line_start = from;
	t->line_end = to < p->len ? to + 1 : to;
}

static enum err next_tag(struct parser *p, struct tag *t)
{
	size_t close_at, open_len = strlen(p->open);
	char closer[DELIMITER_MAX_BYTES + 3];

	*t = (struct tag){.start = find(p, p->at, p->open)};
	if (t->start == p->len)
		return ERR_OK;
	t->body = p->src + t->start + open_len;
	if (t->start + open_len < p->len && strchr("#^/><$!=&{", *t->body) != NULL && *t->body != '\0')
		t->kind = *t->body++;
	(void)snprintf(closer, sizeof(closer), "%s%s",
	    t->kind == '{'   ? "}"
	    : t->kind == '=' ? "="
			     : "",
	    p->close);
	close_at = find(p, (size_t)(t->body - p->src), closer);
	if (close_at == p->len)
		return refuse(p, t->start, ERR_INVALID, "a tag is never closed");
	t->body_len = close_at - (size_t)(t->body - p->src);
	t->end = close_at + strlen(closer);
	trim(&t->body, &t->body_len);
	if (t->kind != 0 && t->kind != '&' && t->kind != '{')
		look_around(p, t);
	return ERR_OK;
}

/* {{=<% %>=}} */
static enum err set_delimiters(struct parser *p, const struct tag *t)
{
	const char *second = NULL;
	size_t first_len = 0, second_len;

	for (size_t i = 0; i < t->body_len && second == NULL; i++) {
		if (!is_blank(t->body[i]))
			continue;
		first_len = i;
		second = t->body + i;
	}
	if (second == NULL)
		return refuse(p, t->start, ERR_INVALID, "delimiters are two words");
	second_len = t->body_len - first_len;
	trim(&second, &second_len);
	if (first_len > DELIMITER_MAX_BYTES || second_len > DELIMITER_MAX_BYTES ||
	    memchr(second, ' ', second_len) != NULL)
		return refuse(p, t->start, ERR_INVALID, "delimiters are two short words");
	memcpy(p->open, t->body, first_len);
	p->open[first_len] = '\0';
	memcpy(p->close, second, second_len);
	p->close[second_len] = '\0';
	return ERR_OK;
}

static enum err open_container(struct parser *p, struct node *n, const struct tag *t)
{
	if (p->depth == TEMPLATE_NESTING_MAX)
		return refuse(p, t->start, ERR_TOO_BIG, "too many sections inside each other");
	p->depth++;
	p->opened[p->depth] = n;
	p->tail[p->depth] = &n->child;
	return ERR_OK;
}

static enum err close_container(struct parser *p, const struct tag *t)
{
	const struct node *n = p->opened[p->depth];

	if (p->depth == 0)
		return refuse(p, t->start, ERR_INVALID, "a closing tag without its opening one");
	if (n->len != t->body_len || memcmp(n->text, t->body, n->len) != 0) {
		buf_addf(p->why, "line %d: {{/%.*s}} closes {{%s}} of line %d", line_of(p, t->start),
		    (int)t->body_len, t->body, n->text, n->line);
		return ERR_INVALID;
	}
	p->depth--;
	return ERR_OK;
}

static enum err take_tag(struct parser *p, const struct tag *t)
{
	static const struct {
		char kind;
		enum node_type type;
		bool container;
	} kinds[] = {
	    {0, NODE_VALUE, false},
	    {'&', NODE_RAW, false},
	    {'{', NODE_RAW, false},
	    {'#', NODE_SECTION, true},
	    {'^', NODE_INVERTED, true},
	    {'>', NODE_PARTIAL, false},
	    {'<', NODE_PARENT, true},
	    {'$', NODE_BLOCK, true},
	};
	enum err e;

	if (t->kind == '!')
		return ERR_OK;
	if (t->kind == '=')
		return set_delimiters(p, t);
	if (t->kind == '/')
		return close_container(p, t);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct node *n;

		if (kinds[i].kind != t->kind)
			continue;
		n = add_node(p, kinds[i].type, t->start);
		if (t->standalone && t->kind == '>')
			n->indent = arena_strndup(p->a, p->src + t->line_start, t->start - t->line_start);
		if (t->kind == '>' || t->kind == '<') {
			n->text = arena_strndup(p->a, t->body, t->body_len);
			n->len = t->body_len;
			e = ERR_OK;
		} else {
			e = set_name(p, n, t);
		}
		if (e == ERR_OK && kinds[i].container)
			e = open_container(p, n, t);
		return e;
	}
	return refuse(p, t->start, ERR_INVALID, "unknown tag");
}

/* The source with indent before each of its lines. */
static const char *indented(struct arena *a, const char *source, size_t *len, const char *indent)
{
	AUTO_BUF struct buf b = BUF_INIT;

	if (indent[0] == '\0')
		return arena_strndup(a, source, *len);
	for (size_t i = 0; i < *len; i++) {
		if (i == 0 || source[i - 1] == '\n')
			buf_adds(&b, indent);
		buf_addc(&b, source[i]);
	}
	*len = b.len;
	return arena_strndup(a, b.data, b.len);
}

enum err template_parse(struct arena *a, const char *source, size_t len, const char *indent,
    struct node **root_r, struct buf *why)
{
	struct parser p = {.a = a, .open = "{{", .close = "}}", .why = why, .line = 1};
	enum err e = ERR_OK;

	*root_r = NULL;
	p.src = indented(a, source, &len, indent);
	p.len = len;
	p.tail[0] = root_r;
	while (p.at < p.len) {
		struct tag t;

		e = next_tag(&p, &t);
		if (e != ERR_OK)
			return e;
		if (t.start == p.len) {
			add_text(&p, p.at, p.len);
			break;
		}
		add_text(&p, p.at, t.standalone ? t.line_start : t.start);
		p.at = t.standalone ? t.line_end : t.end;
		e = take_tag(&p, &t);
		if (e != ERR_OK)
			return e;
	}
	if (p.depth > 0) {
		buf_addf(
		    why, "line %d: {{%s}} is never closed", p.opened[p.depth]->line, p.opened[p.depth]->text);
		return ERR_INVALID;
	}
	return ERR_OK;
}
