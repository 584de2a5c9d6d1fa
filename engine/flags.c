#include "engine/flags.h"

#include <stddef.h>
#include <stdlib.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/mem.h"
#include "engine/output.h"

#define BATCH 200 /* messages whose flags are asked for at once */

struct change {
	uint32_t from_uid;
	uint32_t to_uid;
	const char *flags; /* NULL until the source told */
};

struct changes {
	struct link *source;
	struct link *destination;
	struct arena *arena;
	struct change items[BATCH];
	unsigned count;
};

static enum err on_flags(void *ctx, const struct imap_row *row)
{
	struct changes *c = ctx;
	for (unsigned i = 0; i < c->count; i++) {
		if (c->items[i].from_uid != row->uid)
			continue;
		AUTO_BUF struct buf kept = BUF_INIT;
		imap_flags_keepable(row->flags, &c->destination->mailbox, &kept);
		c->items[i].flags = arena_strndup(c->arena, kept.data, kept.len);
	}
	return ERR_OK;
}

static enum err read_flags(struct changes *c)
{
	struct imap_range ranges[BATCH];
	for (unsigned i = 0; i < c->count; i++)
		ranges[i] = (struct imap_range){.first = c->items[i].from_uid, .last = c->items[i].from_uid};
	for (;;) {
		uint64_t rows = 0;
		enum err e = imap_fetch_rows(
		    c->source->session, ranges, c->count, IMAP_FETCH_FLAGS, NULL, on_flags, c, &rows);
		if (e == ERR_OK)
			return ERR_OK;
		e = link_again(c->source, e);
		if (e != ERR_OK)
			return e;
	}
}

static enum err store(struct changes *c, const struct change *one)
{
	struct link *to = c->destination;
	out_alive("Host2: folder [%s] flags are being brought up to date", to->selected);
	for (;;) {
		enum err e = imap_store(to->session, one->to_uid, IMAP_STORE_SET, one->flags);
		if (e == ERR_OK) {
			link_worked(to);
			return ERR_OK;
		}
		e = link_again(to, e);
		if (e == ERR_OK)
			continue;
		if (to->session == NULL || !imap_session_alive(to->session))
			return e;
		AUTO_ARENA struct arena *a = arena_new();
		report_error(to->report, ERROR_FLAGS, "Host2: flags msg %s/%u could not add flags [%s]: %s",
		    to->selected, one->to_uid, one->flags, link_why(to, a));
		return report_is_full(to->report) ? ERR_TOO_BIG : ERR_OK;
	}
}

static enum err apply(struct changes *c)
{
	AUTO_ARENA struct arena *a = arena_new();
	if (c->count == 0)
		return ERR_OK;
	c->arena = a;
	enum err e = read_flags(c);
	for (unsigned i = 0; i < c->count && e == ERR_OK; i++) {
		if (c->items[i].flags != NULL)
			e = store(c, &c->items[i]);
	}
	c->count = 0;
	return e;
}

void flags_compare(
    const struct message_list *here, const struct message_list *there, struct flag_list *list_r)
{
	uint32_t cap = 0;
	*list_r = (struct flag_list){0};
	for (uint32_t i = 0; i < here->count; i++) {
		const struct message *m = &here->items[i];
		if (m->partner >= there->count || m->unselected)
			continue;
		const struct message *other = &there->items[m->partner];
		if (m->flags == other->flags && m->keywords == other->keywords)
			continue;
		if (list_r->count == cap) {
			cap = cap == 0 ? 64 : 2 * cap;
			list_r->items = mem_resize(list_r->items, cap, sizeof(*list_r->items));
		}
		list_r->items[list_r->count++] =
		    (struct flag_change){.from_uid = m->uid, .to_uid = other->uid};
	}
}

void flag_list_free(struct flag_list *l)
{
	free(l->items);
	*l = (struct flag_list){0};
}

enum err flags_resync(struct link *source, struct link *destination, const struct flag_list *list)
{
	struct changes c = {.source = source, .destination = destination};
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < list->count && e == ERR_OK; i++) {
		c.items[c.count++] =
		    (struct change){.from_uid = list->items[i].from_uid, .to_uid = list->items[i].to_uid};
		if (c.count == BATCH)
			e = apply(&c);
	}
	return e != ERR_OK ? e : apply(&c);
}
