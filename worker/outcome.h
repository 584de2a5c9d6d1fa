/*
 * How a run ended, in one value: state, short code, a sentence for people, and the one thing to do next.
 * Pure; every combination of exit code, signal, wish and output ends in exactly one row of one table.
 *
 * Exit codes are imapsync's (its source, "EXIT_…" constants, 2.229 and 2.314); mailconvoy-sync uses the same.
 * The code names the run's most frequent error, so the facts that worker/progress.h collected decide first
 * where they say more.
 */
#ifndef MCV_WORKER_OUTCOME_H
#define MCV_WORKER_OUTCOME_H

#include <stdbool.h>

#include "worker/progress.h"
#include "worker/verified.h"

/* Why the worker wanted the run to end before it did; the first wish counts. */
enum wish {
	WISH_NONE,
	WISH_CANCEL,  /* a person asked */
	WISH_STOP,    /* the worker is stopping */
	WISH_WALL,    /* the run took longer than run_wall_s */
	WISH_SILENCE, /* no output for run_silence_s */
	WISH_MEMORY,  /* more memory than run_memory_mb */
	WISH_FENCE,   /* the lease could not be renewed for fence_s */
	WISH_LOST,    /* another worker has the job now: nothing may be written */
	WISH_LOG,     /* the log could not be stored: the storage is full */
	WISH__MAX
};

/* What kept the program from starting. */
enum start_failure {
	START_OK,
	START_NO_PROGRAM,    /* neither imapsync nor mailconvoy-sync was found */
	START_NO_ENGINE,     /* of a verification: the built-in engine was not found */
	START_EXEC,          /* the program could not be executed */
	START_SEAL,          /* a sealed password did not open: wrong key, or moved between rows */
	START_DENIED_SOURCE, /* a member's own server is in a network that members may not reach */
	START_DENIED_DESTINATION,
	START_REFUSED,         /* the account may not copy to this destination */
	START_DELETE2_REFUSED, /* the account may not delete on a destination */
	START_DELETE2_CHANGED, /* a server is not the one that the deletion was confirmed for */
	START_NAME_SOURCE,     /* such a server's name does not resolve */
	START_NAME_DESTINATION,
	START_INVALID,         /* a host, user or port is not usable */
	START_OPTIONS,         /* the program cannot do what was asked for */
	START_OPTIONS_UNKNOWN, /* what was asked for is not in this version's list */
	START_SYSTEM,          /* no process, pipe or directory to be had */
	START_INCOMPLETE,      /* the worker that claimed the job died before it started anything */
	START__MAX
};

enum run_state { RUN_DONE, RUN_FAILED, RUN_CANCELLED, RUN_INTERRUPTED };

struct outcome_input {
	enum start_failure start;
	enum wish wish;
	bool have_status; /* whether the main process was waited for */
	int wait_status;  /* of waitpid(2), when have_status */
	bool dry_run;
	const struct progress *progress; /* after progress_end() */
};

/* What a verification came to. */
enum proof {
	PROOF_NONE,   /* there was none */
	PROOF_GOOD,   /* the destination holds what it should */
	PROOF_FAULTS, /* it does not */
	PROOF_UNDONE, /* not known: the verification did not end, or could not compare all */
};

struct outcome {
	enum run_state state;
	const char *reason; /* a stable code, "auth_source" */
	const char *text;   /* a sentence for people; static storage */
	const char *action; /* what to do next: a code the pages know, "edit_source" */
	int exit_code;      /* -1: it did not exit by itself */
	int exit_signal;    /* 0: no signal ended it */
	enum proof proof;
	const char *proof_note; /* PROOF_UNDONE: why, a sentence; else NULL.  Static storage */
};

struct outcome outcome_judge(const struct outcome_input *in);

/* Whether the copy reached its end, so that what it left on the destination is worth comparing. */
bool outcome_is_worth_verifying(const struct outcome_input *copy);

/*
 * A copy that was (to be) verified.  What the verification found outweighs what the copier said of itself; a
 * copier that failed has failed, whatever was found.  verification: how that run ended; its wish is NONE
 * where it was let run.
 */
struct outcome outcome_judge_verified(
    const struct outcome_input *copy, const struct outcome_input *verification, const struct verified *found);

/* The same for a job whose worker died and left it behind, as the sweep that finds it writes it. */
struct outcome outcome_orphan(void);

#endif
