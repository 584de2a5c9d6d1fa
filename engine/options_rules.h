/*
 * What options must agree with each other, or need beside them.  Pure.
 */
#ifndef MCV_ENGINE_OPTIONS_RULES_H
#define MCV_ENGINE_OPTIONS_RULES_H

#include "engine/options.h"

/* ERR_INVALID: reason has a line for each rule that is broken.  Settles what one option decides of another.
 */
enum err options_rules(struct options *o, struct buf *reason) MUST_CHECK;

#endif
