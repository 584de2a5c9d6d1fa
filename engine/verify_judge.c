#include "engine/verify_group.h"

#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "engine/digest.h"
#include "engine/listing.h"
#include "engine/output.h"
#include "engine/selection.h"
#include "engine/stop.h"
#include "engine/verify_words.h"

#define AHEAD_BYTES (4 * 1024 * 1024)
#define ASKED_MAX 1000 /* messages of a run asked for one by one */
#define TWINS_MAX 8    /* identical-looking messages whose contents are compared for one */

/* ---- contents ---- */

static const struct origin *origin_of(const struct group *g, uint32_t index)
{
	unsigned i = 0;
	while (i + 1 < g->origin_count && index >= g->origins[i].first + g->origins[i].count)
		i++;
	return &g->origins[i];
}

static enum err read_here(struct group *g, uint32_t index, struct digest_pair *d)
{
	const struct origin *o = origin_of(g, index);
	struct link *l = g->v->source;
	enum err e = ERR_OK;

	if (l->selected == NULL || strcmp(l->selected, o->name) != 0)
		e = link_select(l, o->name, true);
	if (e == ERR_OK && l->mailbox.uidvalidity != o->uidvalidity)
		e = ERR_LOST;
	return e == ERR_OK ? digest_read(l, g->here.items[index].uid, d) : e;
}

static enum err read_there(struct group *g, uint32_t index, struct digest_pair *d)
{
	return digest_read(g->v->destination, g->there.items[index].uid, d);
}

/* The contents of some pairs that follow each other, read before they are judged. */
struct ahead {
	uint32_t indices[DIGESTS_MAX]; /* in here */
	struct digest_pair here[DIGESTS_MAX];
	struct digest_pair there[DIGESTS_MAX];
	unsigned count;
	unsigned used;
};

/* The pairs from index on, as many as are of bounded size together. */
static enum err read_ahead(struct group *g, uint32_t index, struct ahead *a)
{
	uint32_t uids[2][DIGESTS_MAX];
	uint64_t bytes = 0;
	struct link *source = g->v->source;

	a->count = a->used = 0;
	for (; index < g->here.count && a->count < DIGESTS_MAX && bytes < AHEAD_BYTES; index++) {
		const struct message *m = &g->here.items[index];
		if (m->partner == MESSAGE_UNPAIRED)
			continue;
		uids[0][a->count] = m->uid;
		uids[1][a->count] = g->there.items[m->partner].uid;
		a->indices[a->count++] = index;
		bytes += m->size;
	}
	digest_ask(source, uids[0], a->count);
	digest_ask(g->v->destination, uids[1], a->count);
	enum err e = digest_take(source, uids[0], a->count, a->here);
	/* what was asked for is read in any case */
	enum err there = digest_take(g->v->destination, uids[1], a->count, a->there);
	return e != ERR_OK ? e : there;
}

/* Both contents of a pair, read ahead where all are wanted and UIDs name messages. */
static enum err read_pair(
    struct group *g, uint32_t index, struct ahead *a, struct digest_pair *here, struct digest_pair *there)
{
	enum err e = ERR_OK;

	if (g->origin_count > 1 || g->v->report->options->verify != VERIFY_CONTENT) {
		e = read_here(g, index, here);
		return e == ERR_OK ? read_there(g, g->here.items[index].partner, there) : e;
	}
	if (a->used == a->count)
		e = read_ahead(g, index, a);
	if (e != ERR_OK)
		return e;
	*here = a->here[a->used];
	*there = a->there[a->used];
	return a->indices[a->used++] == index ? ERR_OK : ERR_INTERNAL;
}

/* ---- judging ---- */

static enum err say(struct group *g, enum fault fault, uint32_t index)
{
	struct verify *v = g->v;
	bool surplus = fault == FAULT_DOUBLED;
	struct link *l = surplus ? v->destination : v->source;
	const struct message *m = surplus ? &g->there.items[index] : &g->here.items[index];
	struct verify_words words = {.from = "", .subject = ""};
	AUTO_ARENA struct arena *a = arena_new();
	struct fault_words w = {.folder = g->to, .side = 1};
	enum err e = ERR_OK;

	if (!surplus) {
		w.folder = origin_of(g, index)->name;
		w.side = 0;
	}
	if (tally_wants_words(&v->tally)) {
		if (l->selected == NULL || strcmp(l->selected, w.folder) != 0)
			e = link_select(l, w.folder, true);
		if (e == ERR_OK)
			e = verify_words_read(l, m->uid, a, &words);
	}
	w.from = words.from;
	w.subject = words.subject;
	tally_fault(&v->tally, fault, m, &w);
	return e;
}

/* What became of a source message since it was listed, or since the run began. */
enum fate {
	FATE_THERE,
	FATE_GONE,  /* deleted or moved away meanwhile: nothing is asked of the destination */
	FATE_FILED, /* put here after the run began, whenever it arrived at first: only few servers can tell
		     */
};

static enum err on_saved(void *ctx, const struct imap_row *row)
{
	*(int64_t *)ctx = listing_date(row->saved);
	return ERR_OK;
}

static enum err fetch_one(struct link *l, uint32_t uid, unsigned item, int64_t *saved_s, uint64_t *rows_r)
{
	const struct imap_range one = {.first = uid, .last = uid};
	enum err e = imap_fetch_rows(l->session, &one, 1, item, NULL, on_saved, saved_s, rows_r);

	if (e != ERR_OK && imap_session_alive(l->session))
		*rows_r = 1; /* it says nothing of the message */
	return e == ERR_OK || imap_session_alive(l->session) ? ERR_OK : link_revive(l);
}

static enum err ask_fate(struct group *g, uint32_t index, enum fate *fate_r)
{
	const struct origin *o = origin_of(g, index);
	int64_t began_s = (int64_t)g->v->report->options->newer_than_s;
	struct link *l = g->v->source;
	uint32_t uid = g->here.items[index].uid;
	int64_t saved_s = 0;
	uint64_t rows = 0;
	enum err e = ERR_OK;

	*fate_r = FATE_THERE;
	if (g->v->asked++ >= ASKED_MAX)
		return ERR_OK;
	if (l->selected == NULL || strcmp(l->selected, o->name) != 0)
		e = link_select(l, o->name, true);
	/* a server shows a client the mailbox as that saw it last; a failure shows at the next command */
	if (e == ERR_OK)
		(void)!imap_noop(l->session);
	if (e == ERR_OK && began_s != 0 && imap_session_can(l->session, "SAVEDATE"))
		e = fetch_one(l, uid, IMAP_FETCH_SAVED, &saved_s, &rows);
	if (saved_s > began_s && saved_s < unix_now_s() + VERIFY_FUTURE_S)
		*fate_r = FATE_FILED;
	/* no answer may also mean no such date */
	if (e != ERR_OK || rows > 0)
		return e;
	e = fetch_one(l, uid, IMAP_FETCH_FLAGS, &saved_s, &rows);
	if (e == ERR_OK && rows == 0)
		*fate_r = FATE_GONE;
	return e;
}

/* A pair one of which could not be read. */
static enum err judge_unread(struct group *g, uint32_t index)
{
	enum fate fate;
	enum err e = ask_fate(g, index, &fate);

	if (e == ERR_OK && fate == FATE_GONE)
		g->gone++;
	else if (e == ERR_OK)
		g->count.unread++;
	return e;
}

static enum err judge_pair(struct group *g, uint32_t index, struct ahead *ahead)
{
	const struct message *m = &g->here.items[index];
	const struct message *copy = &g->there.items[m->partner];
	bool contents = g->v->report->options->verify == VERIFY_CONTENT || m->size != copy->size;
	struct digest_pair a;
	struct digest_pair b;

	if (contents) {
		enum err e = read_pair(g, index, ahead, &a, &b);
		if (e != ERR_OK)
			return e;
		if (!a.known || !b.known)
			return judge_unread(g, index);
		if (!digest_same_kept(&a, &b)) {
			g->count.altered++;
			return say(g, FAULT_ALTERED, index);
		}
		g->count.marked += b.marked && !a.marked;
		/* some servers tell another size than they hand out: then the bytes are as they were */
		g->count.relined += !digest_same(&a, &b) && b.marked == a.marked;
	}
	g->count.redated += m->date_s != copy->date_s;
	g->count.verified++;
	return ERR_OK;
}

static int compare_key(const void *a, const void *b, void *list)
{
	const struct message_list *l = list;
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;
	int c = memcmp(l->items[x].id.key, l->items[y].id.key, sizeof(l->items[x].id.key));
	return c != 0 ? c : (x > y) - (x < y);
}

/* The first of by_key that has m's key, or the first behind where it would be. */
static uint32_t first_of_key(struct group *g, const struct message *m)
{
	uint32_t low = 0;
	uint32_t high = g->here.count;

	if (g->by_key == NULL) {
		g->by_key = mem_array(g->here.count > 0 ? g->here.count : 1, sizeof(*g->by_key));
		for (uint32_t i = 0; i < g->here.count; i++)
			g->by_key[i] = i;
		if (g->here.count > 0)
			qsort_r(g->by_key, g->here.count, sizeof(*g->by_key), compare_key, &g->here);
	}
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (memcmp(g->here.items[g->by_key[middle]].id.key, m->id.key, sizeof(m->id.key)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool same_key(const struct message *a, const struct message *b)
{
	return memcmp(a->id.key, b->id.key, sizeof(a->id.key)) == 0;
}

/*
 * Whether m, of either side and without a partner, is what a source message with a partner is: by its content
 * where the sizes agree, and, with by_date, by its arrival date where they do not (a copy that was cut
 * short).
 */
static enum err has_twin(struct group *g, const struct message *m, bool by_date, bool *twin_r)
{
	struct digest_pair mine;
	bool read = false;
	unsigned compared = 0;

	*twin_r = false;
	for (uint32_t at = first_of_key(g, m); at < g->here.count && compared < TWINS_MAX && !*twin_r; at++) {
		uint32_t index = g->by_key[at];
		const struct message *other = &g->here.items[index];
		struct digest_pair its;
		if (!same_key(other, m))
			break;
		if (other == m || other->partner == MESSAGE_UNPAIRED || other->id.hint != m->id.hint)
			continue;
		if (other->size != m->size) {
			*twin_r = by_date && other->date_s == m->date_s;
			continue;
		}
		enum err e = ERR_OK;
		if (!read)
			e = by_date ? read_there(g, (uint32_t)(m - g->there.items), &mine)
				    : read_here(g, (uint32_t)(m - g->here.items), &mine);
		read = true;
		if (e == ERR_OK)
			e = read_here(g, index, &its);
		if (e != ERR_OK)
			return e;
		*twin_r = digest_same_kept(&mine, &its);
		compared++;
	}
	return ERR_OK;
}

static enum err judge_missing(struct group *g, uint32_t index)
{
	const struct message *m = &g->here.items[index];
	const struct origin *o = origin_of(g, index);
	enum fate fate;
	bool twin;

	if (m->unselected || !selection_takes_size(g->v->report->options, m->size)) {
		g->count.left_out++;
		return ERR_OK;
	}
	enum err e = has_twin(g, m, false, &twin);
	if (e != ERR_OK)
		return e;
	if (twin) {
		g->count.repeated++;
		g->count.verified++;
		return ERR_OK;
	}
	if (o->newer_uid != 0 && m->uid >= o->newer_uid) {
		g->count.newer++;
		return ERR_OK;
	}
	e = ask_fate(g, index, &fate);
	if (e != ERR_OK)
		return e;
	if (fate != FATE_THERE) {
		g->gone += fate == FATE_GONE;
		g->count.newer += fate == FATE_FILED;
		return ERR_OK;
	}
	if (g->unlisted_there > 0) {
		g->unlisted_there--;
		g->count.unread++;
		return ERR_OK;
	}
	g->count.missing++;
	return say(g, FAULT_MISSING, index);
}

static enum err judge_surplus(struct group *g, uint32_t index)
{
	bool twin;
	enum err e = has_twin(g, &g->there.items[index], true, &twin);

	if (e != ERR_OK)
		return e;
	if (!twin) {
		g->count.extra++;
		return ERR_OK;
	}
	g->count.doubled++;
	return say(g, FAULT_DOUBLED, index);
}

enum err verify_judge(struct group *g)
{
	struct ahead ahead = {.count = 0};
	enum err e = ERR_OK;

	g->gone = 0;
	for (uint32_t i = 0; i < g->here.count && e == ERR_OK && stop_signal() == 0; i++) {
		out_alive(
		    "Host1: folder [%s] %u of %u messages compared", g->origins[0].name, i, g->here.count);
		e = g->here.items[i].partner != MESSAGE_UNPAIRED ? judge_pair(g, i, &ahead)
								 : judge_missing(g, i);
	}
	for (uint32_t i = 0; i < g->there.count && e == ERR_OK && stop_signal() == 0; i++) {
		if (g->there.items[i].partner == MESSAGE_UNPAIRED)
			e = judge_surplus(g, i);
	}
	g->count.compared += g->here.count - g->gone;
	return stop_signal() != 0 ? ERR_CLOSED : e;
}
