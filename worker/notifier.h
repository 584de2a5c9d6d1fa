/*
 * The worker's end of the notifier: starts it, starts it again when it dies, a little later each time, and
 * ends it with itself.  Nothing here waits.
 */
#ifndef MCV_WORKER_NOTIFIER_H
#define MCV_WORKER_NOTIFIER_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/clock.h"

/* All zero but conf_path: none runs yet. */
struct notifier_child {
	const char *conf_path; /* NULL: notifications are off, none is started */
	pid_t pid;             /* 0: none */
	unsigned deaths;       /* in a row */
	mono_time started_at, start_at;
};

/* Start it if it is due and does not run; take note of its end. */
void notifier_tick(struct notifier_child *n);

/* Whether pid is it. */
bool notifier_owns(const struct notifier_child *n, pid_t pid);

/* SIGTERM: it ends when the mail it is sending is sent; call when the worker begins to stop. */
void notifier_end(struct notifier_child *n);

/* Whether it has ended; with is_killed it has, for good. */
bool notifier_is_gone(struct notifier_child *n, bool is_killed);

#endif
