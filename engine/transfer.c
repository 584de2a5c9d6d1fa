#include "config.h"

#include "engine/transfer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/buf.h"
#include "lib/mem.h"
#include "engine/listing.h"
#include "engine/output.h"
#include "engine/stop.h"

#define BATCH 100     /* messages whose flags and dates are asked for at once */
#define TRIES_MAX 3   /* of one message, each after a connection dropped */
#define LOOKUPS_MAX 3 /* for a message whose APPEND was not answered */
#define LOOKUP_WAIT_S 1

enum item_state { ITEM_WAITING, ITEM_DONE };

struct item {
	struct message *message;
	const char *flags; /* those the destination keeps */
	const char *date;
	enum item_state state;
	bool there;   /* the source still told of it when the batch began */
	bool no_body; /* the last try failed because the source's connection broke */
};

struct batch {
	struct transfer *transfer;
	struct arena *arena;
	struct item items[BATCH];
	unsigned count;
};

/* One message on its way. */
struct passage {
	struct transfer *transfer;
	struct item *item;
	uint64_t size;
	uint64_t passed; /* bytes */
	bool began;
	enum err append; /* what the destination's side failed with */
};

static const char *from_of(const struct transfer *t)
{
	return t->source->selected;
}

static bool must_end(const struct transfer *t)
{
	const struct options *o = t->report->options;
	return stop_signal() != 0 || report_is_full(t->report) ||
	       (o->exitwhenover > 0 && t->report->bytes_transferred >= o->exitwhenover);
}

static enum err on_begin(void *ctx, uint64_t size)
{
	struct passage *p = ctx;
	struct imap_session *to = p->transfer->destination->session;
	p->size = size;
	p->append = imap_append_begin(to, p->transfer->to, p->item->flags, p->item->date, size);
	if (p->append == ERR_INVALID && imap_session_alive(to)) {
		out("msg %s/%u has an arrival date no server takes [%s]: now is used", from_of(p->transfer),
		    p->item->message->uid, p->item->date);
		p->append = imap_append_begin(to, p->transfer->to, p->item->flags, NULL, size);
	}
	p->began = p->append == ERR_OK;
	return p->append;
}

static enum err on_piece(void *ctx, const char *bytes, size_t len)
{
	struct passage *p = ctx;
	p->append = imap_append_write(p->transfer->destination->session, bytes, len);
	p->passed += len;
	out_alive("msg %s/%u: %llu of %llu bytes have passed", from_of(p->transfer), p->item->message->uid,
	    (unsigned long long)p->passed, (unsigned long long)p->size);
	return p->append;
}

static void report_append(struct passage *p)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct transfer *t = p->transfer;
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
	    from_of(t), p->item->message->uid, (unsigned long long)p->size, p->item->date,
	    (unsigned long long)p->item->message->size, p->item->flags, t->to, why);
	t->report->processed++;
	p->item->state = ITEM_DONE;
}

static void report_fetch(struct transfer *t, struct item *item, const char *why)
{
	report_error(t->report, ERROR_FETCH, "- msg %s/%u {0} S[%llu] F[%s] I[%s] could not be fetched: %s",
	    from_of(t), item->message->uid, (unsigned long long)item->message->size, item->flags, item->date,
	    why);
	t->report->processed++;
	item->state = ITEM_DONE;
}

/* Deleted on the source since it was listed: nothing to copy any more. */
static void pass_over_vanished(struct transfer *t, struct item *item)
{
	out("msg %s/%u vanished from host1 during the sync, skipped", from_of(t), item->message->uid);
	t->report->processed++;
	t->report->skipped++;
	t->report->identified[0]--;
	item->message->partner = MESSAGE_COPIED;
	item->state = ITEM_DONE;
}

static void count_copied(struct passage *p, uint32_t uid)
{
	struct transfer *t = p->transfer;
	report_copied(t->report, from_of(t), p->item->message->uid, p->size, t->to, uid);
	p->item->message->partner = MESSAGE_COPIED;
	t->report->identified[1]++;
	link_worked(t->source);
	link_worked(t->destination);
	p->item->state = ITEM_DONE;
}

static bool same_key(const struct message *a, const struct message *b)
{
	return memcmp(a->id.key, b->id.key, sizeof(a->id.key)) == 0;
}

/* Whether one more message of m's identity is on the destination than this run knows to have put there. */
static enum err look_up(struct transfer *t, const struct message *m, bool *there_r)
{
	struct message_list now = {0};
	uint32_t unlisted;
	uint32_t expected = 0;
	uint32_t found = 0;

	*there_r = false;
	enum err e =
	    listing_read(t->destination, &t->destination->mailbox, t->first_new_uid, &now, &unlisted);
	for (uint32_t i = 0; i < now.count; i++)
		found += same_key(&now.items[i], m);
	message_list_free(&now);
	if (e != ERR_OK)
		return e;
	for (uint32_t i = 0; i < t->messages->count; i++) {
		const struct message *other = &t->messages->items[i];
		expected += other->partner == MESSAGE_COPIED && same_key(other, m);
	}
	*there_r = found > expected;
	return ERR_OK;
}

/*
 * The answer to the APPEND was lost.  The server may still be storing: it is asked more than once.  An item
 * found is done; one not found waits for its next try; where the server cannot be asked any more,
 * revive_both() says so.
 */
static void resolve(struct passage *p)
{
	struct transfer *t = p->transfer;
	bool there = false;
	enum err e = link_revive(t->destination);
	for (unsigned i = 0; e == ERR_OK && i < LOOKUPS_MAX && !there; i++) {
		const struct timespec pause = {.tv_sec = i > 0 ? LOOKUP_WAIT_S : 0};
		(void)nanosleep(&pause, NULL);
		e = look_up(t, p->item->message, &there);
	}
	out("Host2: the answer to storing msg %s/%u was lost; it is %s", from_of(t), p->item->message->uid,
	    e != ERR_OK ? "not known whether it is there"
	    : there     ? "there"
			: "not there");
	if (there)
		count_copied(p, 0);
	else if (e != ERR_OK && t->destination->session != NULL &&
		 imap_session_alive(t->destination->session))
		report_append(p);
}

/* Connections that dropped are opened again; what can not be opened any more ends the run. */
static enum err revive_both(struct transfer *t)
{
	struct link *links[2] = {t->source, t->destination};
	for (unsigned i = 0; i < 2; i++) {
		enum err e = link_revive(links[i]);
		if (e == ERR_OK)
			continue;
		if (stop_signal() == 0 && e == ERR_CLOSED)
			report_error(t->report, i == 0 ? ERROR_CONNECTION_HOST1 : ERROR_CONNECTION_HOST2,
			    "%s failure: can not open imap connection on host%u [%s] with user [%s]: lost "
			    "while copying and "
			    "not to be had again",
			    link_name(links[i]), i + 1, links[i]->options->host, links[i]->options->user);
		else if (stop_signal() == 0)
			report_error(t->report, ERROR_SELECT,
			    "%s folder %s: Could not select: it changed during the sync", link_name(links[i]),
			    links[i]->selected);
		return e;
	}
	return ERR_OK;
}

static enum err on_still_there(void *ctx, const struct imap_row *row)
{
	(void)row;
	*(bool *)ctx = true;
	return ERR_OK;
}

/* No body came over a connection that stands: the message is gone, or the server will not give it. */
static enum err judge_no_body(struct transfer *t, struct item *item)
{
	AUTO_ARENA struct arena *a = arena_new();
	const char *why = link_why(t->source, a);
	const struct imap_range one = {.first = item->message->uid, .last = item->message->uid};
	bool there = imap_session_failure(t->source->session)->cause != IMAP_NO_SUCH_MESSAGE;
	uint64_t rows = 0;

	if (!there && imap_fetch_rows(t->source->session, &one, 1, IMAP_FETCH_FLAGS, NULL, on_still_there,
			  &there, &rows) != ERR_OK)
		return ERR_OK;
	if (there)
		report_fetch(t, item, why);
	else
		pass_over_vanished(t, item);
	return ERR_OK;
}

/* An item into the destination.  A dead connection leaves it waiting, unless it is found to have arrived. */
static enum err pass(struct transfer *t, struct item *item)
{
	struct passage p = {.transfer = t, .item = item};
	const struct imap_sink sink = {.begin = on_begin, .piece = on_piece, .ctx = &p};
	struct imap_appended stored = {0};

	item->no_body = false;
	enum err e = imap_fetch_body(t->source->session, item->message->uid, &sink);
	if (e == ERR_OK) {
		e = imap_append_finish(t->destination->session, &stored);
		if (e == ERR_OK)
			count_copied(&p, stored.uid);
		else if (e != ERR_UNCERTAIN && imap_session_alive(t->destination->session))
			report_append(&p);
		else
			resolve(&p);
	} else if (p.append != ERR_OK) {
		if (imap_session_alive(t->destination->session))
			report_append(&p);
		else if (p.began)
			resolve(&p);
	} else {
		if (p.began)
			imap_append_abort(t->destination->session);
		if (imap_session_alive(t->source->session))
			return judge_no_body(t, item);
		item->no_body = true;
	}
	return ERR_OK;
}

static enum err on_detail(void *ctx, const struct imap_row *row)
{
	struct batch *b = ctx;
	for (unsigned i = 0; i < b->count; i++) {
		struct item *item = &b->items[i];
		if (item->message->uid != row->uid)
			continue;
		AUTO_BUF struct buf kept = BUF_INIT;
		imap_flags_keepable(row->flags, &b->transfer->destination->mailbox, &kept);
		item->flags = arena_strndup(b->arena, kept.data, kept.len);
		item->date = arena_strdup(b->arena, row->date);
		item->there = true;
	}
	return ERR_OK;
}

/* Flags and dates as they are now: flags may have changed since the listing. */
static enum err read_details(struct batch *b)
{
	struct imap_range ranges[BATCH];
	struct link *l = b->transfer->source;
	for (;;) {
		uint64_t rows = 0;
		for (unsigned i = 0; i < b->count; i++)
			ranges[i] = (struct imap_range){b->items[i].message->uid, b->items[i].message->uid};
		enum err e = imap_fetch_rows(l->session, ranges, b->count, IMAP_FETCH_FLAGS | IMAP_FETCH_DATE,
		    NULL, on_detail, b, &rows);
		if (e == ERR_OK || imap_session_alive(l->session))
			return e;
		e = revive_both(b->transfer);
		if (e != ERR_OK)
			return e;
	}
}

/* Every item still waiting, once. */
static enum err copy_round(struct batch *b)
{
	struct transfer *t = b->transfer;
	for (unsigned i = 0; i < b->count; i++) {
		if (b->items[i].state != ITEM_WAITING)
			continue;
		if (stop_signal() != 0)
			return ERR_CLOSED;
		if (must_end(t))
			return ERR_TOO_BIG;
		enum err e = pass(t, &b->items[i]);
		if (e == ERR_OK)
			e = revive_both(t);
		if (e != ERR_OK)
			return e;
		/* What breaks connections may be this one message: its tries are limited, the next one's
		 * anew. */
		link_worked(t->source);
		link_worked(t->destination);
	}
	return stop_signal() != 0 ? ERR_CLOSED : must_end(t) ? ERR_TOO_BIG : ERR_OK;
}

static enum err copy_batch(struct batch *b)
{
	struct transfer *t = b->transfer;
	enum err e = read_details(b);
	for (unsigned i = 0; e == ERR_OK && i < b->count; i++) {
		if (!b->items[i].there)
			pass_over_vanished(t, &b->items[i]);
	}
	for (unsigned round = 0; e == ERR_OK && round < TRIES_MAX; round++)
		e = copy_round(b);
	for (unsigned i = 0; e == ERR_OK && i < b->count; i++) {
		struct passage p = {.transfer = t, .item = &b->items[i], .size = b->items[i].message->size};
		if (b->items[i].state == ITEM_WAITING && b->items[i].no_body)
			report_fetch(t, &b->items[i], "the connection broke at every try");
		else if (b->items[i].state == ITEM_WAITING)
			report_append(&p);
	}
	return e;
}

/* Whether the message is to be copied; if not, that is said and counted. */
static bool wanted(struct transfer *t, const struct message *m)
{
	uint64_t maxsize = t->report->options->maxsize;
	if (maxsize == 0 || m->size <= maxsize)
		return true;
	out("msg %s/%u skipped (%llu exceeds maxsize limit %llu bytes)", from_of(t), m->uid,
	    (unsigned long long)m->size, (unsigned long long)maxsize);
	t->report->skipped++;
	t->report->processed++;
	t->report->bytes_skipped += m->size;
	return false;
}

enum err transfer_missing(struct transfer *t)
{
	struct batch b = {.transfer = t};
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < t->messages->count && e == ERR_OK;) {
		AUTO_ARENA struct arena *a = arena_new();
		b.arena = a;
		b.count = 0;
		for (; i < t->messages->count && b.count < BATCH; i++) {
			struct message *m = &t->messages->items[i];
			if (m->partner == MESSAGE_UNPAIRED && wanted(t, m))
				b.items[b.count++] = (struct item){.message = m, .flags = "", .date = ""};
		}
		if (b.count > 0)
			e = copy_batch(&b);
		if (e == ERR_OK && t->report->options->exitwhenover > 0 &&
		    t->report->bytes_transferred >= t->report->options->exitwhenover)
			e = ERR_TOO_BIG;
	}
	return e;
}
