/* A batch in words: its bar, its totals, its causes of failure and what to do next.  Pure. */
#ifndef MCV_FCGI_BATCH_VIEW_H
#define MCV_FCGI_BATCH_VIEW_H

#include <json-c/json.h>

#include "lib/arena.h"
#include "sql/store_batch.h"
#include "sql/store_batch_view.h"

/* The view model's "batch" (VIEWMODELS.md).  The caller owns it, as all below. */
struct json_object *batch_view(struct arena *a, const struct batch *b, int64_t now_s);

/* "bar": one part for each state that has any, and the whole in a sentence. */
struct json_object *batch_view_bar(struct arena *a, const struct batch *b, const struct batch_summary *s);

/* "totals". */
struct json_object *batch_view_totals(struct arena *a, const struct batch_summary *s, int64_t now_s);

/* "causes": a list. */
struct json_object *batch_view_causes(
    struct arena *a, const struct batch *b, const struct batch_cause *causes, size_t count);

/* "actions": the buttons there is something for. */
struct json_object *batch_view_actions(struct arena *a, const struct batch *b, const struct batch_summary *s);

#endif
