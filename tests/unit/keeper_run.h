/*
 * One keeper started by a test that is its own worker, followed to its end.
 */
#ifndef MCV_TESTS_UNIT_KEEPER_RUN_H
#define MCV_TESTS_UNIT_KEEPER_RUN_H

#include "tests/unit/unit.h"

#include "lib/buf.h"
#include "worker/keeper.h"

enum { DEADLINE_MS = 20000 };

extern char job_dir[]; /* of every run; other_dir lies below it */
extern char other_dir[64];

struct run {
	struct keeper keeper;
	struct buf output;
	bool output_ended;
	int started, not_started, fenced, terminated, exited; /* how often */
	int denied, no_name;                                  /* bits by side */
	int status;                                           /* of KEEPER_EXITED */
	int errnum;                                           /* of KEEPER_NOT_STARTED */
};

/* Start program -c script; with: in job_dir; in: /bin/sh there; plain: /bin/sh in job_dir. */
void run_start_with(
    struct run *r, const char *program, const char *script, int64_t fence_ms, unsigned grace_s);
void run_start_in(const char *dir, struct run *r, const char *script);
void run_start(struct run *r, const char *script);
/* The same for a plan of one's own. */
void run_start_plan(struct run *r, const struct keeper_plan *plan);

/* Until the keeper is gone and the output has ended, or only until needle was printed. */
void run_follow(struct run *r, const char *needle);

/* The keeper has ended, and nobody is left of its run. */
void run_finish(struct run *r);

/* What main() of such a test does: be the keeper when asked to, else run the tests in a directory of their
 * own. */
#define RUN_KEEPER_TESTS(argc, argv, tests) \
	(run_prepare((argc), (argv)) ? run_clean_up(cmocka_run_group_tests((tests), NULL, NULL)) : 99)
bool run_prepare(int argc, char **argv);
int run_clean_up(int failed);

#endif
