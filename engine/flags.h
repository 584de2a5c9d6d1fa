/*
 * Flags of messages that are on both sides: the destination's become the source's, as imapsync makes them.
 */
#ifndef MCV_ENGINE_FLAGS_H
#define MCV_ENGINE_FLAGS_H

#include "lib/err.h"
#include "engine/link.h"
#include "engine/match.h"

/* Messages whose flags differ, by their UIDs; free with flag_list_free(). */
struct flag_change {
	uint32_t from_uid;
	uint32_t to_uid;
};
struct flag_list {
	struct flag_change *items;
	uint32_t count;
};

/* The lists are matched. */
void flags_compare(
    const struct message_list *here, const struct message_list *there, struct flag_list *list_r);

void flag_list_free(struct flag_list *l);

/*
 * Both folders are selected.  Flags are read again from the source.  Single failures are reported.  ERR_OK;
 * ERR_TOO_BIG when --errorsmax was reached; errors of link_revive().
 */
enum err flags_resync(struct link *source, struct link *destination, const struct flag_list *list) MUST_CHECK;

#endif
