/*
 * Folders of the destination made and subscribed, ahead of the answers where that is possible.
 */
#ifndef MCV_ENGINE_CREATE_H
#define MCV_ENGINE_CREATE_H

#include "lib/err.h"
#include "engine/copy.h"

/*
 * What the plan needs and the destination lacks.  A folder that cannot be made is reported, its job
 * JOB_FAILED. ERR_OK; ERR_CLOSED; ERR_TOO_BIG.  A dry run only says what it would do.
 */
enum err create_folders(struct copy *c) MUST_CHECK;

#endif
