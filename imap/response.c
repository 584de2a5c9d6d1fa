#include "config.h"

#include "imap/response.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Longest line of a trace; the rest is left out. */
#define TRACE_MAX 2000

/* Where the next node is to be hung, and what is being read. */
struct builder {
	struct imap_reader *r;
	const struct imap_literal_hook *hook;
	struct imap_response *resp;
	struct imap_node **at;
	struct imap_node **up[64]; /* by depth: where to go on after the list */
	unsigned depth;
	struct imap_node *last;
	size_t nodes, kept;
	/* the literal being read */
	enum imap_literal_fate fate;
	struct imap_node *literal;
	char *room;
	size_t room_size;
};

void imap_reader_init(struct imap_reader *r, struct imap_stream *st)
{
	*r = (struct imap_reader){.stream = st, .arena = arena_new(), .traced = BUF_INIT};
	imap_lexer_init(&r->lexer, NULL);
}

void imap_reader_free(struct imap_reader *r)
{
	imap_lexer_free(&r->lexer);
	arena_free(&r->arena);
	buf_wipe(&r->traced);
}

mono_time imap_reader_patience(const struct imap_reader *r)
{
	mono_time t = mono_after(mono_now(), r->silence_ms);

	return r->deadline.ms != 0 && r->deadline.ms < t.ms ? r->deadline : t;
}

static void trace(struct imap_reader *r, const char *bytes, size_t len, const struct imap_token *t)
{
	if (r->trace == NULL || t->type == IMAP_TOKEN_PIECE)
		return;
	for (size_t i = 0; i < len && r->traced.len < TRACE_MAX; i++)
		if (bytes[i] != '\r' && bytes[i] != '\n')
			buf_addc(&r->traced, bytes[i]);
	if (t->type == IMAP_TOKEN_EOL || t->type == IMAP_TOKEN_ERROR) {
		r->trace(r->trace_ctx, true, r->traced.data, r->traced.len);
		buf_clear(&r->traced);
	}
}

/* The next token, waiting for bytes as needed. */
static enum err next(struct imap_reader *r, struct imap_token *t, struct imap_failure *f)
{
	for (;;) {
		size_t len, used;
		const char *data = imap_stream_peek(r->stream, &len);
		imap_lexer_next(&r->lexer, data, len, &used, t);
		trace(r, data, used, t);
		/* a PIECE points into the stream's buffer, which consume leaves as it is */
		imap_stream_consume(r->stream, used);
		if (t->type == IMAP_TOKEN_ERROR)
			return imap_fail(f, t->err == ERR_TOO_BIG ? IMAP_LIMIT_EXCEEDED : IMAP_PROTOCOL_ERROR,
			    "the server sent %s", t->why);
		if (t->type != IMAP_TOKEN_MORE)
			return ERR_OK;
		enum err e = imap_stream_fill(r->stream, imap_reader_patience(r), f);
		if (e != ERR_OK)
			return e;
	}
}

static enum err expect(
    struct imap_reader *r, enum imap_token_type type, struct imap_token *t, struct imap_failure *f)
{
	enum err e = next(r, t, f);

	if (e == ERR_OK && t->type != type)
		e = imap_fail(f, IMAP_PROTOCOL_ERROR, "the server's line has an unexpected form");
	return e;
}

static struct imap_node *add(struct builder *b, enum imap_node_type type, const char *bytes, size_t len)
{
	struct imap_node *n = arena_alloc(b->r->arena, sizeof(*n));

	n->type = type;
	n->bytes = bytes;
	n->len = len;
	*b->at = n;
	b->at = &n->next;
	b->last = n;
	b->nodes++;
	b->kept += len;
	return n;
}

static void open_literal(struct builder *b, uint64_t size)
{
	const struct imap_node *last = b->last != NULL && b->last->type == IMAP_NODE_ATOM ? b->last : NULL;

	b->fate = IMAP_LITERAL_KEEP;
	if (b->hook != NULL)
		b->fate = b->hook->announce(b->hook->ctx, b->resp, last, size);
	b->room = NULL;
	b->room_size = 0;
	if (b->fate == IMAP_LITERAL_KEEP) {
		b->room_size = size < IMAP_LITERAL_KEPT_MAX ? (size_t)size : IMAP_LITERAL_KEPT_MAX;
		/* within the bound of all, so that announcing alone cannot take memory */
		if (b->kept + b->room_size > IMAP_KEPT_MAX)
			b->room_size = 0;
		b->room = arena_alloc(b->r->arena, b->room_size + 1);
		b->kept += b->room_size;
		b->literal = add(b, IMAP_NODE_STRING, b->room, 0);
		b->literal->cut = size > b->room_size;
	} else {
		b->literal = add(b, IMAP_NODE_STREAMED, "", 0);
	}
}

static void literal_piece(struct builder *b, const char *bytes, size_t len)
{
	if (b->fate == IMAP_LITERAL_STREAM) {
		b->hook->piece(b->hook->ctx, bytes, len);
	} else if (b->fate == IMAP_LITERAL_KEEP) {
		size_t n = b->room_size - b->literal->len;
		if (n > len)
			n = len;
		memcpy(b->room + b->literal->len, bytes, n);
		b->literal->len += n;
	}
}

static enum err build(struct builder *b, const struct imap_token *t, struct imap_failure *f)
{
	switch (t->type) {
	case IMAP_TOKEN_ATOM:
	case IMAP_TOKEN_STRING:
		add(b, t->type == IMAP_TOKEN_ATOM ? IMAP_NODE_ATOM : IMAP_NODE_STRING,
		    arena_strndup(b->r->arena, t->bytes, t->len), t->len);
		break;
	case IMAP_TOKEN_OPEN:
		if (b->depth == sizeof(b->up) / sizeof(b->up[0]))
			return imap_fail(f, IMAP_LIMIT_EXCEEDED, "the server nests too deeply");
		struct imap_node *list = add(b, IMAP_NODE_LIST, "", 0);
		b->up[b->depth++] = &list->next;
		b->at = &list->child;
		b->last = NULL;
		break;
	case IMAP_TOKEN_CLOSE:
		if (b->depth == 0)
			return imap_fail(f, IMAP_PROTOCOL_ERROR, "the server's line has an unexpected form");
		b->at = b->up[--b->depth];
		b->last = NULL;
		break;
	case IMAP_TOKEN_LITERAL: open_literal(b, t->size); break;
	case IMAP_TOKEN_PIECE: literal_piece(b, t->bytes, t->len); break;
	default: break;
	}
	if (b->nodes > IMAP_NODES_MAX || b->kept > IMAP_KEPT_MAX)
		return imap_fail(
		    f, IMAP_LIMIT_EXCEEDED, "the server sent more in one answer than is accepted");
	return ERR_OK;
}

/* "[CODE args] text", or only text. */
static void split_text(struct arena *a, const char *line, size_t len, struct imap_response *resp)
{
	const char *close = len > 0 && line[0] == '[' ? memchr(line, ']', len) : NULL;

	resp->code = resp->code_args = "";
	if (close != NULL) {
		char *code = arena_strndup(a, line + 1, (size_t)(close - line) - 1);
		char *args = strchr(code, ' ');
		if (args != NULL)
			*args++ = '\0';
		for (char *c = code; *c != '\0'; c++)
			*c = (char)toupper((unsigned char)*c);
		resp->code = code;
		resp->code_args = args != NULL ? args : "";
		close++;
		if (close < line + len && *close == ' ')
			close++;
		len -= (size_t)(close - line);
		line = close;
	}
	resp->text = arena_strndup(a, line, len);
	resp->text_len = len;
}

static enum err read_text(struct imap_reader *r, struct imap_response *resp, struct imap_failure *f)
{
	struct imap_token t;
	enum err e;

	imap_lexer_text(&r->lexer);
	e = expect(r, IMAP_TOKEN_TEXT, &t, f);
	if (e != ERR_OK)
		return e;
	split_text(r->arena, t.bytes, t.len, resp);
	return expect(r, IMAP_TOKEN_EOL, &t, f);
}

static enum imap_status_word status_of(const struct imap_token *t)
{
	static const char *const words[] = {[IMAP_STATUS_OK] = "OK",
	    [IMAP_STATUS_NO] = "NO",
	    [IMAP_STATUS_BAD] = "BAD",
	    [IMAP_STATUS_BYE] = "BYE",
	    [IMAP_STATUS_PREAUTH] = "PREAUTH"};

	for (int i = IMAP_STATUS_OK; i <= IMAP_STATUS_PREAUTH; i++)
		if (imap_token_is(t, words[i]))
			return (enum imap_status_word)i;
	return IMAP_NO_STATUS;
}

static enum err read_nodes(struct imap_reader *r, const struct imap_literal_hook *hook,
    struct imap_response *resp, struct imap_failure *f)
{
	struct builder b = {.r = r, .hook = hook, .resp = resp, .at = &resp->nodes};
	struct imap_token t;

	for (;;) {
		enum err e = next(r, &t, f);
		if (e != ERR_OK || t.type == IMAP_TOKEN_EOL)
			return e;
		e = build(&b, &t, f);
		if (e != ERR_OK)
			return e;
	}
}

enum err imap_read_response(struct imap_reader *r, const struct imap_literal_hook *hook,
    struct imap_response *resp, struct imap_failure *f)
{
	struct imap_token t;
	uint64_t number;
	enum err e;

	arena_reset(r->arena);
	*resp = (struct imap_response){.tag = "", .word = "", .code = "", .code_args = "", .text = ""};
	e = expect(r, IMAP_TOKEN_ATOM, &t, f);
	if (e != ERR_OK)
		return e;
	if (imap_token_is(&t, "+")) {
		resp->kind = IMAP_CONTINUATION;
		return read_text(r, resp, f);
	}
	resp->kind = imap_token_is(&t, "*") ? IMAP_UNTAGGED : IMAP_TAGGED;
	resp->tag = arena_strndup(r->arena, t.bytes, t.len);
	e = expect(r, IMAP_TOKEN_ATOM, &t, f);
	if (e != ERR_OK)
		return e;
	if (resp->kind == IMAP_UNTAGGED && imap_parse_number(t.bytes, t.len, UINT32_MAX, &number) == ERR_OK) {
		resp->numbered = true;
		resp->number = (uint32_t)number;
		e = expect(r, IMAP_TOKEN_ATOM, &t, f);
		if (e != ERR_OK)
			return e;
	}
	resp->word = arena_strndup(r->arena, t.bytes, t.len);
	resp->status = status_of(&t);
	if (resp->status != IMAP_NO_STATUS)
		return read_text(r, resp, f);
	if (resp->kind == IMAP_TAGGED)
		return imap_fail(f, IMAP_PROTOCOL_ERROR, "the server answered with an unknown word");
	return read_nodes(r, hook, resp, f);
}

bool imap_node_is(const struct imap_node *n, const char *atom)
{
	return n != NULL && n->type == IMAP_NODE_ATOM && strcasecmp(n->bytes, atom) == 0;
}

bool imap_node_nil(const struct imap_node *n)
{
	return imap_node_is(n, "NIL");
}

const char *imap_node_text(const struct imap_node *n)
{
	if (n == NULL || imap_node_nil(n) || (n->type != IMAP_NODE_ATOM && n->type != IMAP_NODE_STRING))
		return NULL;
	return n->bytes;
}

bool imap_node_number(const struct imap_node *n, uint64_t max, uint64_t *n_r)
{
	return n != NULL && n->type == IMAP_NODE_ATOM &&
	       imap_parse_number(n->bytes, n->len, max, n_r) == ERR_OK;
}
