/*
 * The slow way: one message at a time, each answer waited for, so that whatever happens is known to be this
 * message's.  For what engine/flow.h left.
 */
#ifndef MCV_ENGINE_SINGLE_H
#define MCV_ENGINE_SINGLE_H

#include "engine/passage.h"

/* Every single item of t, which is then done.  Errors of transfer_missing(). */
enum err single_run(struct transfer *t) MUST_CHECK;

#endif
