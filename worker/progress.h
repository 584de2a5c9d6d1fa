/*
 * What a run said about itself: its output, line by line, turned into counters and into the few facts that
 * worker/outcome.c judges by.  Pure: no I/O, no clock.
 *
 * Lines are known by their labels ("Host1 Nb messages:", "++++ Statistics"), never by their number: versions
 * of imapsync add and drop lines, and mailconvoy-sync prints the same labels.  Anything may stand between the
 * labels: mail servers choose folder names and error texts.  So bytes need not be UTF-8, a line may be of any
 * length (only its first PROGRESS_LINE_MAX bytes are kept), numbers saturate, and nothing read here is ever
 * more than a figure or a word on a page.
 */
#ifndef MCV_WORKER_PROGRESS_H
#define MCV_WORKER_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/trouble.h"

enum { PROGRESS_LINE_MAX = 8192, PROGRESS_FOLDER_MAX = 256, PROGRESS_DETAIL_MAX = 400 };

/* A number nobody has told us yet. */
#define PROGRESS_UNKNOWN (-1)

/* Sides of side-indexed arrays. */
enum { SIDE_SOURCE, SIDE_DESTINATION };

enum { PROGRESS_DIGEST_LEN = 64 };

struct progress {
	/* Counters; PROGRESS_UNKNOWN until known. */
	int64_t folders_total, folders_done;
	int64_t messages_total, bytes_total, biggest_bytes; /* of the source, from the sizes at the start */
	int64_t messages_left;                              /* not yet looked at, from the last "msgs left" */
	int64_t messages_to_copy;                           /* dry run: "(could be N without dry mode)" */
	int64_t messages_to_delete; /* dry run with --delete2: the same of the destination */
	int64_t messages_deleted;   /* on the destination */
	int64_t eta_s;
	int64_t quota_used_bytes, quota_limit_bytes; /* of the destination; limit 0: it has none */
	int64_t missing;                             /* identified on the source, not on the destination */
	int64_t unidentified;                        /* messages no sync can tell apart, left behind */

	/* Counters that begin at 0. */
	int64_t messages_copied, messages_skipped, messages_failed;
	int64_t bytes_copied;
	int64_t errors;              /* "Detected N errors", or lines of error so far */
	int64_t warnings;            /* messages passed over, as the run says of each */
	int64_t reconnections[2];    /* by side */
	int64_t folders_missing;     /* asked for by name, and not on the source */
	int64_t rate_milli_messages; /* thousandths of a message per second */
	int64_t rate_bytes;          /* per second */

	char folder_current[PROGRESS_FOLDER_MAX]; /* readable where the run says so; valid UTF-8; "" for none
						   */

	char deletions[PROGRESS_DIGEST_LEN + 1]; /* "Digest of deletions on host2": hexadecimal digits; "" */

	char detail[PROGRESS_DETAIL_MAX]; /* the first failure in the run's own words; valid UTF-8; "" */

	/* Facts. */
	bool logged_in[2];
	enum trouble trouble[2];
	bool statistics;    /* "++++ Statistics" was seen */
	bool looks_good;    /* "The sync looks good" */
	bool kept_surplus;  /* "nothing is deleted (--delete2)": why is the detail, if that has no other */
	bool errors_max;    /* "Maximum number of errors N reached" */
	bool quota_full;    /* a message was refused for want of space, not merely "90 % full" */
	bool out_of_memory; /* Perl's or the C library's last words */
	int exit_code;      /* of "Exiting with return value N", PROGRESS_UNKNOWN without */

	/* Called with each line, without its end, before it is read here; NULL: nobody else wants them. */
	void (*on_line)(void *ctx, const char *line, size_t len);
	void *on_line_ctx;

	/* The line being collected; the caller does not look here. */
	char line[PROGRESS_LINE_MAX];
	size_t line_len;
	bool sizes_done; /* the sizes at the end do not replace those at the start */
};

/* Everything unknown or zero. */
void progress_init(struct progress *p);

/* The next len bytes of output, cut anywhere. */
void progress_feed(struct progress *p, const void *bytes, size_t len);

/* The output has ended: a last line without a newline counts too. */
void progress_end(struct progress *p);

/* Messages looked at so far, PROGRESS_UNKNOWN without sizes. */
int64_t progress_messages_done(const struct progress *p);

#endif
