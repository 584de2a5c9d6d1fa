/*
 * Messages of one key that differ in size and in date: the same one, of which the destination kept neither,
 * or another one (a draft saved again)?  Contents decide, but for what servers change
 * (digest_same_lines()), so that nothing is copied again at every run, and no message is taken for another.
 *
 * A destination that keeps neither of any message costs the reading of all of them on both sides, each run.
 */
#ifndef MCV_ENGINE_KIN_H
#define MCV_ENGINE_KIN_H

#include <stdbool.h>

#include "lib/err.h"
#include "engine/link.h"
#include "engine/match.h"

/* Whether kin_part() or kin_pair() would have to read a message. */
bool kin_doubtful(struct message_list *here, struct message_list *there);

/*
 * Both folders are selected.  part: partners of other size and date that hold something else are none any
 * more.  pair: of those unpaired on both sides, the ones of one key that hold the same become partners.  What
 * a server does not hand out stays as it was.  Errors of link_revive(); ERR_CRYPTO.
 */
enum err kin_part(struct link *source, struct link *destination, struct message_list *here,
    struct message_list *there) MUST_CHECK;
enum err kin_pair(struct link *source, struct link *destination, struct message_list *here,
    struct message_list *there) MUST_CHECK;

#endif
