/* How the mail about a job or a batch, or with a link for a user, stands, as a sentence. */
#ifndef MCV_FCGI_MAIL_VIEW_H
#define MCV_FCGI_MAIL_VIEW_H

#include <stdint.h>

#include "lib/arena.h"
#include "lib/conf.h"
#include "lib/err.h"
#include "sql/store_outbox.h"

/* The sentence for a mail that there is. */
const char *mail_view_text(struct arena *a, const struct outbox_status *s, int64_t now_s);

/* Shown where the installation sends no mail at all (smtp_host is not set). */
extern const char mail_view_off[];

/*
 * The sentence for what a store said: e, and s when that is ERR_OK.  Where there is no mail: that
 * notifications are off, if they are, else NULL, and ERR_OK.  Other errors are handed back.
 */
enum err mail_view_settle(struct arena *a, const struct conf *conf, int64_t now_s, enum err e,
    const struct outbox_status *s, const char **text_r) MUST_CHECK;

#endif
