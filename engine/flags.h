/*
 * Flags of messages that are on both sides: the destination's become the source's, as imapsync makes them.
 */
#ifndef MCV_ENGINE_FLAGS_H
#define MCV_ENGINE_FLAGS_H

#include "lib/err.h"
#include "engine/link.h"
#include "engine/match.h"

/*
 * Both folders are selected, the lists matched.  Single failures are reported.  ERR_OK; ERR_TOO_BIG when
 * --errorsmax was reached; errors of link_revive().
 */
enum err flags_resync(struct link *source, struct link *destination, const struct message_list *here,
    const struct message_list *there) MUST_CHECK;

#endif
