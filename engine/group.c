#include "config.h"

#include "engine/group.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "engine/output.h"

static struct imap_session *to(const struct groups *g)
{
	return g->t->destination->session;
}

static unsigned under_way_max(const struct groups *g)
{
	if (!imap_append_ahead(to(g)))
		return 0;
	return imap_append_groups(to(g)) ? GROUPS_MAX : APPENDS_MAX;
}

/* Every message of the group takes this state. */
static void disband(struct group *group, enum item_state state)
{
	for (unsigned i = 0; i < group->count; i++) {
		if (group->members[i].item->state == ITEM_SENT)
			group->members[i].item->state = (uint8_t)state;
	}
	group->count = 0;
}

/* ---- answers ---- */

static void stored(struct groups *g, struct group *group, const struct imap_append_answer *a)
{
	for (unsigned i = 0; i < group->count; i++) {
		uint32_t uid = imap_uid_at(a->uids, i);
		passage_copied(g->t, group->members[i].item, group->members[i].size, uid);
	}
	group->count = 0;
}

static void take_answer(struct groups *g, const struct imap_append_answer *a)
{
	for (unsigned i = 0; i < g->sent_count; i++) {
		struct group group = g->sent[i];
		if (group.id != a->id)
			continue;
		for (unsigned k = 0; k < group.count; k++)
			g->sent_bytes -= group.members[k].size;
		if (a->err == ERR_OK)
			stored(g, &group, a);
		else if (imap_session_failure(to(g))->cause == IMAP_QUOTA_EXCEEDED)
			g->full = true;
		disband(&group, ITEM_SINGLE);
		/* its room goes behind the others' */
		g->sent_count--;
		memmove(&g->sent[i], &g->sent[i + 1], (g->sent_count - i) * sizeof(g->sent[0]));
		g->sent[g->sent_count] = group;
		return;
	}
}

/* Answers that have come, and as many more as it takes to have at most max commands under way. */
static enum err collect(struct groups *g, unsigned max)
{
	while (g->sent_count > 0) {
		struct imap_append_answer a;
		enum err e = imap_append_answer(to(g), g->sent_count > max, &a);
		if (e != ERR_OK)
			return group_broke(g);
		if (!a.answered)
			return ERR_OK;
		take_answer(g, &a);
	}
	return ERR_OK;
}

/* ---- a message ---- */

static void make_room(struct group *group)
{
	if (group->members == NULL)
		group->members = mem_array(GROUP_MESSAGES_MAX, sizeof(*group->members));
}

enum err group_begin(struct groups *g, struct item *item, const char *flags, const char *date, uint64_t size)
{
	make_room(&g->open);
	if (g->open.count == 0) {
		g->opened = mono_now();
		g->open.id = ++g->last_id;
	}
	enum err e = imap_append_message(to(g), g->t->to, g->open.id, flags, date, size);
	if (e != ERR_OK)
		return e;
	g->open.members[g->open.count++] = (struct lost){.item = item, .size = size};
	g->open_bytes += size;
	tap_begin(&g->tap);
	return ERR_OK;
}

enum err group_piece(struct groups *g, const char *bytes, size_t len)
{
	tap_piece(&g->tap, bytes, len);
	return imap_append_write(to(g), bytes, len);
}

enum err group_end(struct groups *g)
{
	if (g->open.count == 0)
		return ERR_OK;
	/* the room of the last one kept goes to the group to come */
	struct group room = g->sent[g->sent_count];
	g->sent[g->sent_count++] = g->open;
	g->open = (struct group){.members = room.members};
	g->sent_bytes += g->open_bytes;
	g->open_bytes = 0;
	if (imap_append_end(to(g)) != ERR_OK)
		return group_broke(g);
	unsigned max = under_way_max(g);
	return collect(g, max > 0 ? max - 1 : 0);
}

enum err group_done(struct groups *g)
{
	struct lost *last = &g->open.members[g->open.count - 1];
	struct message *m = last->item->message;
	struct identity id;
	last->whole_known = tap_identity(&g->tap, &id, &last->whole);
	if (!m->identified && last->whole_known) {
		m->id = id;
		m->identified = true;
	}
	if (imap_append_groups(to(g)) && g->open.count < GROUP_MESSAGES_MAX &&
	    g->open_bytes < GROUP_BYTES_MAX && mono_diff_ms(g->opened, mono_now()) < GROUP_AGE_MS)
		return ERR_OK;
	return group_end(g);
}

/* ---- what goes wrong ---- */

enum err group_refused(struct groups *g)
{
	const struct imap_failure *f = imap_session_failure(to(g));
	/* a value no command can carry, or a size over the announced bound: nothing was said to the server */
	if (f->cause == IMAP_VALUE_INVALID || (f->cause == IMAP_MESSAGE_TOO_BIG && !f->from_server))
		return ERR_OK;
	g->full = g->full || f->cause == IMAP_QUOTA_EXCEEDED;
	g->open_bytes = 0;
	disband(&g->open, ITEM_SINGLE);
	return ERR_OK;
}

enum err group_abort(struct groups *g)
{
	if (g->open.count > 0) {
		g->open.count--;
		g->open_bytes -= g->open.members[g->open.count].size;
	}
	imap_append_abort(to(g));
	return group_broke(g);
}

enum err group_broke(struct groups *g)
{
	struct transfer *t = g->t;
	unsigned count = g->open.count;
	unsigned filled = 0;
	for (unsigned i = 0; i < g->sent_count; i++)
		count += g->sent[i].count;
	struct lost *lost = mem_array(count + 1, sizeof(*lost));
	for (unsigned i = 0; i < g->sent_count; i++) {
		for (unsigned k = 0; k < g->sent[i].count; k++)
			lost[filled++] = g->sent[i].members[k];
		g->sent[i].count = 0;
	}
	/* of a command that was not ended nothing may be stored: it is only looked, not waited for */
	bool patient = filled > 0;
	for (unsigned k = 0; k < g->open.count; k++)
		lost[filled++] = g->open.members[k];
	g->open.count = g->sent_count = 0;
	g->open_bytes = g->sent_bytes = 0;
	enum err e = passage_revive(t);
	if (e == ERR_OK)
		e = lookup_lost(t, lost, filled, patient);
	for (unsigned i = 0; i < filled; i++) {
		struct item *item = lost[i].item;
		if (item->state == ITEM_SENT)
			item->state = item->breaks++ == 0 ? ITEM_WAITING : ITEM_SINGLE;
	}
	free(lost);
	return e == ERR_OK ? ERR_OK : passage_revive(t);
}

enum err groups_settle(struct groups *g)
{
	return collect(g, 0);
}

uint64_t groups_bytes(const struct groups *g)
{
	return g->open_bytes + g->sent_bytes;
}

unsigned groups_messages(const struct groups *g)
{
	unsigned count = g->open.count;
	for (unsigned i = 0; i < g->sent_count; i++)
		count += g->sent[i].count;
	return count;
}

void groups_free(struct groups *g)
{
	for (unsigned i = 0; i < APPENDS_MAX; i++)
		free(g->sent[i].members);
	free(g->open.members);
	tap_free(&g->tap);
}
