/*
 * The messages of the selected folder, as match.h wants them.  One message takes a fixed few bytes, so memory
 * grows with their number and not with their size.
 */
#ifndef MCV_ENGINE_LISTING_H
#define MCV_ENGINE_LISTING_H

#include <stdint.h>

#include "imap/session.h"
#include "lib/err.h"
#include "engine/link.h"
#include "engine/match.h"

/* "\Seen $Label1" as bits of enum message_flag and a digest of the keywords; \Recent and unknown ones are
 * left out. */
void listing_flags(const char *flags, uint8_t *flags_r, uint64_t *keywords_r);

/* INTERNALDATE ("17-Jul-1996 02:44:25 -0700") as seconds since 1970 UTC; 0 when it is none. */
int64_t listing_date(const char *date);

/*
 * Every message with UID from or above, reconnecting as needed, in ascending order of UID; free list_r with
 * message_list_free(), on failure too.  keeper: count only flags this mailbox can keep; NULL for all.
 * *unlisted_r: messages the server has but tells nothing about; on the source each is reported as an error.
 * Errors of link_revive(), and of imap_fetch_rows() when the connection stands.
 */
enum err listing_read(struct link *l, const struct imap_mailbox *keeper, uint32_t from,
    struct message_list *list_r, uint32_t *unlisted_r) MUST_CHECK;

/* The same of these UIDs alone, in any order; what is gone meanwhile is left out.  Whole headers are read:
 * for few. */
enum err listing_read_uids(struct link *l, const uint32_t *uids, uint32_t count, struct message_list *list_r,
    uint32_t *unlisted_r) MUST_CHECK;

/* How many messages the folder selected holds, their size together and of the biggest, in bytes. */
struct folder_size {
	uint64_t messages;
	uint64_t bytes;
	uint64_t biggest;
};
enum err listing_size(struct link *l, struct folder_size *size_r) MUST_CHECK;

#endif
