/*
 * One pair's way through the folders.  While the destination's last answers for one folder are on their way,
 * the source is asked for the next one's messages already.
 */
#ifndef MCV_ENGINE_ERRAND_H
#define MCV_ENGINE_ERRAND_H

#include "lib/err.h"
#include "engine/copy.h"

/* crew_fn, ctx being the struct copy: folders until none is left. */
enum err errand_run(void *ctx, struct pair *p) MUST_CHECK;

/* Whether there is nothing to do for the folder but to say so. */
bool errand_is_idle(const struct copy *c, const struct job *job);

#endif
