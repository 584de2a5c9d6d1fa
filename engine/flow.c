#include "config.h"

#include "engine/flow.h"

#include <stdlib.h>

#include "lib/buf.h"
#include "lib/mem.h"
#include "engine/group.h"
#include "engine/output.h"
#include "engine/stop.h"

/* How far ahead bodies are asked for: enough for a fast line with a long way, and no more to read and drop
 * when it was in vain. */
#define AHEAD_BYTES (8 * 1024 * 1024)
#define SET_BYTES (1024 * 1024) /* of one command */
#define SETS_MAX 16

struct flow {
	struct transfer *t;
	struct groups groups;
	uint32_t next;        /* items before it are not waiting */
	uint32_t asked;       /* items whose bodies are to come */
	uint64_t asked_bytes; /* of them, as listed */
	bool no_more;         /* nothing more is asked for */

	/* the body being handed out */
	struct item *item;
	enum err append; /* what the destination's side failed with */
	bool begun;      /* it is in a group */
};

static struct item *item_of(const struct transfer *t, uint32_t uid)
{
	uint32_t low = 0;
	uint32_t high = t->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (t->items[middle].message->uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < t->count && t->items[low].message->uid == uid ? &t->items[low] : NULL;
}

static void not_asked_any_more(struct flow *f, struct item *item, enum item_state state)
{
	if (item->state != ITEM_ASKED)
		return;
	item->state = (uint8_t)state;
	f->asked--;
	f->asked_bytes -= item->message->size;
	if (state == ITEM_WAITING && (uint32_t)(item - f->t->items) < f->next)
		f->next = (uint32_t)(item - f->t->items);
}

/* ---- asking ---- */

static enum err ask_set(struct flow *f)
{
	struct transfer *t = f->t;
	uint32_t uids[IMAP_BODIES_MAX];
	unsigned count = 0;
	uint64_t bytes = 0;
	uint32_t at = f->next;
	for (; at < t->count && count < IMAP_BODIES_MAX && bytes < SET_BYTES; at++) {
		if (t->items[at].state != ITEM_WAITING)
			continue;
		uids[count++] = t->items[at].message->uid;
		bytes += t->items[at].message->size;
	}
	if (count > 0) {
		enum err e = imap_fetch_bodies_send(t->source->session, uids, count, true);
		if (e != ERR_OK)
			return e;
	}
	for (; f->next < at; f->next++) {
		if (t->items[f->next].state != ITEM_WAITING)
			continue;
		t->items[f->next].state = ITEM_ASKED;
		f->asked++;
	}
	f->asked_bytes += bytes;
	return ERR_OK;
}

/* As much as may be under way.  A connection found dead is told by whoever reads from it. */
static enum err ask(struct flow *f)
{
	enum err e = ERR_OK;
	if (f->asked_bytes > AHEAD_BYTES / 2 && f->asked > IMAP_BODIES_MAX)
		return ERR_OK;
	for (unsigned sets = 0;
	     e == ERR_OK && !f->no_more && f->next < f->t->count && sets < SETS_MAX &&
	     (f->asked == 0 || f->asked_bytes < AHEAD_BYTES) && f->asked < SETS_MAX * IMAP_BODIES_MAX;
	     sets++)
		e = ask_set(f);
	return e;
}

/* ---- one body ---- */

/* Whether the server may be giving another message's body under this UID, or none. */
static bool suspicious(
    const struct flow *f, const struct item *item, const struct imap_row *row, uint64_t size)
{
	const struct imap_mailbox *m = imap_selected(f->t->source->session);
	if (passage_may_be_stand_in(f->t, item, size))
		return true;
	return f->t->numbered && m != NULL && m->expunged == 0 && row->number != item->message->number;
}

static enum err on_begin(void *ctx, uint64_t size)
{
	struct flow *f = ctx;
	struct transfer *t = f->t;
	const struct imap_row *row = imap_fetching_details(t->source->session);
	AUTO_BUF struct buf kept = BUF_INIT;

	f->item = item_of(t, imap_fetching(t->source->session));
	if (f->item == NULL || f->item->state != ITEM_ASKED || suspicious(f, f->item, row, size) ||
	    row->flags == NULL || row->date == NULL)
		return ERR_PROTOCOL;
	passage_flags(t, row->flags, &kept);
	passage_note(t, f->item, kept.data, row->date);
	f->append = group_begin(&f->groups, f->item, kept.data, row->date, size);
	f->begun = f->append == ERR_OK;
	return f->append;
}

static enum err on_piece(void *ctx, const char *bytes, size_t len)
{
	struct flow *f = ctx;
	f->append = group_piece(&f->groups, bytes, len);
	return f->append;
}

/* The source's connection is gone: what it had begun takes the destination's command with it. */
static enum err source_broke(struct flow *f)
{
	struct transfer *t = f->t;
	struct item *culprit = f->begun ? f->item : NULL;
	enum err e = f->begun ? group_abort(&f->groups) : group_end(&f->groups);
	t->numbered = false;
	for (uint32_t i = 0; i < t->count && f->asked > 0; i++) {
		if (t->items[i].state != ITEM_ASKED && &t->items[i] != culprit)
			continue;
		if (culprit == NULL)
			culprit = &t->items[i];
		not_asked_any_more(f, &t->items[i], ITEM_WAITING);
	}
	/* whether or not it is this message that breaks connections: it is not asked for here again */
	if (culprit != NULL && culprit->state == ITEM_WAITING) {
		culprit->state = ITEM_SINGLE;
		culprit->breaks++;
	}
	return e == ERR_OK ? passage_revive(t) : e;
}

/* A body came whole, or did not, over a connection that stands. */
static enum err judge(struct flow *f, uint32_t uid, enum err e)
{
	struct transfer *t = f->t;
	struct item *item = f->item != NULL ? f->item : item_of(t, uid);
	if (e == ERR_OK && f->begun && item != NULL && item->message->uid == uid) {
		not_asked_any_more(f, item, ITEM_SENT);
		return group_done(&f->groups);
	}
	if (item != NULL)
		not_asked_any_more(f, item, ITEM_SINGLE);
	if (!imap_session_alive(t->destination->session))
		return group_broke(&f->groups);
	if (f->begun)
		return group_abort(&f->groups);
	return f->append != ERR_OK ? group_refused(&f->groups) : ERR_OK;
}

static void give_up_asked(struct flow *f)
{
	for (uint32_t i = 0; i < f->t->count && f->asked > 0; i++)
		not_asked_any_more(f, &f->t->items[i], ITEM_SINGLE);
}

static enum err take_one(struct flow *f)
{
	const struct imap_sink sink = {.begin = on_begin, .piece = on_piece, .ctx = f};
	struct imap_session *from = f->t->source->session;
	uint32_t uid = 0;

	f->item = NULL;
	f->begun = false;
	f->append = ERR_OK;
	enum err e = imap_fetch_body_next(from, &sink, &uid);
	if (!imap_session_alive(from))
		return source_broke(f);
	/* the server is through with all commands and we are not: what is left is asked for alone */
	if (uid == 0 && imap_session_failure(from)->cause == IMAP_INTERNAL)
		give_up_asked(f);
	return judge(f, uid, e);
}

/* Nothing more is asked for; what is under way is dropped. */
static void cease(struct flow *f, enum item_state state)
{
	f->no_more = true;
	if (f->asked > 0)
		(void)!imap_fetch_bodies_drop(f->t->source->session);
	for (uint32_t i = 0; i < f->t->count; i++) {
		not_asked_any_more(f, &f->t->items[i], state);
		if (f->t->items[i].state == ITEM_WAITING)
			f->t->items[i].state = (uint8_t)state;
	}
}

static enum err run(struct flow *f)
{
	for (;;) {
		enum err e = ask(f);
		if (e != ERR_OK && imap_session_alive(f->t->source->session))
			return e;
		if (f->asked == 0 && (e == ERR_OK || imap_session_alive(f->t->source->session)))
			return ERR_OK;
		e = take_one(f);
		if (e != ERR_OK)
			return e;
		/* what lies on its way counts as transferred: no limit is overrun by what is sent ahead */
		if (passage_must_end(f->t, groups_bytes(&f->groups)))
			return stop_signal() != 0 ? ERR_CLOSED : ERR_TOO_BIG;
		if (f->groups.full)
			cease(f, ITEM_SINGLE);
		passage_pace(f->t, groups_bytes(&f->groups), groups_messages(&f->groups));
	}
}

static struct flow *flow_new(struct transfer *t)
{
	struct flow *f = mem_alloc(sizeof(*f));
	f->t = t;
	f->groups.t = t;
	return f;
}

void flow_forget(struct transfer *t)
{
	if (t->flow == NULL)
		return;
	groups_free(&t->flow->groups);
	free(t->flow);
	t->flow = NULL;
}

void flow_moved(struct transfer *t)
{
	if (t->flow != NULL)
		t->flow->t = t->flow->groups.t = t;
}

void flow_ask_ahead(struct transfer *t)
{
	t->flow = flow_new(t);
	(void)!ask(t->flow);
}

static bool any(const struct transfer *t, enum item_state state)
{
	for (uint32_t i = 0; i < t->count; i++) {
		if (t->items[i].state == state)
			return true;
	}
	return false;
}

/* All bodies have come: until their answers have, the source may be of use to another. */
static void lend(struct transfer *t)
{
	if (t->idle != NULL && !any(t, ITEM_WAITING) && !any(t, ITEM_SINGLE) && !passage_must_end(t, 0))
		t->lent = t->idle(t->ctx);
}

/* Once through; what a broken destination gave back waits again. */
static enum err run_once(struct transfer *t)
{
	if (t->flow == NULL)
		t->flow = flow_new(t);
	struct flow *f = t->flow;
	enum err e = run(f);

	if (e == ERR_OK || e == ERR_TOO_BIG) {
		enum err ended = group_end(&f->groups);
		if (ended == ERR_OK && e == ERR_OK)
			lend(t);
		if (ended == ERR_OK)
			ended = groups_settle(&f->groups);
		e = ended == ERR_OK ? e : ended;
	}
	if (e == ERR_TOO_BIG)
		cease(f, ITEM_WAITING);
	flow_forget(t);
	return e;
}

/* The source is needed again for what did not pass. */
static enum err reclaim(struct transfer *t)
{
	if (!t->lent)
		return ERR_OK;
	t->lent = false;
	t->numbered = false;
	return t->reclaim(t->ctx);
}

enum err flow_run(struct transfer *t)
{
	enum err e = ERR_OK;
	while (e == ERR_OK && (t->flow != NULL || any(t, ITEM_WAITING))) {
		e = reclaim(t);
		if (e == ERR_OK)
			e = run_once(t);
	}
	if (e == ERR_OK && any(t, ITEM_SINGLE))
		e = reclaim(t);
	return e;
}
