/*
 * The words behind a verb: options, and what stands between them.  "--name VALUE" and "--name=VALUE" are the
 * same; "--" ends the options; an option stands
 * once, unless its row has values.
 */
#ifndef MCV_CTL_WORDS_H
#define MCV_CTL_WORDS_H

#include <stdbool.h>

/* The values of an option that may stand several times. */
struct word_values {
	const char **list; /* with room for as many as there are words */
	unsigned count;
};

/* One option; of flag, text and values exactly one is set. */
struct word {
	const char *name;           /* with its hyphens */
	bool *flag;                 /* it has no value: becomes true */
	const char **text;          /* it has one */
	struct word_values *values; /* it has one, each time it stands there */
};

/*
 * Take the options (known ends with a row without name) out of words, so that the others stand at the front.
 * How many these are; -1 after a complaint.
 */
int words_read(const struct word *known, int count, char **words);

#endif
