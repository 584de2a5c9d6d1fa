/*
 * What a verification said (mailconvoy-sync --verify, its lines "Verify ..." and "++++ Verification by ..."):
 * pure, as worker/progress.h, whose lines it is given.  A folder or subject can hold any words, but lines
 * begin with ours.
 */
#ifndef MCV_WORKER_VERIFIED_H
#define MCV_WORKER_VERIFIED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VERIFIED_ROWS_MAX = 20, VERIFIED_ROW_MAX = 400 };

struct verified {
	bool summary;     /* it reached its end: the counts are set */
	bool faulty_rows; /* rows holds something */
	int64_t messages; /* of the source, that ought to be on the destination */
	int64_t verified; /* of these, those that are */
	int64_t missing, altered, doubled;
	int64_t extra, newer;
	int64_t adapted;   /* line ends, dates, added Message-Ids, copies folded into one */
	int64_t unread;    /* messages and folders that could not be compared */
	int64_t elsewhere; /* folders the copier put where our own engine would not */
	unsigned row_count;
	size_t rows_len;
	char rows[VERIFIED_ROWS_MAX *
		  (VERIFIED_ROW_MAX + 16)]; /* "missing\tINBOX/12 ..." and a newline, each */
};

void verified_init(struct verified *v);

/* A line without its end; ctx is the struct verified (struct progress's on_line). */
void verified_line(void *ctx, const char *line, size_t len);

#endif
