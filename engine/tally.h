/*
 * What a verification found, counted and told: for people in lines that worker/verified.h reads, or, with
 * --json, in JSON lines.
 *
 * A JSON line is one object.  "type" says which:
 *   "folder"   source, destination (names, decoded) and the counts of struct tally_count by their names
 *   "message"  fault ("missing", "altered", "doubled"), folder (decoded), side (1 or 2: whose folder and
 * UID), uid, bytes, date, from, subject (the last two only of the first TALLY_DESCRIBED messages) "summary"
 * mode ("size", "content"), the counts added up, complete, exit_code
 */
#ifndef MCV_ENGINE_TALLY_H
#define MCV_ENGINE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/match.h"
#include "engine/report.h"

enum {
	TALLY_DESCRIBED = 50,  /* faults whose From and Subject are looked up and told */
	TALLY_LISTED = 100000, /* faults told one by one */
};

struct tally_count {
	uint64_t compared; /* messages of the source that ought to be on the destination */
	uint64_t verified; /* of these, those that are, as they are */
	/* Faults. */
	uint64_t missing;
	uint64_t altered;
	uint64_t doubled; /* surplus copies on the destination */
	/* No faults: not compared. */
	uint64_t extra;    /* on the destination only */
	uint64_t newer;    /* arrived on the source after the run began, not on the destination yet */
	uint64_t left_out; /* by --maxsize and other options */
	/* No faults: among those verified, with something told apart. */
	uint64_t repeated; /* identical to another of the folder, which is on the destination once */
	uint64_t relined;  /* a server changed line ends, NUL or 8-bit bytes of the header */
	uint64_t marked;   /* imapsync put a Message-Id above it, for it had none */
	uint64_t redated;  /* the destination does not have the arrival date */
	/* Neither verified nor faulty. */
	uint64_t unread; /* could not be read where contents had to decide */
};

enum fault { FAULT_MISSING, FAULT_ALTERED, FAULT_DOUBLED };

struct tally {
	struct report *report;
	struct tally_count total;
	unsigned folders_unread; /* could not be listed, or not wholly */
	uint64_t listed;
};

/* What is known of a faulty message beside its row; strings "" where unknown, raw. */
struct fault_words {
	const char *folder; /* raw name */
	const char *from;
	const char *subject;
	unsigned side;
};

/* One faulty message. */
void tally_fault(struct tally *t, enum fault fault, const struct message *m, const struct fault_words *w);

/* Whether the next fault's From and Subject are worth looking up. */
bool tally_wants_words(const struct tally *t);

/* A pair of folders is done; adds it up. */
void tally_folder(struct tally *t, unsigned number, unsigned folders, const char *source, const char *to,
    const struct tally_count *c);

/* The end: what was found altogether, and the exit code for it (EXIT_CODE_OK: nothing wrong was seen). */
enum exit_code tally_summary(const struct tally *t);

#endif
