/*
 * A job as its row tells it, and the closed lists of words that appear in rows.  Strings are UTF-8, belong to
 * the arena given to the store that filled them, and are NULL where the row has NULL.  Moments (*_at) are
 * seconds since 1970 UTC by the database's clock, 0 = has not happened.  Counters are -1 while unknown.
 */
#ifndef MCV_SQL_JOB_H
#define MCV_SQL_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

enum job_state {
	JOB_QUEUED,
	JOB_RUNNING,
	JOB_DONE,
	JOB_FAILED,
	JOB_CANCELLED,
	JOB_INTERRUPTED,
	JOB_STATE__MAX
};

/* "queued" … "interrupted"; never NULL. */
const char *job_state_name(enum job_state s);
/* ERR_OK or ERR_INVALID. */
enum err job_state_parse(const char *name, enum job_state *s_r) MUST_CHECK;
/* Anything but queued and running. */
bool job_state_is_ended(enum job_state s);

/* How a connection to an IMAP server is protected.  0 is no value, so that forgetting it cannot mean plain
 * text. */
enum security { SECURITY_TLS = 1, SECURITY_STARTTLS, SECURITY_NONE };
/* "tls", "starttls", "none". */
const char *security_name(enum security s);
enum err security_parse(const char *name, enum security *s_r) MUST_CHECK;

enum { JOB_TOKEN_BYTES = 16, JOB_REQUEST_KEY_BYTES = 16, JOB_SEALED_MAX = 4200, JOB_NAME_MAX_CHARS = 200 };

/* One side of a job: the server's details as they were at insert, refreshed when the job is claimed or rerun.
 */
struct job_side {
	uint64_t server_id; /* 0: the server was deleted since */
	const char *server_name;
	const char *host;
	unsigned port;
	enum security security;
	bool verify;
	const char *user;
};

/* What the run said of itself so far (worker/progress.h). */
struct job_counters {
	int64_t folders_total, folders_done;
	const char *folder_current; /* at most 255 characters are kept */
	int64_t messages_total, messages_done, messages_copied, messages_skipped, messages_failed;
	int64_t messages_to_copy; /* dry run */
	int64_t bytes_total, bytes_copied, biggest_bytes;
	int64_t rate_bytes;          /* per second */
	int64_t rate_milli_messages; /* thousandths of a message per second */
	int64_t eta_s;
	int64_t quota_used_bytes, quota_limit_bytes; /* of the destination; limit 0: it has none */
	int64_t messages_to_delete;                  /* dry run with delete2 */
	int64_t messages_deleted;                    /* on the destination */
};
/* All counters -1, no folder. */
void job_counters_init(struct job_counters *c);

/* What the verification behind a real run came to. */
enum verify_state {
	VERIFY_NONE,       /* there was none, or not yet */
	VERIFY_RUNNING,    /* of a running job; of an ended one that it did not end */
	VERIFY_VERIFIED,   /* the destination holds what it should */
	VERIFY_FAULTS,     /* it does not */
	VERIFY_UNVERIFIED, /* it could not be done, or not wholly */
	VERIFY_STATE__MAX
};
/* "running" … "unverified"; NULL for VERIFY_NONE. */
const char *verify_state_name(enum verify_state s);

struct job_verify {
	enum verify_state state;
	const char *mode;                  /* "size" or "content"; NULL without a verification */
	int64_t messages;                  /* of the source, that ought to be on the destination */
	int64_t verified;                  /* of these, those that are */
	int64_t missing, altered, doubled; /* faults */
	int64_t extra;                     /* on the destination only */
	int64_t newer;                     /* arrived on the source since the run began */
	int64_t adapted;                   /* line ends, dates and the like that a server changed */
	const char *note;                  /* why it could not be done; NULL */
	const char *rows; /* the first faulty messages, a line for each: fault, tab, text; NULL */
};
/* No verification: counts -1. */
void job_verify_init(struct job_verify *v);

struct job {
	uint64_t id;
	uint64_t account_id; /* what the sealed passwords are bound to (vault_aad) */
	const char *account_name;
	uint64_t owner_user_id;
	const char *owner_email;
	uint64_t batch_id; /* 0: none */
	const char *batch_tag;
	uint64_t parent_id; /* the job this is a rerun of; 0: none, or deleted since */
	const char *name;   /* may be NULL */
	const char *label;  /* name, or "source user → destination user"; never NULL */
	bool dry_run;
	const char *options; /* what else was asked (lib/joboptions.h); NULL: nothing */
	struct job_side source, destination;
	bool delete2;       /* delete what the source has not; of a dry run: count it (sql/store_delete2.h) */
	int64_t max_delete; /* of a real run with delete2: no more than that; else -1 */
	int64_t delete2_confirmed_at; /* of a dry run: when a real run was made of its count */
	const char *delete2_digest; /* of what it counted, or may delete: 64 hexadecimal digits; NULL: none */

	enum job_state state;
	int64_t queued_at;
	int64_t cancel_requested_at;
	int64_t started_at, finished_at;
	int64_t duration_ms; /* of an ended run; running: until now; -1: never ran */
	uint64_t worker_id;
	unsigned attempts;

	const char *program, *program_version; /* what ran it; NULL: nothing yet */
	int exit_code;                         /* -1: it did not exit by itself, or has not */
	int exit_signal;                       /* 0: none */
	const char *reason;                    /* stable code; NULL until ended */
	const char *reason_text;               /* the sentence for people */
	const char *reason_detail;             /* what the program said of it; may be NULL */
	const char *reason_action;             /* code of the one next step; "none" if there is none */

	int64_t log_bytes;     /* raw bytes so far: the offset of the log's end */
	int64_t log_cut_start; /* where the part cut out begins; -1: nothing was cut */
	int64_t log_cut_bytes; /* how much was cut out there */
	int64_t log_errors, log_warnings;
	struct job_counters counters;
	struct job_verify verify;
	int64_t progress_at, updated_at;
	int64_t updated_us;           /* the same in microseconds: its version (sql/version.h) */
	int64_t passwords_removed_at; /* since when none are stored: a rerun needs them given anew */
	int64_t log_removed_at;       /* since when there is no log any more */
};

/* Whether it is queued to delete what somebody confirmed (sql/store_delete2.h): then it stays as it is. */
bool job_is_confirmed(const struct job *j);

#endif
