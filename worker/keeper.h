/*
 * The keeper: a tiny process between the worker and the program it runs.  One for each run.  It is the
 * worker's own binary, executed anew (so that it holds nothing of the worker's memory), and it outlives
 * whatever happens to the worker by just as long as it takes to end the run:
 *
 *   - it is a subreaper, so that no descendant escapes by setsid() or by a double fork;
 *   - it holds the reading end of a pipe whose only other end is the worker's: when the worker is gone,
 * however it went, the pipe says so;
 *   - it knows until when the lease is safe (the fence) and ends the run at that moment by itself: a worker
 * that is stopped, swapped out or stuck in a database call cannot, and two copies must never write into one
 *     mailbox;
 *   - it holds a lock (flock(2)) on the job's directory until the last process of the run is gone.
 *
 * Ending means SIGTERM to the process group and to every descendant, and after the grace time SIGKILL until
 * none is left.
 */
#ifndef MCV_WORKER_KEEPER_H
#define MCV_WORKER_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/err.h"

/* Descriptors of the program's passfiles, by side: /dev/fd/3 and /dev/fd/4. */
enum { KEEPER_PASSFILE_SOURCE = 3, KEEPER_PASSFILE_DESTINATION = 4 };

/* Seconds between TERM and KILL when nobody is left to ask: the worker died, or the program ended and left
 * processes behind. */
enum { KEEPER_SHORT_GRACE_S = 2 };

enum { KEEPER_PASSWORD_MAX_BYTES = 4096 };

/* A password on its way into a passfile; the caller's memory. */
struct keeper_secret {
	const char *bytes;
	size_t len;
};

struct keeper_plan {
	char *const *argv; /* of the program; argv[0] is its absolute path */
	char *const *envp;
	const char *job_dir;
	struct keeper_secret passwords[2]; /* by side */
	unsigned kill_grace_s;
	mono_time fence;              /* when the run must end unless keeper_fence() moves this */
	uint64_t memory_bytes;        /* resident, of all processes of the run together; 0: unlimited */
	uint64_t address_space_bytes; /* 0: unlimited */
	uint64_t file_bytes;          /* 0: unlimited */
	/* By side: a host that must not be in deny, nor resolve into it; NULL.  In argv's --hostN=HOST the
	 * address that was looked at takes its place, so that nobody asks for the name again (threat T3). */
	const char *vet[2];
	const struct conf_list *deny; /* networks; NULL when nothing is vetted */
};

/* The worker's end. */
struct keeper {
	pid_t pid;          /* of the keeper; 0 when there is none */
	pid_t child;        /* of the program, once KEEPER_STARTED has said so; for the log only */
	int control_fd;     /* ours alone: its closing ends the run */
	int status_fd;      /* non-blocking; readable when there is something to tell */
	int output_fd;      /* non-blocking; standard output and error of the run */
	int passfile_fd[2]; /* by side; to wipe what the program has read */
};

#define KEEPER_INIT \
	{ \
		.pid = 0, .child = 0, .control_fd = -1, .status_fd = -1, .output_fd = -1, .passfile_fd = { \
			-1, \
			-1 \
		} \
	}

enum keeper_event {
	KEEPER_NOTHING,     /* for now */
	KEEPER_STARTED,     /* value: the program's process id */
	KEEPER_NOT_STARTED, /* value: errno of exec, fork or chdir */
	KEEPER_DENIED,      /* value: side whose host is in a denied network; nothing was started */
	KEEPER_NO_NAME,     /* value: side whose vetted host does not resolve; nothing was started */
	KEEPER_FENCED,      /* the fence was reached; the run is being ended, or never began */
	KEEPER_TOO_FAT,     /* memory_bytes was exceeded; the run is being ended */
	KEEPER_TERMINATED,  /* SIGTERM from outside: systemd stops the whole unit, and us with it */
	KEEPER_EXITED,      /* value: the program's wait status; descendants of it may still be there */
	KEEPER_GONE,        /* the keeper is gone, and with it (or before it) everything below it */
};

/*
 * Starts a keeper and through it the program.  The passwords are written into files in memory
 * (memfd_create(2)), each followed by a newline, and are no longer needed when this returns.  Descriptors in
 * *k_r are the caller's, until keeper_close(). ERR_OK; ERR_TOO_BIG: a password over
 * KEEPER_PASSWORD_MAX_BYTES; ERR_IO: no process, file or pipe (errno); nothing is left behind.
 */
enum err keeper_start(const struct keeper_plan *plan, struct keeper *k_r) MUST_CHECK;

/* The program has read its passfiles: wipe them.  Once is enough, again is harmless. */
void keeper_forget_passwords(struct keeper *k);

/* Asks for the end of the run: TERM now, KILL after the grace time.  Asking again changes nothing. */
void keeper_stop(struct keeper *k);

/* The lease was renewed: the run may go on until fence. */
void keeper_fence(struct keeper *k, mono_time fence);

/* What the keeper tells next; call until KEEPER_NOTHING or KEEPER_GONE. */
enum keeper_event keeper_next(struct keeper *k, int *value_r);

/*
 * After KEEPER_GONE: waits for the keeper (which has closed its pipe by ending), closes all, and sets *k to
 * KEEPER_INIT.  If it was killed before its time, every process that it left to us (we are a subreaper, too)
 * is killed here.
 */
void keeper_close(struct keeper *k);

/* The keeper's own main(): argv as keeper_start() makes it. */
void keeper_main(char **argv) __attribute__((noreturn));

/* Whether argv is a keeper's. */
bool keeper_is_asked_for(int argc, char **argv);

/* Whether a keeper still holds the lock of this job directory; false also when there is no such directory. */
bool keeper_holds(const char *job_dir);

#endif
