/*
 * Mails with a one-time link by which somebody chooses their password.  Who asks for one writes a row of the
 * outbox (sql/store_outbox.h) that holds no secret; the notifier that sends it makes the link, anew at each
 * try, so that only its hash is ever kept.  Errors of sql/db.h are not repeated.
 */
#ifndef MCV_SQL_STORE_INVITE_H
#define MCV_SQL_STORE_INVITE_H

#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/store_outbox.h"
#include "sql/store_user_admin.h"
#include "sql/viewer.h"

/*
 * Ask for one; older links of the user end, and their mails that wait are not sent any more.  ERR_DENIED: the
 * viewer is no administrator; ERR_NOT_FOUND: no such user; ERR_INVALID: the user's address stands for none.
 */
enum err store_invite_add(struct db *db, const struct viewer *v, uint64_t user_id) MUST_CHECK;

/* What such a mail speaks of. */
struct invite {
	const char *account_name;
	const char *refusal; /* why there may be none, a clause; NULL: there may */
};

/*
 * For who has leased m: a link of which id_hash is kept, made by who asked for the mail; older ones of the
 * user end.  ERR_DENIED: the user is disabled, their account suspended, or m is not to their address any
 * more, as refusal says, and there is no link.  ERR_LOST: the lease ran out, or the mail is not wanted any
 * more.
 */
enum err store_invite_link(struct db *db, struct arena *a, const struct outbox_mail *m,
    const uint8_t id_hash[USER_LINK_HASH_BYTES], struct invite *invite_r) MUST_CHECK;

#endif
