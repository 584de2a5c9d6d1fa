/*
 * What view models are made of (fcgi/VIEWMODELS.md): json-c objects with every key present, and the texts
 * people read.  All pure; texts live in a.
 */
#ifndef MCV_FCGI_VIEW_H
#define MCV_FCGI_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <json-c/json.h>

#include "lib/arena.h"

/* Add key to o.  s NULL or "" becomes null; bytes that are not UTF-8 become U+FFFD. */
void view_str(struct json_object *o, const char *key, const char *s);
void view_int(struct json_object *o, const char *key, int64_t n);
void view_bool(struct json_object *o, const char *key, bool b);
void view_null(struct json_object *o, const char *key);
/* val (NULL = null) becomes o's. */
void view_add(struct json_object *o, const char *key, struct json_object *val);

/* KEY and KEY_text: a grouped number; both null when !known. */
void view_count(struct json_object *o, struct arena *a, const char *key, uint64_t n, bool known);
/* KEY and KEY_text: a size in bytes. */
void view_size(struct json_object *o, struct arena *a, const char *key, uint64_t bytes, bool known);
/* KEY_at, KEY_iso, KEY_abs, KEY_rel; at_s and now_s: Unix seconds, at_s 0 = has not happened. */
void view_moment(struct json_object *o, struct arena *a, const char *key, int64_t at_s, int64_t now_s);

/* "1,204" */
const char *view_number_text(struct arena *a, uint64_t n);
/* "1 message", "2 messages", "1,204 messages": noun takes a plain s. */
const char *view_plural_text(struct arena *a, uint64_t n, const char *noun);
/* "512 bytes", "3.4 MiB" */
const char *view_size_text(struct arena *a, uint64_t bytes);
/* "45 s", "2 min 10 s", "3 h 5 min", "2 d 4 h"; negative counts as 0 */
const char *view_duration_text(struct arena *a, int64_t s);
/* "212 ms", "1.4 s" */
const char *view_elapsed_text(struct arena *a, int64_t ms);
/* "just now", "3 minutes ago", "in 2 hours" */
const char *view_relative_text(struct arena *a, int64_t at_s, int64_t now_s);
/* a rough range around s seconds: "about 5 to 8 minutes", "less than a minute" */
const char *view_eta_text(struct arena *a, int64_t s);

#endif
