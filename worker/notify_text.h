/*
 * What a notification says: templates/mail/ filled from the rows, as one mail.
 */
#ifndef MCV_WORKER_NOTIFY_TEXT_H
#define MCV_WORKER_NOTIFY_TEXT_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/err.h"
#include "lib/template.h"
#include "sql/db.h"
#include "sql/store_outbox.h"

/*
 * What a mail with a link says besides: its own token, which is written nowhere else, and the account's name.
 */
struct notify_link {
	const char *token, *account_name;
};

/*
 * Append the whole mail to out; link: of mails with one, else NULL.  The same row gives the same Message-ID
 * and Date, however often it is sent; but with another link it is another mail, with a Message-ID of its own.
 * ERR_NOT_FOUND: its job or batch is gone; ERR_INVALID: an address cannot be written in SMTP; an error of
 * sql/db.h, or of template_render() (logged).
 */
enum err notify_text(struct db *db, struct arena *a, const struct conf *conf, struct templates *ts,
    const struct outbox_mail *m, const struct notify_link *link, struct buf *out) MUST_CHECK;

/* The mail that mailconvoyctl mail test sends. */
enum err notify_text_test(const struct conf *conf, const char *to, struct buf *out) MUST_CHECK;

#endif
