/*
 * What --delete2 leaves alone although nothing on the source is its partner: it may be something of the
 * source all the same, and deleting what is nowhere else cannot be undone.  Pure: no I/O.
 */
#ifndef MCV_ENGINE_SPARE_H
#define MCV_ENGINE_SPARE_H

#include <stdint.h>

#include "lib/err.h"
#include "engine/match.h"
#include "engine/options.h"

#define SPARE_PRINT_BYTES 32

/*
 * Of a folder whose two lists were paired: gives a partner to what has none on the destination, and
 * - has the key of any message of the source (another copy, an older version of a draft, an altered one;
 *   imapsync calls these duplicates, and has another option for them), or no key at all;
 * - has the size or the date of a message that o leaves behind on the source and that has no partner either:
 * it may be that one, with a header that the server changed. What is yet to be copied (--dry) counts as
 * copied.  Returns how many these are.
 */
uint32_t spare_alike(const struct options *o, const struct message_list *here, struct message_list *there);

/* Equal for two lists of the same messages under the same UIDs: one folder under two names.  ERR_CRYPTO. */
enum err spare_print(const struct message_list *l, uint8_t print_r[SPARE_PRINT_BYTES]) MUST_CHECK;

#endif
