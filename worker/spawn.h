/*
 * The only fork() of the tree.  A child begins clean: own session and process group, its own directory, umask
 * 077, standard input from /dev/null, no descriptor but those it was given, default signals, no core dumps.
 *
 * Who closes a descriptor:
 *   - spawn() never closes a descriptor of the caller's, on success or failure; those handed over in fds stay
 *     open in the caller, who closes them when it no longer needs them.
 *   - In the child every descriptor that is not 0, 1, 2 or a target of fds is closed before exec.
 *   - The pipe through which a failure of exec is reported is spawn()'s own, opened and closed inside.
 */
#ifndef MCV_WORKER_SPAWN_H
#define MCV_WORKER_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"

/* A descriptor of ours and the number it gets in the child. */
struct spawn_fd {
	int ours;
	int theirs; /* 0 or more; no two alike */
};

enum { SPAWN_FDS_MAX = 8 };

struct spawn {
	const char *path; /* what to exec; no search of PATH */
	char *const *argv;
	char *const *envp;
	const char *cwd; /* NULL: the caller's */
	/* Standard input is /dev/null, and output and error are the caller's, unless a row here says
	 * otherwise. */
	struct spawn_fd fds[SPAWN_FDS_MAX];
	unsigned fd_count;
	/* Limits, as setrlimit(2) takes them; 0: none of ours. */
	uint64_t address_space_bytes;
	uint64_t file_bytes;
	int nice; /* added to ours */
	/* SIGKILL when the process that spawned it dies: a second wall, the keeper being the first. */
	int die_with_parent;
};

/*
 * Starts it and returns when the program has been exec'ed, so that a program that cannot be run is known here
 * and now.
 * ERR_OK with *pid_r, which the caller waits for; ERR_NOT_FOUND: exec failed (errno is its reason; nothing is
 * left to wait for); ERR_IO: no process, pipe or directory (errno).
 */
enum err spawn(const struct spawn *sp, pid_t *pid_r) MUST_CHECK;

#endif
