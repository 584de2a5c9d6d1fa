#include "config.h"

#include "engine/single.h"

#include <string.h>
#include <time.h>

#include "lib/buf.h"
#include "lib/utf8.h"
#include "engine/lookup.h"
#include "engine/output.h"
#include "engine/stop.h"
#include "engine/tap.h"

#define BATCH 100   /* messages whose flags and dates are asked for at once */
#define TRIES_MAX 3 /* of one message, each after a connection dropped */
#define BUSY_MAX 6  /* of one message, each after a server asked for patience */
#define BUSY_LIMIT_MAX 1

/* An item with what is needed to store it. */
struct detailed {
	struct item *item;
	const char *flags; /* those the destination keeps */
	const char *date;
	bool there;    /* the source still told of it when the batch began */
	bool no_body;  /* the last try failed because the source's connection broke */
	bool proven;   /* whatever size its body has: the source was asked and has the message */
	unsigned busy; /* times the destination asked to wait */
	bool as_utf8;  /* refused once for the UTF-8 in its header, perhaps */
};

struct batch {
	struct transfer *transfer;
	struct arena *arena;
	struct detailed items[BATCH];
	unsigned count;
};

/* One message on its way. */
struct passage {
	struct transfer *transfer;
	struct detailed *it;
	struct tap tap;
	uint64_t size;
	uint64_t passed; /* bytes */
	bool began;
	bool doubted;    /* the body may stand for a message that is gone, and was not taken */
	enum err append; /* what the destination's side failed with */
};

static struct passage_facts facts_of(const struct detailed *it, uint64_t size)
{
	return (struct passage_facts){.size = size, .flags = it->flags, .date = it->date};
}

static enum err begin_append(const struct passage *p, const char *date, uint64_t size)
{
	struct imap_session *to = p->transfer->destination->session;
	return p->it->as_utf8 ? imap_append_begin_utf8(to, p->transfer->to, p->it->flags, date, size)
			      : imap_append_begin(to, p->transfer->to, p->it->flags, date, size);
}

static enum err on_begin(void *ctx, uint64_t size)
{
	struct passage *p = ctx;
	struct imap_session *to = p->transfer->destination->session;
	p->size = size;
	p->doubted = !p->it->proven && passage_may_be_stand_in(p->transfer, p->it->item, size);
	if (p->doubted)
		return ERR_PROTOCOL;
	tap_begin(&p->tap);
	p->append = begin_append(p, p->it->date, size);
	if (p->append == ERR_INVALID && imap_session_alive(to)) {
		out("msg %s/%u has an arrival date no server takes [%s]: now is used",
		    passage_from(p->transfer), p->it->item->message->uid, p->it->date);
		p->append = begin_append(p, NULL, size);
	}
	p->began = p->append == ERR_OK;
	return p->append;
}

static enum err on_piece(void *ctx, const char *bytes, size_t len)
{
	struct passage *p = ctx;
	tap_piece(&p->tap, bytes, len);
	p->append = imap_append_write(p->transfer->destination->session, bytes, len);
	p->passed += len;
	out_alive("msg %s/%u: %llu of %llu bytes have passed", passage_from(p->transfer),
	    p->it->item->message->uid, (unsigned long long)p->passed, (unsigned long long)p->size);
	return p->append;
}

/*
 * How often what this server refused may be tried again.  LIMIT says of an APPEND as a rule that the message
 * is beyond some bound, now and then that the server is.
 */
static unsigned patience(const struct link *l)
{
	const struct imap_failure *f = imap_session_failure(l->session);
	if (strcmp(f->code, "LIMIT") == 0)
		return BUSY_LIMIT_MAX;
	return f->cause == IMAP_BUSY ? BUSY_MAX : 0;
}

/* After a pause that doubles the message is tried again; false: it was tried often enough. */
static bool waits(struct passage *p, const struct link *l)
{
	AUTO_ARENA struct arena *a = arena_new();
	if (p->it->busy >= patience(l))
		return false;
	unsigned pause_s = 1U << p->it->busy++;
	out("%s: msg %s/%u is to be copied later: %s; waiting %u s", link_name(l), passage_from(p->transfer),
	    p->it->item->message->uid, link_why(l, a), pause_s);
	stop_pause(pause_s);
	return true;
}

/* Whether the message is tried again as what a server may want it to be called: RFC 6855, section 4. */
static bool tries_as_utf8(struct passage *p)
{
	const struct imap_session *to = p->transfer->destination->session;
	const struct buf *header = &p->tap.header;
	enum imap_cause cause = imap_session_failure(to)->cause;
	bool ascii = true;

	if (p->it->as_utf8 || !imap_append_takes_utf8(to) ||
	    (cause != IMAP_COMMAND_REFUSED && cause != IMAP_PROTOCOL_ERROR))
		return false;
	for (size_t i = 0; i < header->len; i++)
		ascii = ascii && (unsigned char)header->data[i] < 0x80;
	p->it->as_utf8 = !ascii && utf8_valid(header->data, header->len);
	return p->it->as_utf8;
}

/* The destination said NO. */
static void refused(struct passage *p)
{
	const struct passage_facts facts = facts_of(p->it, p->size);
	if (!waits(p, p->transfer->destination) && !tries_as_utf8(p))
		passage_refused(p->transfer, p->it->item, &facts);
}

/* The answer to the APPEND was lost.  An item not found waits for its next try. */
static void resolve(struct passage *p)
{
	struct transfer *t = p->transfer;
	struct lost lost = {.item = p->it->item, .size = p->size};
	struct message *m = p->it->item->message;
	struct identity id;
	lost.whole_known = tap_identity(&p->tap, &id, &lost.whole);
	if (!m->identified && lost.whole_known) {
		m->id = id;
		m->identified = true;
	}
	const struct passage_facts facts = facts_of(p->it, p->size);
	if (lookup_lost(t, &lost, 1, true) != ERR_OK && t->destination->session != NULL &&
	    imap_session_alive(t->destination->session))
		passage_refused(t, p->it->item, &facts);
}

static enum err on_still_there(void *ctx, const struct imap_row *row)
{
	(void)row;
	*(bool *)ctx = true;
	return ERR_OK;
}

/*
 * The server is let tell what is gone.  A message that is there is taken at the next try, whatever its size,
 * and sizes that are not the body's are no reason to doubt any more.
 */
static void settle_doubt(struct passage *p)
{
	struct transfer *t = p->transfer;
	struct imap_session *from = t->source->session;
	const struct imap_range one = {.first = p->it->item->message->uid, .last = p->it->item->message->uid};
	bool there = false;
	uint64_t rows = 0;

	if (imap_noop(from) != ERR_OK ||
	    imap_fetch_rows(from, &one, 1, IMAP_FETCH_FLAGS, NULL, on_still_there, &there, &rows) != ERR_OK)
		return;
	p->it->proven = there;
	if (!there)
		passage_vanished(t, p->it->item);
	else if (p->size != p->it->item->message->size)
		t->sizes_lie = true;
}

/* No body came over a connection that stands: the message is gone, or the server will not give it. */
static enum err judge_no_body(struct transfer *t, struct detailed *it)
{
	AUTO_ARENA struct arena *a = arena_new();
	const char *why = link_why(t->source, a);
	const struct passage_facts facts = facts_of(it, 0);
	const struct imap_range one = {.first = it->item->message->uid, .last = it->item->message->uid};
	bool there = imap_session_failure(t->source->session)->cause != IMAP_NO_SUCH_MESSAGE;
	uint64_t rows = 0;

	if (!there && imap_fetch_rows(t->source->session, &one, 1, IMAP_FETCH_FLAGS, NULL, on_still_there,
			  &there, &rows) != ERR_OK)
		return ERR_OK;
	if (there)
		passage_not_fetched(t, it->item, &facts, why);
	else
		passage_vanished(t, it->item);
	return ERR_OK;
}

static enum err pass_on(struct passage *p)
{
	struct transfer *t = p->transfer;
	struct imap_session *to = t->destination->session;
	const struct imap_sink sink = {.begin = on_begin, .piece = on_piece, .ctx = p};
	struct imap_appended stored = {0};

	enum err e = imap_fetch_body(t->source->session, p->it->item->message->uid, &sink);
	if (e == ERR_OK) {
		e = imap_append_finish(to, &stored);
		if (e == ERR_OK)
			passage_copied(t, p->it->item, p->size, stored.uid);
		else if (e != ERR_UNCERTAIN && imap_session_alive(to))
			refused(p);
		else
			resolve(p);
	} else if (p->append != ERR_OK) {
		if (imap_session_alive(to))
			refused(p);
		else if (p->began)
			resolve(p);
	} else {
		if (p->began)
			imap_append_abort(to);
		if (imap_session_alive(t->source->session) && p->doubted)
			settle_doubt(p);
		else if (imap_session_alive(t->source->session))
			return waits(p, t->source) ? ERR_OK : judge_no_body(t, p->it);
		else
			p->it->no_body = true;
	}
	return ERR_OK;
}

/* An item into the destination.  A dead connection leaves it waiting, unless it is found to have arrived. */
static enum err pass(struct transfer *t, struct detailed *it)
{
	struct passage p = {.transfer = t, .it = it, .tap = {.header = BUF_INIT}};
	it->no_body = false;
	enum err e = pass_on(&p);
	tap_free(&p.tap);
	return e;
}

static enum err on_detail(void *ctx, const struct imap_row *row)
{
	struct batch *b = ctx;
	for (unsigned i = 0; i < b->count; i++) {
		struct detailed *it = &b->items[i];
		if (it->item->message->uid != row->uid)
			continue;
		AUTO_BUF struct buf kept = BUF_INIT;
		passage_flags(b->transfer, row->flags, &kept);
		it->flags = arena_strndup(b->arena, kept.data, kept.len);
		it->date = arena_strdup(b->arena, row->date);
		it->there = true;
		passage_note(b->transfer, it->item, kept.data, row->date);
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
		for (unsigned i = 0; i < b->count; i++) {
			uint32_t uid = b->items[i].item->message->uid;
			ranges[i] = (struct imap_range){uid, uid};
		}
		enum err e = imap_fetch_rows(l->session, ranges, b->count, IMAP_FETCH_FLAGS | IMAP_FETCH_DATE,
		    NULL, on_detail, b, &rows);
		if (e == ERR_OK)
			return ERR_OK;
		e = imap_session_alive(l->session) ? link_again(l, e) : passage_revive(b->transfer);
		if (e != ERR_OK)
			return e;
	}
}

static enum err ended(const struct transfer *t)
{
	if (stop_signal() != 0)
		return ERR_CLOSED;
	return passage_must_end(t, 0) ? ERR_TOO_BIG : ERR_OK;
}

/* One item, until it is done or its tries are spent. */
static enum err copy_one(struct transfer *t, struct detailed *it)
{
	enum err e = ended(t);
	while (e == ERR_OK && it->item->state == ITEM_SINGLE && it->item->breaks < TRIES_MAX) {
		unsigned busy = it->busy;
		passage_pace(t, 0, 0);
		e = pass(t, it);
		if (it->item->state == ITEM_SINGLE && it->busy == busy)
			it->item->breaks++;
		if (e == ERR_OK)
			e = passage_revive(t);
		if (e != ERR_OK)
			return e;
		/* What breaks connections may be this one message: its tries are limited, the next one's
		 * anew. */
		link_worked(t->source);
		link_worked(t->destination);
		e = ended(t);
	}
	if (it->item->state != ITEM_SINGLE)
		return e;
	const struct passage_facts facts = facts_of(it, it->item->message->size);
	if (e == ERR_OK && it->no_body)
		passage_not_fetched(t, it->item, &facts, "the connection broke at every try");
	else if (e == ERR_OK)
		passage_refused(t, it->item, &facts);
	return e;
}

static enum err copy_batch(struct batch *b)
{
	struct transfer *t = b->transfer;
	enum err e = read_details(b);
	for (unsigned i = 0; e == ERR_OK && i < b->count; i++) {
		if (!b->items[i].there)
			passage_vanished(t, b->items[i].item);
		else
			e = copy_one(t, &b->items[i]);
	}
	return e == ERR_OK ? ended(t) : e;
}

enum err single_run(struct transfer *t)
{
	struct batch b = {.transfer = t};
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < t->count && e == ERR_OK;) {
		AUTO_ARENA struct arena *a = arena_new();
		b.arena = a;
		b.count = 0;
		for (; i < t->count && b.count < BATCH; i++) {
			if (t->items[i].state == ITEM_SINGLE)
				b.items[b.count++] =
				    (struct detailed){.item = &t->items[i], .flags = "", .date = ""};
		}
		if (b.count > 0)
			e = copy_batch(&b);
	}
	return e;
}
