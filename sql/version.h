/*
 * Which state of a row somebody saw, so that who changes it can ask that it still be that one ("If-Match").
 * A version is a word of letters and digits.  Pure.
 */
#ifndef MCV_SQL_VERSION_H
#define MCV_SQL_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"

/*
 * Of a row that carries the moment of its last change.  Who changes it sets VERSION_NEXT, which never stands
 * still, whatever the clock does.
 */
const char *version_of_moment(struct arena *a, int64_t updated_us);
#define VERSION_NEXT "GREATEST(UTC_TIMESTAMP(6), updated_at + INTERVAL 1 MICROSECOND)"

/* Of a row that carries none: of all that can be changed of it, as text. */
const char *version_of_text(struct arena *a, const char *text);

/*
 * Whether a row of this version may be changed by who asked for one of wanted (versions with blanks between;
 * NULL: whatever it is).
 */
bool version_fits(const char *wanted, const char *version);

#endif
