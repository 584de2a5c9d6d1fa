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

/* Messages of a folder, and how many more than it said it held at first a server may list. */
#define LISTING_MAX 5000000
#define LISTING_MORE_MAX 10000

/* Whether a folder of exists messages may have another row after so many. */
bool listing_may_grow(uint64_t rows, uint32_t exists);

/* "\Seen $Label1" as bits of enum message_flag and a digest of the keywords; \Recent and unknown ones are
 * left out. */
void listing_flags(const char *flags, uint8_t *flags_r, uint64_t *keywords_r);

/* INTERNALDATE ("17-Jul-1996 02:44:25 -0700") as seconds since 1970 UTC; 0 when it is none. */
int64_t listing_date(const char *date);

/*
 * Every message with UID from or above, reconnecting as needed, in ascending order of UID; free list_r with
 * message_list_free(), on failure too.  keeper: count only flags this mailbox can keep; NULL for all.
 * *unlisted_r: messages the server has but tells nothing about; on the source each is reported as an error.
 * Errors of link_revive(), and of imap_fetch_rows() when the connection stands; ERR_TOO_BIG when the server
 * lists more than listing_may_grow() allows.
 */
enum err listing_read(struct link *l, const struct imap_mailbox *keeper, uint32_t from,
    struct message_list *list_r, uint32_t *unlisted_r) MUST_CHECK;

/* The same of these UIDs alone, in any order; what is gone meanwhile is left out.  Whole headers are read:
 * for few. */
enum err listing_read_uids(struct link *l, const uint32_t *uids, uint32_t count, struct message_list *list_r,
    uint32_t *unlisted_r) MUST_CHECK;

/* Whether the list holds every message of the folder, and what each was asked for. */
bool listing_is_whole(const struct message_list *list, const struct imap_mailbox *m);

/* What a listing not whole lacks, asked for again; list as listing_read() leaves it, which see. */
enum err listing_complete(struct link *l, const struct imap_mailbox *keeper, struct message_list *list,
    uint32_t *unlisted_r) MUST_CHECK;

/*
 * A folder listed without being waited for: ask, and later take, in the same order (imap_listing_ask()).
 * Without identities only UIDs and sizes are asked for.  take leaves the list as the server told it, perhaps
 * not whole.  Neither reconnects; no folder counts as selected afterwards.
 */
enum err listing_ask(struct link *l, const char *folder, bool read_only, bool identities) MUST_CHECK;
enum err listing_take(struct link *l, const char *folder, const struct imap_mailbox *keeper, bool identities,
    struct imap_mailbox *m_r, struct message_list *list_r) MUST_CHECK;

/* How many messages a folder holds, their size together and of the biggest, in bytes. */
struct folder_size {
	uint64_t messages;
	uint64_t bytes;
	uint64_t biggest;
};
void listing_add_up(const struct message_list *list, struct folder_size *size_r);

/* The sizes of the folder selected; errors as of listing_read(). */
enum err listing_size(struct link *l, struct folder_size *size_r) MUST_CHECK;

/* The same without being waited for. */
enum err listing_take_size(
    struct link *l, const char *folder, struct imap_mailbox *m_r, struct folder_size *size_r) MUST_CHECK;

#endif
