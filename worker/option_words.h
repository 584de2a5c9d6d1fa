/*
 * A job's options as words of the command line, and whether the program at hand can do what they say.  Pure.
 *
 * Names of folders become what the server writes (modified UTF-7, imap/mutf7.h): imapsync compares nothing
 * else.  --exclude takes an expression: the name is quoted and anchored, so that it is that name and no
 * other.  All that chooses messages by date or flag becomes one --search1, with days counted from the
 * beginning of the run: so the verification behind a run chooses what the run chose, at whatever hour.
 */
#ifndef MCV_WORKER_OPTION_WORDS_H
#define MCV_WORKER_OPTION_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/joboptions.h"

/* Why imapsync cannot do this, the end of a sentence: "it cannot leave flags behind"; NULL: it can. */
const char *option_words_unfit(const struct joboptions *o);

/* The words, NULL-terminated, in a; began_s: seconds since 1970 UTC. */
char **option_words(struct arena *a, const struct joboptions *o, bool is_engine, int64_t began_s);

#endif
