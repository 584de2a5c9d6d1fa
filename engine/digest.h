/*
 * What a message holds, in two digests: of every byte, and of what a mail server keeps of it for certain.
 * The second does not count carriage returns and newlines (servers turn lone ones into pairs, drop them, or
 * end the last line), takes NUL for 0x80 (into which Dovecot turns it) and 8-bit bytes of the header for X
 * (Cyrus), and passes over a Message-Id that imapsync put above the copy (--addheader).  Two that have 8-bit
 * bytes in the header come from servers that keep them: those must be the same, too.
 */
#ifndef MCV_ENGINE_DIGEST_H
#define MCV_ENGINE_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "engine/link.h"

#define DIGEST_BYTES 32 /* SHA-256 */

struct digest_pair {
	uint8_t exact[DIGEST_BYTES];
	uint8_t kept[DIGEST_BYTES];
	uint64_t lines; /* how many end before the last byte that is no part of a line's end */
	uint64_t lone;  /* carriage returns and newlines without the other, likewise */
	uint64_t eight; /* a sum of the header's 8-bit bytes in their order; 0: it has none */
	bool marked;    /* begins with imapsync's Message-Id */
	bool known;     /* false: the server did not hand the message out */
};

/*
 * Reads the message with this UID of the folder selected, once more after each reconnection.  ERR_OK also
 * where the server does not hand it out (known is false then).  Errors of link_revive(); ERR_CRYPTO.
 */
enum err digest_read(struct link *l, uint32_t uid, struct digest_pair *d_r) MUST_CHECK;

/*
 * The same of several at once, so that a round trip is waited for once: ask sends for all (at most
 * DIGESTS_MAX), take reads what comes.  ask on one side and then on the other, and take after both: then the
 * servers work at the same time.  What did not come by one reading is read again by digest_read().  Nothing
 * else may be asked of the link between the two.
 */
#define DIGESTS_MAX 32
void digest_ask(struct link *l, const uint32_t *uids, unsigned count);
enum err digest_take(
    struct link *l, const uint32_t *uids, unsigned count, struct digest_pair *digests_r) MUST_CHECK;

bool digest_same(const struct digest_pair *a, const struct digest_pair *b); /* byte for byte */
bool digest_same_kept(
    const struct digest_pair *a, const struct digest_pair *b); /* but for what servers change */

/* The same with as many lines, but for those that lone ends make or unmake: an empty one more is an edit. */
bool digest_same_lines(const struct digest_pair *a, const struct digest_pair *b);

#endif
