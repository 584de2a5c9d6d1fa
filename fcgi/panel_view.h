/*
 * Answers as scripts of cPanel know them from its own interface (UAPI): "status" 1 or 0, "errors" a list of
 * sentences or null, "data" or null, and "messages", "warnings", "metadata", which are empty here.
 */
#ifndef MCV_FCGI_PANEL_VIEW_H
#define MCV_FCGI_PANEL_VIEW_H

#include <stdint.h>
#include <json-c/json.h>

/* A link, twice: as "url" and, with "expires" (seconds since 1970 UTC), in "data". */
struct json_object *panel_view_link(const char *url, int64_t expires_at);

/* There is none, and "url" and "data" are null. */
struct json_object *panel_view_error(const char *sentence);

#endif
