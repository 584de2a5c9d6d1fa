/*
 * The tokens of what an IMAP server sends (RFC 9051 section 9, and what RFC 3501 servers send), from bytes in
 * pieces of any size.  Nothing is held but the token being read; a literal is never held: it is announced and
 * then handed out piece by piece.
 *
 * Decisions where the RFC leaves room:
 * - CR LF ends a line; a bare LF does too (seen from broken proxies); a CR not before LF is IMAP_TOKEN_ERROR.
 * - Bytes 0x80-0xFF are allowed in atoms, quoted strings and text: servers send raw UTF-8 and Latin-1 names.
 * - NUL is an error outside literals; other control characters are errors in atoms (TAB counts as a space
 *   between tokens) and kept in quoted strings and text, where RFC 9051 allows them.
 * - "[" after BODY, BINARY or BINARY.SIZE begins a section: everything up to "]" belongs to the atom, spaces,
 *   parentheses and quoted strings (which protect "]") included; a literal in there is an error, no server
 *   needs one.  Elsewhere brackets are ordinary: a folder may be called "[Gmail]".
 * - In quoted strings "\" takes the next byte as it is; CR and LF are errors.
 */
#ifndef MCV_IMAP_TOKEN_H
#define MCV_IMAP_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

enum imap_token_type {
	IMAP_TOKEN_MORE = 0,    /* everything given is used up: feed more */
	IMAP_TOKEN_ATOM,        /* bytes, len: atom, number, flag, tag, "*", "+", NIL, BODY[...]<n> */
	IMAP_TOKEN_STRING,      /* bytes, len: a quoted string, decoded */
	IMAP_TOKEN_OPEN,        /* ( */
	IMAP_TOKEN_CLOSE,       /* ) */
	IMAP_TOKEN_LITERAL,     /* size, binary: that many bytes follow as IMAP_TOKEN_PIECE */
	IMAP_TOKEN_PIECE,       /* bytes, len > 0: borrowed straight from what was fed */
	IMAP_TOKEN_LITERAL_END, /* also follows at once after size 0 */
	IMAP_TOKEN_TEXT,        /* bytes, len: the rest of the line, after imap_lexer_text() */
	IMAP_TOKEN_EOL,         /* the response is over; counters start anew */
	IMAP_TOKEN_ERROR,       /* err and why: sticky, the connection must be dropped */
};

struct imap_token {
	enum imap_token_type type;
	const char *bytes; /* valid until the next call on the lexer; NUL-terminated except in PIECE */
	size_t len;
	uint64_t size;   /* LITERAL */
	bool binary;     /* LITERAL: literal8 (~{n}) */
	enum err err;    /* ERROR: ERR_PROTOCOL, or ERR_TOO_BIG for a bound below */
	const char *why; /* ERROR: static English */
};

/* Bounds.  All are of one response (from one EOL to the next), literals' contents not counted. */
struct imap_limits {
	size_t token_max;      /* bytes in one atom, quoted string or text */
	size_t response_max;   /* bytes outside literals */
	uint64_t literal_max;  /* announced size of one literal */
	uint64_t literals_max; /* number of literals */
	unsigned depth_max;    /* open parentheses */
};
extern const struct imap_limits imap_limits_default; /* 64 KiB, 16 MiB, 4 GiB, 4096, 32 */

/* Fields are the implementation's own. */
struct imap_lexer {
	struct imap_limits limits;
	struct buf token;
	int state;
	unsigned depth;
	bool in_section; /* inside BODY[ ] */
	bool in_quotes;  /* inside quotes inside BODY[ ] */
	bool escaped;
	bool binary;
	bool want_text;
	uint64_t number;
	unsigned digits;
	uint64_t literal_left;
	uint64_t literals;
	size_t response_bytes;
	enum err err;
	const char *why;
};

void imap_lexer_init(struct imap_lexer *lx, const struct imap_limits *limits);
void imap_lexer_free(struct imap_lexer *lx);

/*
 * Take bytes from data[0..len) until one token is complete; *used_r says how many were taken.  The same input
 * gives the same tokens wherever it is cut (pieces of a literal are cut where the input is).
 */
void imap_lexer_next(
    struct imap_lexer *lx, const char *data, size_t len, size_t *used_r, struct imap_token *t_r);

/* Let the next token be the rest of the line as IMAP_TOKEN_TEXT (one leading space dropped). */
void imap_lexer_text(struct imap_lexer *lx);

/* Whether t is the atom word, ASCII case ignored. */
bool imap_token_is(const struct imap_token *t, const char *word);

/* A number of at most max, digits only, no sign.  ERR_INVALID. */
enum err imap_parse_number(const char *s, size_t len, uint64_t max, uint64_t *n_r) MUST_CHECK;

#endif
