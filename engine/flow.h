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

/* The first bodies are asked for; flow_run() goes on from there.  flow_forget() frees what that needs. */
void flow_ask_ahead(struct transfer *t);
void flow_moved(struct transfer *t);
void flow_forget(struct transfer *t);

/* Every waiting item of t, which is then done or single.  Errors of transfer_missing(). */
enum err flow_run(struct transfer *t) MUST_CHECK;

#endif
