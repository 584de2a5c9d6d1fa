#include "fcgi/mail_view.h"

#include <stddef.h>

#include "fcgi/view.h"

const char mail_view_off[] = "Notifications are off: this installation has no mail relay.";

const char *mail_view_text(struct arena *a, const struct outbox_status *s, int64_t now_s)
{
	const char *to = s->to != NULL ? s->to : "somebody who is gone";
	const char *why = s->last_error != NULL ? s->last_error : "no reason is known";

	switch (s->state) {
	case OUTBOX_SENT:
		return arena_printf(a, "Sent to %s %s.", to, view_relative_text(a, s->sent_at, now_s));
	case OUTBOX_SUPPRESSED:
		if (s->last_error != NULL)
			return arena_printf(a, "None was sent to %s: %s.", to, why);
		return arena_printf(a, "None was sent: %s was looking at the list of jobs.", to);
	case OUTBOX_FAILED: return arena_printf(a, "It could not be delivered to %s: %s.", to, why);
	case OUTBOX_SENDING: return arena_printf(a, "It is being sent to %s.", to);
	case OUTBOX_WAITING: break;
	}
	if (s->is_held)
		return "It is held back: its owner is disabled or has no address, or the account is "
		       "suspended.";
	if (s->attempts == 0 && s->next_at > now_s)
		return arena_printf(a,
		    "It waits, since the account got as many mails as it may within an hour. It will be sent "
		    "to "
		    "%s %s.",
		    to, view_relative_text(a, s->next_at, now_s));
	if (s->attempts == 0)
		return arena_printf(a, "It is about to be sent to %s.", to);
	return arena_printf(a, "It could not be delivered to %s yet: %s. Next try %s.", to, why,
	    view_relative_text(a, s->next_at, now_s));
}

enum err mail_view_settle(struct arena *a, const struct conf *conf, int64_t now_s, enum err e,
    const struct outbox_status *s, const char **text_r)
{
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	*text_r = e == ERR_OK                  ? mail_view_text(a, s, now_s)
		  : conf->smtp_host[0] == '\0' ? mail_view_off
					       : NULL;
	return ERR_OK;
}
