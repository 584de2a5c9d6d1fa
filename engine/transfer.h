/*
 * Messages from the source folder selected to the destination folder, byte for byte, through bounded buffers.
 *
 * What is promised: a message is stored whole or not at all, because the APPEND is completed only when the
 * source gave every byte and said whose they were; else the destination's connection is closed inside the
 * literal.  An APPEND whose answer was lost is never repeated before the destination was asked whether it has
 * the message.
 */
#ifndef MCV_ENGINE_TRANSFER_H
#define MCV_ENGINE_TRANSFER_H

#include "lib/err.h"
#include "engine/link.h"
#include "engine/match.h"

/* As partner in the source list: copied by this run. */
#define MESSAGE_COPIED (UINT32_MAX - 1)

struct transfer {
	struct link *source;      /* folder selected */
	struct link *destination; /* folder selected for writing */
	struct report *report;
	struct message_list *messages; /* of the source; the unpaired ones are copied */
	const char *to;                /* folder on the destination */
	uint32_t first_new_uid;        /* on the destination: nothing from here on was there before */
};

/*
 * Copies all that is unpaired and marks it MESSAGE_COPIED.  Single failures are reported and passed over.
 * ERR_OK when the folder was gone through; ERR_TOO_BIG when --errorsmax or --exitwhenover was reached;
 * ERR_CLOSED when a connection is lost for good or the signal to stop came; ERR_LOST when a folder vanished.
 */
enum err transfer_missing(struct transfer *t) MUST_CHECK;

#endif
