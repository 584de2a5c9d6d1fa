/*
 * Messages from a source folder to a destination folder, byte for byte, through bounded buffers.
 *
 * What is promised: a message is stored whole or not at all, because the APPEND it is part of is completed
 * only when the source gave every byte and said whose they were; else the destination's connection is closed
 * inside the literal.  An APPEND whose answer was lost is never repeated before the destination was asked for
 * each of its messages.
 *
 * Bodies are asked for ahead, and messages stored in groups (engine/flow.h); what goes wrong in there is
 * copied again alone (engine/single.h), so that one bad message costs one message.
 */
#ifndef MCV_ENGINE_TRANSFER_H
#define MCV_ENGINE_TRANSFER_H

#include "lib/err.h"
#include "engine/link.h"
#include "engine/match.h"

/* As partner in the source list: copied by this run; gone before it could be. */
#define MESSAGE_COPIED (UINT32_MAX - 1)
#define MESSAGE_VANISHED (UINT32_MAX - 2)

/* Refusals for want of space, after which nothing more is tried: one message may be too big for the room
 * left where another fits. */
#define OVER_QUOTA_MAX 2

struct item;
struct flow;

struct transfer {
	struct link *source;      /* folder selected; for transfer_ask_ahead() being selected */
	struct link *destination; /* logged in; the folder need not be selected */
	struct report *report;
	struct message_list *messages; /* of the source; the unpaired ones are copied */
	const char *from;              /* folder on the source */
	const char *to;                /* folder on the destination */
	struct imap_mailbox there;     /* the destination's folder as it was when it was looked at last */
	uint32_t first_new_uid;        /* on the destination: nothing from here on was there before */
	bool numbered;  /* the messages' sequence numbers hold while the source's folder is as selected */
	bool sizes_lie; /* the source gave a message that is there, and not of the size it had told */

	/*
	 * Or NULL.  idle: every body has come, only answers of the destination are waited for: the source may
	 * be lent, and true says that it was.  reclaim: it is needed again, the folder selected; errors of
	 * link_select().
	 */
	bool (*idle)(void *ctx);
	enum err (*reclaim)(void *ctx);
	void *ctx;

	/* the implementation's own */
	struct item *items; /* what is to be copied, ascending by UID */
	uint32_t count;
	struct flow *flow; /* with bodies asked for ahead, or NULL */
	bool lent;
};

/* Asks for the first bodies while the source's folder is still being selected.  What fails shows later. */
void transfer_ask_ahead(struct transfer *t);

/* The struct was copied to another place, which is the one to go on with. */
void transfer_moved(struct transfer *t);

/* Nothing of it is wanted any more. */
void transfer_forget(struct transfer *t);

/*
 * Copies all that is unpaired and marks it MESSAGE_COPIED.  Single failures are reported and passed over.
 * ERR_OK when the folder was gone through; ERR_TOO_BIG when --errorsmax or --exitwhenover was reached, or the
 * destination is full; ERR_CLOSED when a connection is lost for good or the signal to stop came; ERR_LOST
 * when a folder vanished.
 */
enum err transfer_missing(struct transfer *t) MUST_CHECK;

#endif
