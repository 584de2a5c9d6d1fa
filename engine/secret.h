/*
 * Passwords and access tokens come from files alone: the first line, without its newline.
 */
#ifndef MCV_ENGINE_SECRET_H
#define MCV_ENGINE_SECRET_H

#include <stdbool.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "engine/options.h"

#define SECRET_PASSWORD_MAX 4096
#define SECRET_TOKEN_MAX 8192

/*
 * The first line of the side's file into secret, which must be empty and is the caller's to wipe, and is
 * masked in all output from here on.  One that is too long is longer than its MAX, which no login takes.
 * ERR_NOT_FOUND (it cannot be opened), ERR_IO.
 */
enum err secret_read(const struct side_options *side, struct buf *secret) MUST_CHECK;

/*
 * Whether it can be read again: an access token is, for each connection, because it expires sooner than a
 * mailbox is copied and whoever keeps the file puts a new one there.  A pipe gives it once.
 */
bool secret_is_renewed(const struct side_options *side);

#endif
