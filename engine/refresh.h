/*
 * One side's listing of a folder, kept from an earlier run, brought up to date.
 */
#ifndef MCV_ENGINE_REFRESH_H
#define MCV_ENGINE_REFRESH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "engine/listing.h"
#include "engine/state.h"

struct refresh {
	struct link *link;                 /* the folder selected */
	const struct imap_mailbox *keeper; /* as of listing_read() */
	struct message_list *list;         /* as kept */
	bool strange;                      /* there is what cannot be */
};

/*
 * The list that was kept becomes that of the folder selected, which *now_r tells; modseq there is as of when
 * flags are known, which is no later than it was kept where flags is false.  *done_r false: it does not fit,
 * and the list is of no use.  Errors of listing_read().
 */
enum err refresh_side(struct refresh *r, const struct state_side *kept, bool flags,
    struct imap_mailbox *now_r, uint32_t *unlisted_r, bool *done_r) MUST_CHECK;

#endif
