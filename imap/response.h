/*
 * One response of an IMAP server as a small tree, read from a stream.  For the session's own files.
 *
 * Strings and literals are kept in the response's arena; a literal may instead be streamed or dropped, which
 * a hook decides when it is announced, with the part of the tree read so far at hand.
 */
#ifndef MCV_IMAP_RESPONSE_H
#define MCV_IMAP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imap/cause.h"
#include "imap/stream.h"
#include "imap/token.h"
#include "lib/arena.h"

enum imap_node_type { IMAP_NODE_ATOM, IMAP_NODE_STRING, IMAP_NODE_LIST, IMAP_NODE_STREAMED };

struct imap_node {
	enum imap_node_type type;
	const char *bytes; /* ATOM, STRING: NUL-terminated; literals are STRINGs */
	size_t len;
	bool cut;                /* a literal of which only the first len bytes were kept */
	struct imap_node *child; /* LIST: the first element */
	struct imap_node *next;
};

enum imap_response_kind { IMAP_CONTINUATION, IMAP_UNTAGGED, IMAP_TAGGED };
enum imap_status_word {
	IMAP_NO_STATUS,
	IMAP_STATUS_OK,
	IMAP_STATUS_NO,
	IMAP_STATUS_BAD,
	IMAP_STATUS_BYE,
	IMAP_STATUS_PREAUTH
};

struct imap_response {
	enum imap_response_kind kind;
	const char *tag;  /* TAGGED */
	const char *word; /* the first word ("LIST", "FETCH", "OK") or "" */
	bool numbered;    /* "* 12 FETCH" */
	uint32_t number;
	enum imap_status_word status;
	const char *code;      /* response code in upper case, "" for none */
	const char *code_args; /* what follows it inside the brackets, "" for none */
	const char *text;      /* status text after the code, or a continuation's; RAW */
	size_t text_len;
	struct imap_node *nodes; /* what follows word, for all that is not a status */
};

enum imap_literal_fate { IMAP_LITERAL_KEEP, IMAP_LITERAL_STREAM, IMAP_LITERAL_DROP };

/* last is the atom right before the literal in its list, or NULL: "BODY[]". */
struct imap_literal_hook {
	enum imap_literal_fate (*announce)(
	    void *ctx, const struct imap_response *so_far, const struct imap_node *last, uint64_t size);
	void (*piece)(void *ctx, const char *bytes, size_t len);
	void *ctx;
};

/* Bounds of one response, besides the lexer's. */
#define IMAP_LITERAL_KEPT_MAX (1024 * 1024) /* of one literal; the rest is cut */
#define IMAP_KEPT_MAX (8 * 1024 * 1024)     /* of all */
#define IMAP_NODES_MAX 20000

struct imap_reader {
	struct imap_stream *stream;
	struct imap_lexer lexer;
	struct arena *arena;
	int64_t silence_ms;
	mono_time deadline; /* {0} for none */
	void (*trace)(void *ctx, bool from_server, const char *line, size_t len);
	void *trace_ctx;
	struct buf traced;
};

void imap_reader_init(struct imap_reader *r, struct imap_stream *st);
void imap_reader_free(struct imap_reader *r);

/* Until when to wait for the next byte. */
mono_time imap_reader_patience(const struct imap_reader *r);

/*
 * The next response, valid until the next call.  hook may be NULL (all literals kept).  Failures: those of
 * imap_stream_fill(), IMAP_PROTOCOL_ERROR, IMAP_LIMIT_EXCEEDED.  After any failure the stream is of no use.
 */
enum err imap_read_response(struct imap_reader *r, const struct imap_literal_hook *hook,
    struct imap_response *resp, struct imap_failure *f) MUST_CHECK;

/* Helpers on trees; all accept NULL. */
bool imap_node_is(const struct imap_node *n, const char *atom); /* ASCII case ignored */
bool imap_node_nil(const struct imap_node *n);
/* The bytes of an ATOM or STRING that is not NIL, else NULL. */
const char *imap_node_text(const struct imap_node *n);
bool imap_node_number(const struct imap_node *n, uint64_t max, uint64_t *n_r);

#endif
