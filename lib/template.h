/*
 * Mustache templates over json-c (mustache(5), the specification's core modules and inheritance).
 *
 * {{name}} is escaped for HTML text and quoted attributes; {{{name}}} and {{&name}} are not, and are refused
 * by the template lint outside its list.  {{#s}}…{{/s}}, {{^s}}…{{/s}}, {{> part}}, {{! comment}}, {{=<%
 * %>=}}, dotted names, and
 * {{<layout}}{{$block}}…{{/block}}{{/layout}} with {{$block}}default{{/block}} in the layout.
 *
 * false, null and [] are falsy, everything else is not.  A name that is nowhere is empty; an object or a list
 * where a value belongs is an error.  A file is compiled once and again when it changes.  Names of partials
 * and layouts are relative to the search path and get the extension of the template that names them.
 */
#ifndef MCV_LIB_TEMPLATE_H
#define MCV_LIB_TEMPLATE_H

#include <json-c/json.h>

#include "lib/buf.h"
#include "lib/err.h"

enum {
	TEMPLATE_SOURCE_MAX_BYTES = 1 << 20,
	TEMPLATE_OUTPUT_MAX_BYTES = 16 << 20,
	TEMPLATE_NESTING_MAX = 64,    /* sections and blocks inside each other, in one file */
	TEMPLATE_DEPTH_MAX = 32,      /* partials and layouts inside each other, when rendering */
	TEMPLATE_STEPS_MAX = 4 << 20, /* texts and tags met in rendering one page */
};

struct templates;

/* search_path: directories, separated by colons, the first that has a file wins; copied. */
struct templates *templates_new(const char *search_path) __attribute__((returns_nonnull));

/* The same over an object of name → source instead of files; takes a reference. */
struct templates *templates_new_memory(json_object *sources) __attribute__((returns_nonnull));

/* Frees and sets *ts to NULL; *ts may be NULL. */
void templates_free(struct templates **ts);

/*
 * Append template file ("jobs_list.html": letters, digits, "_", "-", "." and "/", no "..") rendered with
 * model to out. On failure out is as before and template_error() tells file, line and reason.  ERR_OK,
 * ERR_NOT_FOUND (no such file, or a partial's), ERR_INVALID (syntax, or an object where a value belongs),
 * ERR_TOO_BIG (source, output, nesting, depth or steps), ERR_IO.
 */
enum err template_render(
    struct templates *ts, const char *file, json_object *model, struct buf *out) MUST_CHECK;

/* What the last template_render() that failed had to say; for the log. */
const char *template_error(const struct templates *ts);

#endif
