#include "imap/token.h"

#include <string.h>
#include <strings.h>

enum state {
	BETWEEN = 0, /* before a token */
	IN_ATOM,
	IN_QUOTED,
	IN_TEXT,
	AFTER_CR,
	HEAD_DIGITS, /* { seen */
	HEAD_PLUS,   /* {n+ seen */
	HEAD_CLOSED, /* {n} seen */
	HEAD_CR,
	IN_LITERAL,
	FAILED,
};

const struct imap_limits imap_limits_default = {
    .token_max = 64 * 1024,
    .response_max = 16 * 1024 * 1024,
    .literal_max = (uint64_t)4 * 1024 * 1024 * 1024,
    .literals_max = 4096,
    .depth_max = 32,
};

void imap_lexer_init(struct imap_lexer *lx, const struct imap_limits *limits)
{
	memset(lx, 0, sizeof(*lx));
	lx->limits = limits ? *limits : imap_limits_default;
	lx->token = (struct buf)BUF_INIT;
}

void imap_lexer_free(struct imap_lexer *lx)
{
	buf_free(&lx->token);
}

void imap_lexer_text(struct imap_lexer *lx)
{
	lx->want_text = true;
}

bool imap_token_is(const struct imap_token *t, const char *word)
{
	return t->type == IMAP_TOKEN_ATOM && strlen(word) == t->len &&
	       strncasecmp(t->bytes, word, t->len) == 0;
}

enum err imap_parse_number(const char *s, size_t len, uint64_t max, uint64_t *n_r)
{
	uint64_t n = 0;

	if (len == 0)
		return ERR_INVALID;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return ERR_INVALID;
		unsigned digit = (unsigned)(s[i] - '0');
		if (n > (max - digit) / 10 || digit > max)
			return ERR_INVALID;
		n = n * 10 + digit;
	}
	*n_r = n;
	return ERR_OK;
}

static void fail(struct imap_lexer *lx, enum err err, const char *why)
{
	lx->state = FAILED;
	lx->err = err;
	lx->why = why;
}

static void broken(struct imap_lexer *lx, const char *why)
{
	fail(lx, ERR_PROTOCOL, why);
}

static void finish(struct imap_lexer *lx, struct imap_token *t, enum imap_token_type type)
{
	t->type = type;
	t->bytes = lx->token.data;
	t->len = lx->token.len;
	lx->state = BETWEEN;
}

/* Adds a run of bytes to the token; false once over the bound. */
static bool keep(struct imap_lexer *lx, const char *bytes, size_t len)
{
	if (len > lx->limits.token_max - lx->token.len) {
		fail(lx, ERR_TOO_BIG, "a word longer than allowed");
		return false;
	}
	buf_add(&lx->token, bytes, len);
	return true;
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7F;
}

static bool is_section_word(const struct buf *b)
{
	static const char *const words[] = {"BODY", "BINARY", "BINARY.SIZE", "BODY.PEEK"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (b->len == strlen(words[i]) && strncasecmp(b->data, words[i], b->len) == 0)
			return true;
	return false;
}

/* Whether c ends an atom (it is then left for the next token). */
static bool ends_atom(char c)
{
	return c == ' ' || c == '\t' || c == '(' || c == ')' || c == '\r' || c == '\n';
}

/* One byte inside BODY[ ]: only that and the quotes in it need a byte-wise look. */
static void section_byte(struct imap_lexer *lx, char c)
{
	if (c == '\r' || c == '\n' || c == '\0') {
		broken(lx, "a section without its closing bracket");
		return;
	}
	if (!keep(lx, &c, 1))
		return;
	if (lx->escaped)
		lx->escaped = false;
	else if (lx->in_quotes && c == '\\')
		lx->escaped = true;
	else if (c == '"')
		lx->in_quotes = !lx->in_quotes;
	else if (c == ']' && !lx->in_quotes)
		lx->in_section = false;
}

static size_t atom(struct imap_lexer *lx, const char *data, size_t len, struct imap_token *t)
{
	size_t i = 0, begin = 0;

	while (i < len && lx->state == IN_ATOM) {
		char c = data[i];
		if (lx->in_section) {
			section_byte(lx, c);
			begin = ++i;
		} else if (ends_atom(c)) {
			if (keep(lx, data + begin, i - begin))
				finish(lx, t, IMAP_TOKEN_ATOM);
			return i;
		} else if (c == '"' || is_control(c)) {
			broken(lx, "a character that no word may hold");
		} else if (c == '{') {
			if (!keep(lx, data + begin, i - begin))
				break;
			if (lx->token.len != 1 || lx->token.data[0] != '~') {
				broken(lx, "a literal inside a word");
				break;
			}
			lx->binary = true;
			lx->state = HEAD_DIGITS;
			return i + 1;
		} else {
			i++;
			if (c != '[')
				continue;
			if (!keep(lx, data + begin, i - 1 - begin))
				break;
			lx->in_section = is_section_word(&lx->token);
			begin = i - 1;
			if (lx->in_section && keep(lx, "[", 1))
				begin = i;
		}
	}
	if (lx->state == IN_ATOM)
		keep(lx, data + begin, i - begin);
	return i;
}

static size_t quoted(struct imap_lexer *lx, const char *data, size_t len, struct imap_token *t)
{
	size_t i = 0;

	while (i < len) {
		size_t begin = i;
		while (i < len && data[i] != '"' && data[i] != '\\' && data[i] != '\r' && data[i] != '\n' &&
		       data[i] != '\0' && !lx->escaped)
			i++;
		if (i > begin && !keep(lx, data + begin, i - begin))
			return i;
		if (i == len)
			return i;
		char c = data[i++];
		if (c == '\r' || c == '\n' || c == '\0') {
			broken(lx, "a quoted string without its end");
			return i;
		}
		if (lx->escaped || (c != '"' && c != '\\')) {
			lx->escaped = false;
			if (!keep(lx, &c, 1))
				return i;
		} else if (c == '\\') {
			lx->escaped = true;
		} else {
			finish(lx, t, IMAP_TOKEN_STRING);
			return i;
		}
	}
	return i;
}

static size_t text(struct imap_lexer *lx, const char *data, size_t len, struct imap_token *t)
{
	size_t i = 0;

	while (i < len && data[i] != '\r' && data[i] != '\n' && data[i] != '\0')
		i++;
	if (!keep(lx, data, i))
		return i;
	if (i < len && data[i] == '\0')
		broken(lx, "a NUL byte");
	else if (i < len)
		finish(lx, t, IMAP_TOKEN_TEXT);
	return i;
}

/* {digits} or {digits+} and the line's end, one byte at a time. */
static void head(struct imap_lexer *lx, char c, struct imap_token *t)
{
	if (lx->state == HEAD_DIGITS && c >= '0' && c <= '9') {
		uint64_t digit = (uint64_t)(c - '0');
		lx->digits++;
		if (digit > lx->limits.literal_max || lx->number > (lx->limits.literal_max - digit) / 10)
			fail(lx, ERR_TOO_BIG, "a literal larger than allowed");
		else
			lx->number = lx->number * 10 + digit;
		if (lx->digits > 20)
			broken(lx, "a literal's size that is no number");
	} else if (lx->state == HEAD_DIGITS && c == '+' && lx->digits > 0) {
		lx->state = HEAD_PLUS;
	} else if ((lx->state == HEAD_DIGITS || lx->state == HEAD_PLUS) && c == '}' && lx->digits > 0) {
		lx->state = HEAD_CLOSED;
	} else if (lx->state == HEAD_CLOSED && c == '\r') {
		lx->state = HEAD_CR;
	} else if ((lx->state == HEAD_CLOSED || lx->state == HEAD_CR) && c == '\n') {
		if (++lx->literals > lx->limits.literals_max) {
			fail(lx, ERR_TOO_BIG, "more literals in one answer than allowed");
			return;
		}
		t->type = IMAP_TOKEN_LITERAL;
		t->size = lx->literal_left = lx->number;
		t->binary = lx->binary;
		lx->state = IN_LITERAL;
	} else {
		broken(lx, "a literal's head that is none");
	}
}

static void end_of_line(struct imap_lexer *lx, struct imap_token *t)
{
	if (lx->depth != 0) {
		broken(lx, "a line that ends inside parentheses");
		return;
	}
	lx->response_bytes = 0;
	lx->literals = 0;
	buf_clear(&lx->token);
	finish(lx, t, IMAP_TOKEN_EOL);
}

/* A byte before a token: which kind begins.  Returns bytes taken. */
static size_t between(struct imap_lexer *lx, char c, struct imap_token *t)
{
	buf_clear(&lx->token);
	lx->in_section = lx->in_quotes = lx->escaped = lx->binary = false;
	lx->number = 0;
	lx->digits = 0;
	if (lx->want_text) {
		lx->want_text = false;
		lx->state = IN_TEXT;
		return c == ' ';
	}
	switch (c) {
	case ' ':
	case '\t': return 1;
	case '\r': lx->state = AFTER_CR; return 1;
	case '\n': end_of_line(lx, t); return 1;
	case '"': lx->state = IN_QUOTED; return 1;
	case '{': lx->state = HEAD_DIGITS; return 1;
	case '(':
		if (++lx->depth > lx->limits.depth_max)
			fail(lx, ERR_TOO_BIG, "parentheses nested deeper than allowed");
		else
			finish(lx, t, IMAP_TOKEN_OPEN);
		return 1;
	case ')':
		if (lx->depth-- == 0)
			broken(lx, "a closing parenthesis too many");
		else
			finish(lx, t, IMAP_TOKEN_CLOSE);
		return 1;
	default: lx->state = IN_ATOM; return 0;
	}
}

static size_t literal(struct imap_lexer *lx, const char *data, size_t len, struct imap_token *t)
{
	if (lx->literal_left == 0) {
		buf_clear(&lx->token);
		finish(lx, t, IMAP_TOKEN_LITERAL_END);
		return 0;
	}
	size_t n = len < lx->literal_left ? len : (size_t)lx->literal_left;
	if (n == 0)
		return 0;
	lx->literal_left -= n;
	t->type = IMAP_TOKEN_PIECE;
	t->bytes = data;
	t->len = n;
	return n;
}

static size_t step(struct imap_lexer *lx, const char *data, size_t len, struct imap_token *t)
{
	switch (lx->state) {
	case BETWEEN: return between(lx, data[0], t);
	case IN_ATOM: return atom(lx, data, len, t);
	case IN_QUOTED: return quoted(lx, data, len, t);
	case IN_TEXT: return text(lx, data, len, t);
	case AFTER_CR:
		if (data[0] == '\n')
			end_of_line(lx, t);
		else
			broken(lx, "a CR that does not end a line");
		return 1;
	default: head(lx, data[0], t); return 1;
	}
}

void imap_lexer_next(
    struct imap_lexer *lx, const char *data, size_t len, size_t *used_r, struct imap_token *t_r)
{
	size_t used = 0;

	*t_r = (struct imap_token){.type = IMAP_TOKEN_MORE, .bytes = ""};
	while (lx->state != FAILED && t_r->type == IMAP_TOKEN_MORE) {
		if (lx->state == IN_LITERAL) {
			used += literal(lx, data + used, len - used, t_r);
			if (t_r->type == IMAP_TOKEN_MORE)
				break;
			continue;
		}
		if (used == len)
			break;
		size_t n = step(lx, data + used, len - used, t_r);
		used += n;
		lx->response_bytes += n;
		if (lx->state != FAILED && lx->response_bytes > lx->limits.response_max)
			fail(lx, ERR_TOO_BIG, "an answer longer than allowed");
	}
	if (lx->state == FAILED)
		*t_r = (struct imap_token){
		    .type = IMAP_TOKEN_ERROR, .bytes = "", .err = lx->err, .why = lx->why};
	*used_r = used;
}
