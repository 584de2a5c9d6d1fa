/*
 * After an APPEND whose answer was lost: which of its messages are on the destination?
 */
#ifndef MCV_ENGINE_LOOKUP_H
#define MCV_ENGINE_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "engine/passage.h"

/* A message that may have been stored, or not. */
struct lost {
	struct item *item;
	uint64_t size;         /* bytes sent */
	struct identity whole; /* of its whole header: servers disagree about malformed fields */
	bool whole_known;
};

/*
 * Those found are ended as copied, the others keep their state.  The destination is asked up to three times,
 * a second apart, because it may still be storing; once where patient is false.  A message that was there
 * before, or whose UID is known from another answer, is none of them.  ERR_OK, or what kept the destination
 * from being asked: errors of link_revive() and of listing_read().
 */
enum err lookup_lost(struct transfer *t, struct lost *lost, unsigned count, bool patient) MUST_CHECK;

#endif
