/*
 * Which folders of the source are asked for: --folder, --folderrec, --include, --exclude, --subfolder1. Pure.
 */
#ifndef MCV_ENGINE_CHOSEN_H
#define MCV_ENGINE_CHOSEN_H

#include "engine/folders.h"

struct chosen; /* in the arena, but for chosen_free() */

/*
 * ERR_INVALID: an --include or --exclude is malformed; ERR_NOT_FOUND: the source has no folder of the name
 * --subfolder1 gives; reason then holds a line.
 */
enum err chosen_make(const struct options *o, const struct folder_set *source, struct arena *a,
    struct chosen **c_r, struct buf *reason) MUST_CHECK;
void chosen_free(struct chosen *c); /* NULL is fine */

/* Whether messages of the folder are to be copied. */
bool chosen_has(const struct chosen *c, const struct folder *f);

/* The folder of --subfolder1, raw; NULL without that option. */
const char *chosen_below(const struct chosen *c);

/*
 * A line for each --folder and --folderrec that the source has not, or not below --subfolder1, and for each
 * --include, --exclude and --f1f2 that is about none of its folders: a name written wrong is seen.
 */
void chosen_say_missing(const struct options *o, const struct folder_set *source, struct arena *a);

#endif
