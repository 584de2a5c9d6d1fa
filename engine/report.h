/*
 * What a run has done so far and how it ends: counters, errors, the statistics and the exit code.  The
 * wording and the numbers are imapsync's; the code names the most frequent error.
 */
#ifndef MCV_ENGINE_REPORT_H
#define MCV_ENGINE_REPORT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/err.h"

#include "engine/options.h"

/* imapsync's exit codes that this engine can end with, and three of its own. */
enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_CATCH_ALL = 1,
	EXIT_CODE_BY_SIGNAL = 6,
	EXIT_CODE_PID_FILE = 8,
	EXIT_CODE_TLS = 12,
	EXIT_CODE_SUBFOLDER1 = 21,
	/* Ours: a verification (--verify) found this, the first that applies. */
	EXIT_CODE_VERIFY_MISSING = 31,
	EXIT_CODE_VERIFY_ALTERED = 32,
	EXIT_CODE_VERIFY_DOUBLED = 33,
	EXIT_CODE_USAGE = 64,
	EXIT_CODE_NO_INPUT = 66,
	EXIT_CODE_CONNECTION_HOST1 = 101,
	EXIT_CODE_CONNECTION_HOST2 = 102,
	EXIT_CODE_ERRORS = 111,
	EXIT_CODE_ERRORS_MAX = 112,
	EXIT_CODE_OVERQUOTA = 113,
	EXIT_CODE_APPEND = 114,
	EXIT_CODE_FETCH = 115,
	EXIT_CODE_CREATE = 116,
	EXIT_CODE_SELECT = 117,
	EXIT_CODE_TRANSFER_EXCEEDED = 118,
	EXIT_CODE_APPEND_VIRUS = 119,
	EXIT_CODE_FLAGS = 120,
	EXIT_CODE_AUTH_USER1 = 161,
	EXIT_CODE_AUTH_USER2 = 162,
};

/* In the order of their names, which decides between equally frequent ones. */
enum error_type {
	ERROR_APPEND,
	ERROR_APPEND_SIZE,
	ERROR_APPEND_VIRUS,
	ERROR_AUTH_USER1,
	ERROR_AUTH_USER2,
	ERROR_CONNECTION_HOST1,
	ERROR_CONNECTION_HOST2,
	ERROR_CREATE,
	ERROR_TLS,
	ERROR_FLAGS,
	ERROR_FETCH,
	ERROR_OVERQUOTA,
	ERROR_SELECT,
	ERROR_TRANSFER_EXCEEDED,
	ERROR_UNCLASSIFIED,
	ERROR__COUNT
};

/* Filled by all pairs of connections at once: single counters are atomic, the rest is behind functions. */
struct report {
	const struct options *options;
	struct arena *arena; /* the main thread's, and of errors under the lock */
	pthread_mutex_t lock;
	_Atomic unsigned pairs; /* of connections that work; the last one's loss is an error */
	int64_t started_s;
	mono_time started;
	mono_time transfer_started; /* when the first folder was begun */

	unsigned folders_total;
	_Atomic unsigned folders_done;
	uint64_t start_messages[2]; /* found by the sizing at the start, by side */
	uint64_t start_bytes[2];
	uint64_t end_messages[2];
	uint64_t end_bytes[2];
	bool sized_at_start;
	bool sized_at_end;

	_Atomic uint64_t processed;   /* messages of host1 dealt with, in whatever way */
	_Atomic uint64_t transferred; /* messages */
	_Atomic uint64_t would_be;    /* messages a real run would move */
	_Atomic uint64_t would_be_bytes;
	_Atomic uint64_t skipped; /* messages */
	_Atomic uint64_t bytes_transferred;
	_Atomic uint64_t bytes_skipped;
	_Atomic uint64_t biggest_transferred; /* bytes */
	_Atomic uint64_t identified[2];       /* messages seen in the folders done, by side */
	_Atomic uint64_t duplicates[2];       /* beyond the first of equal identity in one folder, by side */
	_Atomic uint64_t missing;             /* on host1, not on host2 */
	_Atomic uint64_t extra;               /* on host2, not on host1 */
	_Atomic unsigned reconnections[2];
	_Atomic unsigned folders_failed; /* could not be created, selected or listed */
	uint64_t deleted;                /* messages, on host2 */
	uint64_t would_delete;           /* of --delete2 with --dry, once counted */
	bool counted_deletions;          /* would_delete says what a real run would delete */
	char deletions[65];              /* of what: its digest (engine/surplus.h); "" before it is known */
	_Atomic unsigned over_quota;     /* messages host2 had no room for */
	_Atomic unsigned unlisted;       /* messages of host1 the server told nothing about */

	char tail[256]; /* of the line of a message copied: rates and ETA, as of tailed */
	mono_time tailed;

	char **errors; /* in arena */
	_Atomic unsigned error_count;
	unsigned error_types[ERROR__COUNT];
	bool dumped; /* the errors were listed already */
};

void report_init(struct report *r, const struct options *o, struct arena *a);

/* Counts and prints an error, without newline. */
void report_error(struct report *r, enum error_type type, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Whether --errorsmax is reached and the run must end. */
bool report_is_full(const struct report *r);

/* "ETA: <date>  S s  left/total msgs left", "" when the total is not known. */
const char *report_eta(const struct report *r, struct arena *a);

/*
 * Counts a message copied, and its line; sizes in bytes, uid2 0 when the server did not say.  The rates at
 * the line's end are at most a tenth of a second old, and lines may be held back as long.
 */
void report_copied(
    struct report *r, const char *folder1, uint32_t uid1, uint64_t size, const char *folder2, uint32_t uid2);

/* "++++ Statistics" to "Detected N errors". */
void report_statistics(const struct report *r);

/* Lists the errors, if any, and returns the code they stand for. */
enum exit_code report_errors_listing(struct report *r);

/* "Exiting with return value ..." */
void report_exit(const struct report *r, enum exit_code code);

#endif
