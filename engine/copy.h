/*
 * The folders of the plan, one after the other: create, subscribe, list both sides, copy what is missing.
 */
#ifndef MCV_ENGINE_COPY_H
#define MCV_ENGINE_COPY_H

#include <stdint.h>

#include "lib/err.h"
#include "engine/folders.h"
#include "engine/link.h"

struct copy {
	struct link *source;
	struct link *destination;
	struct report *report;
	struct folder_plan *plan; /* exists is set for what is created */
	char separator;           /* of the destination; 0 = none */
};

/*
 * Sizes of every folder of both sides, printed and added up: at the start into report.start_*, at the end
 * into report.end_*.  A folder that cannot be sized is passed over.  ERR_OK, or errors of link_revive().
 */
enum err copy_sizes(struct copy *c, bool at_end) MUST_CHECK;

/*
 * The sync itself.  ERR_OK when every folder was gone through (errors may have been reported); ERR_TOO_BIG
 * when
 * --errorsmax or --exitwhenover ended it; ERR_CLOSED when a connection was lost for good or a signal came.
 */
enum err copy_folders(struct copy *c) MUST_CHECK;

#endif
