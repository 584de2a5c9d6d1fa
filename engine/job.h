/*
 * One folder's work: what the survey found, and what is left to do.
 */
#ifndef MCV_ENGINE_JOB_H
#define MCV_ENGINE_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/clock.h"
#include "lib/err.h"
#include "engine/flags.h"
#include "engine/folders.h"
#include "engine/listing.h"
#include "engine/match.h"

enum job_state {
	JOB_OPEN,     /* not surveyed, or not to be relied on */
	JOB_SURVEYED, /* what follows here holds as long as the folders are as seen */
	JOB_FAILED,   /* reported */
	JOB_DONE,
};

/* What a survey counted, for the report. */
struct job_counts {
	uint32_t listed[2]; /* messages, by side */
	uint32_t duplicates[2];
	uint32_t paired;
	uint32_t unlisted;
	uint32_t copied; /* since */
};

struct job {
	struct folder_pair *pair;
	unsigned number; /* in the plan, from 1 */
	enum job_state state;
	bool made;  /* the destination's folder, by this run */
	bool taken; /* some pair has it in hand */

	struct message_list here; /* of the source, what has no partner */
	struct flag_list changes;
	uint32_t last_there;         /* highest UID on the destination */
	struct imap_mailbox seen[2]; /* as the folders were; zero for one that was not there */
	mono_time looked;            /* when seen was seen */
	struct folder_size size[2];
	bool sized[2];
	bool identified; /* here holds identities */
	uint64_t cost;   /* of what is to be copied, for sharing out */
	struct job_counts counts;
	struct job_counts told; /* those the report has been given */
};

struct jobs {
	struct job *items; /* in the plan's order */
	unsigned count;
};

#endif
