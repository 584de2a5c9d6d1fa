/*
 * The folders of the plan, by several pairs of connections: surveyed, created and subscribed, copied.
 */
#ifndef MCV_ENGINE_COPY_H
#define MCV_ENGINE_COPY_H

#include <stdint.h>

#include "lib/err.h"
#include "engine/crew.h"
#include "engine/folders.h"
#include "engine/job.h"

struct copy {
	struct crew *crew;
	struct report *report;
	const struct folder_set *source;      /* all folders of host1 */
	const struct folder_set *destination; /* of host2, as they were at the start */
	struct folder_plan *plan;             /* exists is set for what is created */
	char separator;                       /* of the destination; 0 = none */

	/* the implementation's own */
	struct jobs jobs;
	struct job **order; /* the jobs, those that cost most first */
	unsigned next;      /* of order, the first nobody took */
	bool at_end;
};

/* One job for each folder of the plan; copy_free() frees them. */
void copy_init(struct copy *c);
void copy_free(struct copy *c);

/*
 * Sizes of every folder of both sides, printed and added up: at the start into report.start_*, at the end
 * into report.end_*.  A folder that cannot be sized is passed over.  ERR_OK, or ERR_CLOSED.
 */
enum err copy_sizes(struct copy *c, bool at_end) MUST_CHECK;

/* The same from what a survey found. */
void copy_say_sizes(struct copy *c, bool at_end);

/* Every folder of the plan surveyed (engine/survey.h).  ERR_OK, ERR_CLOSED, ERR_TOO_BIG. */
enum err copy_survey(struct copy *c) MUST_CHECK;

/*
 * The sync itself.  ERR_OK when every folder was gone through (errors may have been reported); ERR_TOO_BIG
 * when --errorsmax or --exitwhenover ended it, or the destination is full; ERR_CLOSED when a connection was
 * lost for good or a signal came.
 */
enum err copy_folders(struct copy *c) MUST_CHECK;

/* For a pair: the next jobs nobody has in hand, at most max; how many. */
unsigned copy_take(struct copy *c, struct job **jobs_r, unsigned max);

/* Jobs in hand are nobody's again. */
void copy_give_back(struct copy *c, struct job **jobs, unsigned count);

#endif
