#include "config.h"

#include "engine/passage.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "engine/listing.h"
#include "engine/output.h"
#include "engine/stop.h"

/* Of Courier's "This message is no longer available on the server.", which it lists, too, once it is gone. */
#define STAND_IN_BYTES 129

const char *passage_from(const struct transfer *t)
{
	return t->from;
}

bool passage_must_end(const struct transfer *t, uint64_t ahead)
{
	const struct options *o = t->report->options;
	return stop_signal() != 0 || report_is_full(t->report) || t->report->over_quota >= OVER_QUOTA_MAX ||
	       (o->exitwhenover > 0 && t->report->bytes_transferred + ahead >= o->exitwhenover);
}

static int64_t due_ms(uint64_t done, uint64_t per_s)
{
	return per_s == 0 ? 0 : (int64_t)((double)done * 1000 / (double)per_s);
}

void passage_pace(const struct transfer *t, uint64_t ahead_bytes, uint64_t ahead_messages)
{
	const struct report *r = t->report;
	int64_t bytes_ms = due_ms(r->bytes_transferred + ahead_bytes, r->options->bytes_per_s);
	int64_t messages_ms = due_ms(r->transferred + ahead_messages, r->options->messages_per_s);
	int64_t until_ms = bytes_ms > messages_ms ? bytes_ms : messages_ms;

	while (until_ms > 0 && stop_signal() == 0) {
		int64_t left_ms = until_ms - mono_diff_ms(r->transfer_started, mono_now());
		if (left_ms <= 0)
			return;
		const struct timespec pause = {.tv_nsec = (left_ms < 100 ? left_ms : 100) * 1000000};
		(void)nanosleep(&pause, NULL);
		out_alive("Waiting because of --maxbytespersecond or --maxmessagespersecond");
	}
}

void passage_note(const struct transfer *t, struct item *item, const char *flags, const char *date)
{
	struct message *m = item->message;
	if (t->report->options->state == NULL || m->identified)
		return;
	m->date_s = listing_date(date);
	listing_flags(flags, &m->flags, &m->keywords);
}

bool passage_may_be_stand_in(const struct transfer *t, const struct item *item, uint64_t size)
{
	return size == STAND_IN_BYTES || (!t->sizes_lie && size != item->message->size);
}

void passage_copied(struct transfer *t, struct item *item, uint64_t size, uint32_t stored_uid)
{
	report_copied(t->report, passage_from(t), item->message->uid, size, t->to, stored_uid);
	item->message->partner = MESSAGE_COPIED;
	t->report->identified[1]++;
	item->stored_uid = stored_uid;
	item->state = ITEM_DONE;
	link_worked(t->source);
	link_worked(t->destination);
}

void passage_refused(struct transfer *t, struct item *item, const struct passage_facts *facts)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct imap_failure *f = imap_session_failure(t->destination->session);
	const char *why = link_why(t->destination, a);
	enum error_type type = ERROR_APPEND;
	if (f->cause == IMAP_QUOTA_EXCEEDED)
		type = ERROR_OVERQUOTA;
	else if (f->cause == IMAP_MESSAGE_TOO_BIG)
		type = ERROR_APPEND_SIZE;
	else if (strcasestr(why, "virus") != NULL)
		type = ERROR_APPEND_VIRUS;
	report_error(t->report, type,
	    "- msg %s/%u {%llu} could not append ( Date:[%s], Size:[%llu], Flags:[%s] ) to folder %s: %s",
	    passage_from(t), item->message->uid, (unsigned long long)facts->size, facts->date,
	    (unsigned long long)item->message->size, facts->flags, t->to, why);
	if (type == ERROR_OVERQUOTA)
		t->report->over_quota++;
	t->report->processed++;
	item->state = ITEM_DONE;
}

void passage_not_fetched(
    struct transfer *t, struct item *item, const struct passage_facts *facts, const char *why)
{
	report_error(t->report, ERROR_FETCH, "- msg %s/%u {0} S[%llu] F[%s] I[%s] could not be fetched: %s",
	    passage_from(t), item->message->uid, (unsigned long long)item->message->size, facts->flags,
	    facts->date, why);
	t->report->processed++;
	item->state = ITEM_DONE;
}

/* Deleted on the source since it was listed: nothing to copy any more. */
void passage_vanished(struct transfer *t, struct item *item)
{
	out("msg %s/%u vanished from host1 during the sync, skipped", passage_from(t), item->message->uid);
	t->report->processed++;
	t->report->skipped++;
	t->report->identified[0]--;
	item->message->partner = MESSAGE_VANISHED;
	item->state = ITEM_DONE;
}

enum err passage_revive(struct transfer *t)
{
	struct link *links[2] = {t->source, t->destination};
	for (unsigned i = 0; i < 2; i++) {
		enum err e = link_revive(links[i]);
		if (e == ERR_OK)
			continue;
		/* a connection that is not to be had again is told by whoever knows of the others (crew.h) */
		if (stop_signal() == 0 && e != ERR_CLOSED)
			report_error(t->report, ERROR_SELECT,
			    "%s folder %s: Could not select: it changed during the sync", link_name(links[i]),
			    i == 0 ? t->from : t->to);
		return e;
	}
	return ERR_OK;
}

void passage_flags(const struct transfer *t, const char *flags, struct buf *out)
{
	if (t->report->options->sync_flags)
		imap_flags_keepable(flags, &t->there, out);
}
