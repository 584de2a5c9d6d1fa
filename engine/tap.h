/*
 * The identity of a message that passes by, from its own bytes: engine/identity.h's, of the header as far as
 * its first empty line.
 */
#ifndef MCV_ENGINE_TAP_H
#define MCV_ENGINE_TAP_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"
#include "engine/identity.h"

#define TAP_HEADER_MAX (1024 * 1024) /* bytes of a header looked at */

struct tap {
	struct buf header;
	bool over; /* the header's end, or the bound, was seen */
};

void tap_begin(struct tap *t);
void tap_piece(struct tap *t, const char *bytes, size_t len);
void tap_free(struct tap *t);

/*
 * id_r: by Message-Id and Received, whole_r: by the whole header; after the header has passed.  False where
 * that cannot be told.
 */
bool tap_identity(const struct tap *t, struct identity *id_r, struct identity *whole_r);

#endif
