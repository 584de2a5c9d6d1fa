/*
 * Where metadata does not settle which messages are on the destination, their contents do.  Asked only where
 * it can matter: a message left unpaired, and one on the destination of the same size and date that
 * - is paired with a message alike in everything but perhaps the body: the pair may be the wrong one; or
 * - is unpaired too, under another identity: servers disagree about malformed header fields.
 * Also those of one key whose size and date are others, paired or both unpaired (kin.h).
 * And, where pieces is set, pairs of different size, if they are few: what a copier left that was cut inside
 * the message (its first bytes; or these, and then the whole) is no copy of it, and unpaired.
 */
#ifndef MCV_ENGINE_CONTENT_H
#define MCV_ENGINE_CONTENT_H

#include <stdbool.h>

#include "lib/err.h"
#include "engine/link.h"
#include "engine/match.h"

/* Whether content_settle() would have to read a message. */
bool content_doubtful(struct message_list *here, struct message_list *there);

/*
 * Corrects the partners match_messages() set; both folders are selected.  Carriage returns do not count.
 * Errors of link_revive().
 */
enum err content_settle(struct link *source, struct link *destination, struct message_list *here,
    struct message_list *there, bool pieces) MUST_CHECK;

#endif
