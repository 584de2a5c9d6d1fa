/*
 * The fast way: bodies asked for ahead, stored in groups (RFC 3502) or in commands sent ahead of their
 * answers, as far as the destination can.  The bytes pass through bounded buffers.
 *
 * Nothing is decided here about a message that does not pass: whatever is refused, cut off, not told or
 * suspicious becomes ITEM_SINGLE, for engine/single.h.
 */
#ifndef MCV_ENGINE_FLOW_H
#define MCV_ENGINE_FLOW_H

#include "engine/passage.h"

/* Every waiting item of t, which is then done or single.  Errors of transfer_missing(). */
enum err flow_run(struct transfer *t) MUST_CHECK;

#endif
