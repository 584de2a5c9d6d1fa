/*
 * A compiled template: what lib/template_parse.c makes and lib/template_render.c walks.  Only lib/template*.c
 * include this.
 */
#ifndef MCV_LIB_TEMPLATE_AST_H
#define MCV_LIB_TEMPLATE_AST_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"

enum node_type {
	NODE_TEXT = 1,
	NODE_VALUE,    /* {{x}} */
	NODE_RAW,      /* {{{x}}}, {{&x}} */
	NODE_SECTION,  /* {{#x}} */
	NODE_INVERTED, /* {{^x}} */
	NODE_PARTIAL,  /* {{>x}} */
	NODE_PARENT,   /* {{<x}} */
	NODE_BLOCK,    /* {{$x}} */
};

struct node {
	enum node_type type;
	int line;
	const char *text; /* NODE_TEXT: the bytes; else the tag's name */
	size_t len;       /* NODE_TEXT: how many */
	char **path;      /* the name split at its dots; path_len 0 for "." */
	size_t path_len;
	const char *indent; /* NODE_PARTIAL: blanks before a standalone tag, else "" */
	struct node *child;
	struct node *next;
};

/*
 * Compile the len bytes at source; all of *root_r lives in a.  indent is put before each line.  why gets
 * "line N: reason". ERR_OK, ERR_INVALID, ERR_TOO_BIG (nesting).
 */
enum err template_parse(struct arena *a, const char *source, size_t len, const char *indent,
    struct node **root_r, struct buf *why) MUST_CHECK;

/* Fetch the compiled template a tag of file named; ERR_OK, and what template_render() names. */
typedef enum err template_fetch_fn(void *closure, const char *from_file, const char *name, const char *indent,
    const struct node **root_r, const char **file_r);

struct json_object;

/* Walk root with model, appending to out; errors as template_render(), why gets the reason. */
enum err template_walk(const struct node *root, const char *file, struct json_object *model,
    template_fetch_fn *fetch, void *closure, struct buf *out, struct buf *why) MUST_CHECK;

#endif
