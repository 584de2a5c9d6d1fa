/*
 * Places where a test makes the worker die (promise R5): MAILCONVOY_CRASH_AT=after_claim in the environment
 * of a build with sanitizers, or with -DMCV_CRASH_POINTS, kills it there as kill -9 would.  Any other build
 * contains nothing of this.
 *
 * after_claim, after_fork, mid_log, before_finish, after_commit
 */
#ifndef MCV_WORKER_CRASH_H
#define MCV_WORKER_CRASH_H

#if defined(__SANITIZE_ADDRESS__) || defined(MCV_CRASH_POINTS)
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static inline void crash_point(const char *name)
{
	const char *wanted = getenv("MAILCONVOY_CRASH_AT");

	if (wanted != NULL && strcmp(wanted, name) == 0)
		(void)raise(SIGKILL);
}
#else
#define crash_point(name) ((void)0)
#endif

#endif
