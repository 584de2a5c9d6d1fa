/*
 * A run that proves itself: both sides are listed, messages paired as a copy pairs them (match.h, content.h),
 * and what a copy should have made equal and is not is told (tally.h).  Nothing is changed on either side:
 * folders are opened by EXAMINE, bodies read by BODY.PEEK.
 *
 * A pair is the same message when sizes agree, or, with --verify=content, the SHA-256 of both.  Where they do
 * not, the contents are read and compared but for what servers change (digest.h); only what then differs is
 * altered. A surplus copy on the destination is doubled when it is the message that is paired already, and
 * extra when it is another.  A message without a partner is missing, unless
 * - an identical one of the folder has a partner: copiers that go by the header alone copy such once;
 * - it is newer than the run: it arrived after --newerthan (with a little play for the clocks of two
 *   machines), its UID is behind that of one which did, or the server says that it was put there since;
 * - an option left it behind (engine/selection.h);
 * - it is gone from the source since it was listed.
 */
#ifndef MCV_ENGINE_VERIFY_H
#define MCV_ENGINE_VERIFY_H

#include "lib/err.h"
#include "engine/folders.h"
#include "engine/link.h"
#include "engine/tally.h"

#define VERIFY_CLOCK_PLAY_S 120
#define VERIFY_FUTURE_S 86400 /* a date so far ahead is evidence of nothing */

struct verify {
	struct link *source;
	struct link *destination;
	struct report *report;
	const struct folder_plan *plan;
	struct tally tally;
	uint32_t asked; /* messages whose fate was asked for one by one */
};

/*
 * All folders of the plan.  What cannot be compared is reported as an error and counted (tally.h); ERR_OK
 * then, too.  ERR_CLOSED: a connection is gone for good, or the signal to stop came; ERR_TOO_BIG: too many
 * errors.
 */
enum err verify_folders(struct verify *v) MUST_CHECK;

#endif
