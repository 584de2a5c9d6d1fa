/*
 * The options of one job (lib/joboption.h has the list): read from what a person typed, checked, written as
 * the JSON that is stored, and read back as strictly.  Pure; all lives in the arena that is given.
 */
#ifndef MCV_LIB_JOBOPTIONS_H
#define MCV_LIB_JOBOPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <json-c/json.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/joboption.h"

/* Set when number is not 0 or count is not. */
struct joboption_value {
	const char *const *words; /* of the kinds that are text, lists or one */
	unsigned count;
	uint64_t number; /* JOBOPTION_BYTES, JOBOPTION_COUNT; JOBOPTION_SWITCH: 1 */
};

/* All zero: none is set. */
struct joboptions {
	struct joboption_value values[JOBOPTION__MAX];
};

bool joboptions_has(const struct joboptions *o, enum joboption i);
bool joboptions_any(const struct joboptions *o);

/*
 * Set one from text: lists a line each, blanks around a line cut, empty lines passed over; "" unsets.
 * ERR_INVALID: *why_r says what is wrong with it, a sentence for the person; *o is as it was.
 */
enum err joboptions_set(
    struct joboptions *o, enum joboption i, const char *text, struct arena *a, const char **why_r) MUST_CHECK;

/* Whether they go together.  ERR_INVALID: *where_r does not, and *why_r says why. */
enum err joboptions_check(const struct joboptions *o, enum joboption *where_r, const char **why_r) MUST_CHECK;

/* Whether the password of this side (0: source, 1: destination) is an access token. */
bool joboptions_takes_token(const struct joboptions *o, int side);

/* The text that joboptions_set() made it of, or one that it would make the same of; "" when it is unset. */
const char *joboptions_text(const struct joboptions *o, enum joboption i, struct arena *a);

/* What it means, as a part of a sentence: "only the folders A, B".  It is set. */
const char *joboptions_say(const struct joboptions *o, enum joboption i, struct arena *a);

/* All of them: "only the folders A, B; messages up to 25 MB".  NULL: none is set. */
const char *joboptions_say_all(const struct joboptions *o, struct arena *a);

enum { JOBOPTIONS_MAX_BYTES = 60000 };

/* An object with those that are set, in the order of the list: lists as arrays, switches true.  The caller's.
 */
struct json_object *joboptions_json(const struct joboptions *o);

/* The same as text, to be stored: equal options have equal texts.  NULL: none is set. */
const char *joboptions_write(const struct joboptions *o, struct arena *a);

/*
 * What joboptions_write() wrote; text NULL: none.  ERR_INVALID: it is no such object, names an option that is
 * not in the list, or a value breaks its rules; *why_r (may be NULL) says which.  *o_r is then empty.
 */
enum err joboptions_read(
    struct joboptions *o_r, const char *text, struct arena *a, const char **why_r) MUST_CHECK;

#endif
