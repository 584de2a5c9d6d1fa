/* What a bulk action will do, has done and did not do, in words.  Pure. */
#ifndef MCV_FCGI_BULK_VIEW_H
#define MCV_FCGI_BULK_VIEW_H

#include <json-c/json.h>

#include "lib/arena.h"
#include "sql/store_bulk.h"

/* "Run real": as a button says it. */
const char *bulk_action_text(enum bulk_action action);

/* The view model's "bulk" (VIEWMODELS.md).  The caller owns it. */
struct json_object *bulk_view(struct arena *a, const struct bulk *b, int64_t now_s);

/*
 * The view model's "counts": a list with one entry for each outcome that has any.  is_asked: what will
 * happen, else what has.  The caller owns it.
 */
struct json_object *bulk_view_counts(
    struct arena *a, const struct bulk *b, const uint64_t counts[BULK_OUTCOME__MAX], bool is_asked);

/* How many of counts are touched. */
uint64_t bulk_touched(const uint64_t counts[BULK_OUTCOME__MAX]);

/* One row of the result.  The caller owns it. */
struct json_object *bulk_view_job(struct arena *a, const struct bulk_job *j);

#endif
