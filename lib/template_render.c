#include <stdbool.h>
#include <string.h>

#include <json-c/json.h>

#include "lib/escape.h"
#include "lib/template.h"
#include "lib/template_ast.h"

enum { CONTEXT_MAX = TEMPLATE_NESTING_MAX * 4 };

struct walk {
	json_object *context[CONTEXT_MAX]; /* innermost last */
	size_t contexts;

	/* {{<parent}} tags being rendered, the most derived first: their blocks replace the parent's. */
	const struct node *derived[TEMPLATE_DEPTH_MAX];
	size_t derived_len;
	size_t block_base;  /* which of them apply to a {{$block}} here */
	size_t parent_base; /* which of them apply inside a {{<parent}} met here */

	size_t depth;
	size_t steps;
	const char *file;
	template_fetch_fn *fetch;
	void *closure;
	struct buf *out;
	struct buf *why;
	size_t out_start;
};

static enum err walk_nodes(struct walk *w, const struct node *n);

static enum err refuse(struct walk *w, const struct node *n, enum err e, const char *what)
{
	buf_addf(w->why, "%s, line %d: ", w->file, n->line);
	if (n->type != NODE_TEXT)
		buf_addf(w->why, "{{%s}}: ", n->text);
	buf_adds(w->why, what);
	return e;
}

/* A value of null is found; *value_r is then NULL. */
static bool lookup(const struct walk *w, const struct node *n, json_object **value_r)
{
	json_object *v = NULL;
	bool found = false;

	if (n->path_len == 0) {
		*value_r = w->context[w->contexts - 1];
		return true;
	}
	for (size_t i = w->contexts; i > 0 && !found; i--) {
		json_object *c = w->context[i - 1];

		found =
		    json_object_is_type(c, json_type_object) && json_object_object_get_ex(c, n->path[0], &v);
	}
	/* Once the first part is found the rest must be in it: no falling back to outer contexts. */
	for (size_t i = 1; i < n->path_len && found; i++)
		found =
		    json_object_is_type(v, json_type_object) && json_object_object_get_ex(v, n->path[i], &v);
	*value_r = found ? v : NULL;
	return found;
}

static bool truthy(json_object *v)
{
	switch (json_object_get_type(v)) {
	case json_type_null: return false;
	case json_type_boolean: return json_object_get_boolean(v);
	case json_type_array: return json_object_array_length(v) > 0;
	default: return true;
	}
}

static enum err walk_value(struct walk *w, const struct node *n)
{
	json_object *v;
	const char *s;
	size_t len;

	if (!lookup(w, n, &v) || v == NULL)
		return ERR_OK;
	switch (json_object_get_type(v)) {
	case json_type_object:
	case json_type_array: return refuse(w, n, ERR_INVALID, "is an object or a list, not a value");
	case json_type_string:
		s = json_object_get_string(v);
		len = (size_t)json_object_get_string_len(v);
		break;
	default:
		s = json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN);
		len = strlen(s);
		break;
	}
	if (n->type == NODE_RAW)
		buf_add(w->out, s, len);
	else
		escape_html(w->out, s, len);
	return ERR_OK;
}

static enum err walk_in_context(struct walk *w, const struct node *n, json_object *v)
{
	enum err e;

	if (w->contexts == CONTEXT_MAX)
		return refuse(w, n, ERR_TOO_BIG, "too many sections inside each other");
	w->context[w->contexts++] = v;
	e = walk_nodes(w, n->child);
	w->contexts--;
	return e;
}

static enum err walk_section(struct walk *w, const struct node *n)
{
	json_object *v;
	enum err e = ERR_OK;

	if (!lookup(w, n, &v) || !truthy(v))
		return ERR_OK;
	if (!json_object_is_type(v, json_type_array))
		return walk_in_context(w, n, v);
	for (size_t i = 0; i < json_object_array_length(v) && e == ERR_OK; i++)
		e = walk_in_context(w, n, json_object_array_get_idx(v, i));
	return e;
}

/* Render another file in our place. */
static enum err walk_file(struct walk *w, const struct node *n)
{
	const char *file = w->file;
	const struct node *root;
	enum err e;

	if (w->depth == TEMPLATE_DEPTH_MAX)
		return refuse(w, n, ERR_TOO_BIG, "partials or layouts too deep inside each other");
	w->depth++;
	e = w->fetch(w->closure, file, n->text, n->indent, &root, &w->file);
	if (e == ERR_OK)
		e = walk_nodes(w, root);
	w->depth--;
	w->file = file;
	return e;
}

static enum err walk_parent(struct walk *w, const struct node *n)
{
	size_t block_base = w->block_base;
	enum err e;

	if (w->derived_len == TEMPLATE_DEPTH_MAX)
		return refuse(w, n, ERR_TOO_BIG, "too many layouts inside each other");
	w->derived[w->derived_len++] = n;
	w->block_base = w->parent_base;
	e = walk_file(w, n);
	w->block_base = block_base;
	w->derived_len--;
	return e;
}

static const struct node *override_of(const struct walk *w, const struct node *block)
{
	for (size_t i = w->block_base; i < w->derived_len; i++)
		for (const struct node *c = w->derived[i]->child; c != NULL; c = c->next)
			if (c->type == NODE_BLOCK && strcmp(c->text, block->text) == 0)
				return c;
	return NULL;
}

static enum err walk_block(struct walk *w, const struct node *n)
{
	const struct node *other = override_of(w, n);
	size_t parent_base = w->parent_base;
	enum err e;

	if (other == NULL)
		return walk_nodes(w, n->child);
	if (w->depth == TEMPLATE_DEPTH_MAX)
		return refuse(w, n, ERR_TOO_BIG, "a block inside itself");
	w->depth++;
	/* What replaces a block is a place of its own: a layout used inside it takes blocks from there only.
	 */
	w->parent_base = w->derived_len;
	e = walk_nodes(w, other->child);
	w->parent_base = parent_base;
	w->depth--;
	return e;
}

static enum err walk_node(struct walk *w, const struct node *n)
{
	json_object *v;

	switch (n->type) {
	case NODE_TEXT: buf_add(w->out, n->text, n->len); return ERR_OK;
	case NODE_VALUE:
	case NODE_RAW: return walk_value(w, n);
	case NODE_SECTION: return walk_section(w, n);
	case NODE_INVERTED: return lookup(w, n, &v) && truthy(v) ? ERR_OK : walk_nodes(w, n->child);
	case NODE_PARTIAL: return walk_file(w, n);
	case NODE_PARENT: return walk_parent(w, n);
	case NODE_BLOCK: return walk_block(w, n);
	}
	return ERR_INTERNAL;
}

static enum err walk_nodes(struct walk *w, const struct node *n)
{
	enum err e = ERR_OK;

	for (; n != NULL && e == ERR_OK; n = n->next) {
		e = walk_node(w, n);
		if (e == ERR_OK && (w->out->len - w->out_start > TEMPLATE_OUTPUT_MAX_BYTES ||
				       ++w->steps > TEMPLATE_STEPS_MAX))
			e = refuse(w, n, ERR_TOO_BIG, "the page grows without end");
	}
	return e;
}

enum err template_walk(const struct node *root, const char *file, json_object *model,
    template_fetch_fn *fetch, void *closure, struct buf *out, struct buf *why)
{
	struct walk w = {
	    .context = {model},
	    .contexts = 1,
	    .file = file,
	    .fetch = fetch,
	    .closure = closure,
	    .out = out,
	    .why = why,
	    .out_start = out->len,
	};
	enum err e = walk_nodes(&w, root);

	if (e != ERR_OK)
		buf_truncate(out, w.out_start);
	return e;
}
