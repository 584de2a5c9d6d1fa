/*
 * One destination folder and what went there, between engine/verify.c, which lists, and
 * engine/verify_judge.c, which judges.
 */
#ifndef MCV_ENGINE_VERIFY_GROUP_H
#define MCV_ENGINE_VERIFY_GROUP_H

#include <stdint.h>

#include "lib/err.h"
#include "engine/match.h"
#include "engine/tally.h"
#include "engine/verify.h"

/* The source folders that go to one destination folder, as one list; nearly always it is one folder. */
struct origin {
	const char *name;
	uint32_t uidvalidity;
	uint32_t first; /* in the list of them all */
	uint32_t count;
	uint32_t newer_uid; /* from here on what has no partner is newer than the run; 0: nothing is */
};

struct group {
	struct verify *v;
	const char *to;
	struct origin *origins;
	unsigned origin_count;
	struct message_list here;
	struct message_list there;
	uint32_t *by_key; /* indices in here, by key; NULL until needed */
	uint32_t
	    unlisted_there; /* the destination tells nothing about so many: any of the missing, perhaps */
	uint32_t gone;      /* of here, since they were listed */
	struct tally_count count;
};

/*
 * Counts and tells every message of here and there, which are matched.  Reads contents where they decide;
 * errors of link_revive(), ERR_CRYPTO, ERR_CLOSED after the signal to stop.
 */
enum err verify_judge(struct group *g) MUST_CHECK;

#endif
