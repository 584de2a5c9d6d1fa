/*
 * Which messages of a source folder are on the destination already.  Pure: no I/O.
 *
 * Messages pair one to one, so that n copies on the source ask for n on the destination.  Equal key is
 * needed; beyond it size, date and hint decide, strictest first, because a destination may change one or two
 * of them: servers exist that rewrite line ends (size), lose INTERNALDATE, or mangle 8-bit header fields
 * (hint).  A message that differs in size and date from all of its key is another message (a draft saved
 * twice), except where nothing in the folder kept both: then the destination may keep neither, and the
 * hint alone will do, until contents tell otherwise; they also tell of a few that lost both (kin.h).
 */
#ifndef MCV_ENGINE_MATCH_H
#define MCV_ENGINE_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/identity.h"

#define MESSAGE_UNPAIRED UINT32_MAX

/* \Seen and so on, as bits; \Recent is nobody's to copy. */
enum message_flag {
	MESSAGE_SEEN = 1,
	MESSAGE_ANSWERED = 2,
	MESSAGE_FLAGGED = 4,
	MESSAGE_DELETED = 8,
	MESSAGE_DRAFT = 16,
};

struct message {
	struct identity id;
	uint64_t size;     /* RFC822.SIZE */
	int64_t date_s;    /* INTERNALDATE, seconds since 1970 UTC */
	uint64_t keywords; /* identity_of_words() of the keywords; 0 for none */
	uint32_t uid;
	uint32_t partner; /* index in the other list, or MESSAGE_UNPAIRED */
	uint8_t flags;    /* enum message_flag */
	bool known;       /* what was asked for of it was told */
	bool identified;  /* id is set */
	bool unselected;  /* not to be copied, though nothing of it is there (selection.h) */
	uint32_t number;  /* sequence number when it was listed */
};

struct message_list {
	struct message *items;
	uint32_t count;
	uint32_t cap;
};

void message_list_free(struct message_list *l);

/* A new zeroed, unpaired message at the end; valid until the next call. */
struct message *message_list_add(struct message_list *l, uint32_t uid);

/* Ascending by UID, each once. */
void message_list_sort(struct message_list *l);

/* In a sorted list; NULL when there is none. */
struct message *message_list_find(struct message_list *l, uint32_t uid);

/* Drops what is not known and says how many that were. */
uint32_t message_list_drop_unknown(struct message_list *l);

/* Drops what has a partner or is unselected; partners of the other list are indices no more. */
void message_list_keep_unpaired(struct message_list *l);

/* Sets every partner.  Both lists are sorted and hold only identified messages. */
void match_messages(struct message_list *source, struct message_list *destination);

/* Messages beyond the first of their key, among those identified. */
uint32_t match_duplicates(const struct message_list *l);

#endif
