/*
 * Folders too large to be held as lists: of every message a few bytes are kept, enough to tell which pair for
 * certain (identity, size and date agree) and which have to be looked at.  Those are few as a rule, and are
 * handed out in parts of bounded size, each with all messages of the same identity, so that a part can be
 * judged by itself.
 */
#ifndef MCV_ENGINE_CROWD_H
#define MCV_ENGINE_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "engine/link.h"

#define CROWD_FROM 200000 /* messages of both sides together that make a crowd */
#define CROWD_PART 100000 /* of both sides together in a part, at least where identities differ */

struct crowd_member; /* 24 bytes */

struct crowd {
	struct crowd_member *members;
	uint32_t count;
	uint32_t cap;
	uint32_t newer_uid; /* the first UID that arrived in [newer_from, newer_until); 0: none */
};

void crowd_free(struct crowd *c);

/*
 * Everything in the folder selected, reconnecting as needed.  Errors of link_revive(), and of
 * imap_fetch_rows() when the connection stands; free with crowd_free() on failure, too.
 */
enum err crowd_read(
    struct link *l, int64_t newer_from_s, int64_t newer_until_s, struct crowd *c_r) MUST_CHECK;

/*
 * Pairs the two sides one to one where identity, size and date agree; everything of an identity that is then
 * left over on either side stays to be judged, and, everything: all of it.  *certain_r: pairs that need no
 * judging.  Both crowds hold the rest only afterwards, by identity.
 */
void crowd_pair(struct crowd *source, struct crowd *destination, bool everything, uint64_t *certain_r);

/*
 * The next part: UIDs of the source in uids_r[0], of the destination in uids_r[1], each the caller's to
 * free(); false when nothing is left.  at: two zeros before the first call.
 */
bool crowd_part(const struct crowd sides[2], uint32_t at[2], uint32_t *uids_r[2], uint32_t counts_r[2]);

#endif
