/*
 * One mail to one recipient, through libesmtp.  Sent means that the relay took responsibility: the recipient
 * and the message were both answered with success; nothing else counts.  The process must ignore SIGPIPE.
 */
#ifndef MCV_WORKER_MAIL_H
#define MCV_WORKER_MAIL_H

#include <stdbool.h>

#include "lib/buf.h"
#include "worker/mail_line.h"

enum mail_result {
	MAIL_SENT,
	MAIL_LATER,   /* it may pass: the relay is away, busy, or not set up well */
	MAIL_REFUSED, /* the relay refused this mail for good (5xx) */
};

struct mail_account {
	const char *user, *password; /* user "": the relay wants none; only ever used under TLS */
};

struct mail_report {
	enum mail_result result;
	bool is_relay;  /* it failed before anything of this mail mattered: others will fail, too */
	char text[300]; /* a sentence for people, with what the relay said, on one line; may be cut inside a
			   character */
};

/*
 * from and to: mime_address_fits(); else it is MAIL_REFUSED.  data: a whole mail of mime_build().  Takes two
 * minutes at most.
 */
void mail_send(const struct mail_relay *relay, const struct mail_account *account, const char *from,
    const char *to, const struct buf *data, struct mail_report *report_r);

#endif
