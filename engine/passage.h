/*
 * What the ways of a message from one side to the other share: its state, and what is told of its end.
 */
#ifndef MCV_ENGINE_PASSAGE_H
#define MCV_ENGINE_PASSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "engine/match.h"
#include "lib/buf.h"
#include "engine/transfer.h"

enum item_state {
	ITEM_WAITING, /* to be asked for */
	ITEM_ASKED,   /* its body is to come */
	ITEM_SENT,    /* in an APPEND that is not answered */
	ITEM_SINGLE,  /* to be copied alone, because something went wrong with it or beside it */
	ITEM_DONE
};

struct item {
	struct message *message;
	uint32_t stored_uid; /* on the destination, 0 while not known */
	uint8_t state;       /* enum item_state */
	uint8_t breaks;      /* connections that broke with it under way */
};

/* For the lines of an error; flags and date may be "". */
struct passage_facts {
	uint64_t size;
	const char *flags;
	const char *date;
};

const char *passage_from(const struct transfer *t);

/* Whether a limit of the options or a signal ends the run; ahead: bytes on their way. */
bool passage_must_end(const struct transfer *t, uint64_t ahead);

/*
 * Whether a body of this size may be no message: a server may give a few words of its own under the UID of
 * one that is gone, until the client lets it tell so (RFC 3501 section 5.5 keeps it from telling during a
 * FETCH).
 */
bool passage_may_be_stand_in(const struct transfer *t, const struct item *item, uint64_t size);

/* What the listing did not tell of a message, for what is kept of it (recall.h). */
void passage_note(const struct transfer *t, struct item *item, const char *flags, const char *date);

/* Waits as --maxbytespersecond and --maxmessagespersecond ask; ahead: bytes and messages on their way. */
void passage_pace(const struct transfer *t, uint64_t ahead_bytes, uint64_t ahead_messages);

/* Each ends the item and counts it. */
void passage_copied(struct transfer *t, struct item *item, uint64_t size, uint32_t stored_uid);
void passage_refused(struct transfer *t, struct item *item, const struct passage_facts *facts);
void passage_not_fetched(
    struct transfer *t, struct item *item, const struct passage_facts *facts, const char *why);
void passage_vanished(struct transfer *t, struct item *item);

/*
 * Connections that dropped are opened again.  Errors of link_revive(); of them ERR_LOST is reported here,
 * ERR_CLOSED by crew_give_up().
 */
enum err passage_revive(struct transfer *t) MUST_CHECK;

/* Those of a message's flags that it is to arrive with, added to out: what the destination keeps, or none
 * (--nosyncflags). */
void passage_flags(const struct transfer *t, const char *flags, struct buf *out);

#endif
