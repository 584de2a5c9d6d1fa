#include "config.h"

#include "engine/lookup.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/mem.h"
#include "engine/listing.h"
#include "engine/output.h"

#define LOOKUPS_MAX 3
#define LOOKUP_WAIT_S 1

/* Messages new on the destination, each to be accounted for once. */
struct arrivals {
	struct message_list list;
	bool *taken;
};

static void arrivals_free(struct arrivals *a)
{
	message_list_free(&a->list);
	free(a->taken);
}

static int compare_uid(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* What the answers told the UIDs of is accounted for. */
static void take_known(const struct transfer *t, struct arrivals *a)
{
	uint32_t *uids = mem_array(t->count + 1, sizeof(*uids));
	uint32_t count = 0;
	for (uint32_t i = 0; i < t->count; i++) {
		if (t->items[i].stored_uid != 0)
			uids[count++] = t->items[i].stored_uid;
	}
	qsort(uids, count, sizeof(*uids), compare_uid);
	for (uint32_t i = 0; i < a->list.count; i++)
		a->taken[i] = bsearch(&a->list.items[i].uid, uids, count, sizeof(*uids), compare_uid) != NULL;
	free(uids);
}

/* One arrival of this identity, now taken; its UID, or 0. */
static uint32_t take(struct arrivals *a, const struct identity *id)
{
	for (uint32_t i = 0; i < a->list.count; i++) {
		if (a->taken[i] || memcmp(a->list.items[i].id.key, id->key, sizeof(id->key)) != 0)
			continue;
		a->taken[i] = true;
		return a->list.items[i].uid;
	}
	return 0;
}

static enum err look(struct transfer *t, struct lost *lost, unsigned count, unsigned *open_r)
{
	__attribute__((cleanup(arrivals_free))) struct arrivals a = {0};
	uint32_t unlisted;
	enum err e =
	    listing_read(t->destination, &t->destination->mailbox, t->first_new_uid, &a.list, &unlisted);
	if (e != ERR_OK)
		return e;
	a.taken = mem_array(a.list.count + 1, sizeof(*a.taken));
	take_known(t, &a);
	for (uint32_t i = 0; i < t->count; i++) {
		const struct item *item = &t->items[i];
		if (item->message->partner == MESSAGE_COPIED && item->stored_uid == 0)
			(void)take(&a, &item->message->id);
	}
	*open_r = 0;
	for (unsigned i = 0; i < count; i++) {
		struct item *item = lost[i].item;
		if (item->state == ITEM_DONE)
			continue;
		uint32_t uid = item->message->identified ? take(&a, &item->message->id) : 0;
		if (uid == 0 && lost[i].whole_known)
			uid = take(&a, &lost[i].whole);
		if (uid != 0)
			passage_copied(t, item, lost[i].size, uid);
		else
			(*open_r)++;
	}
	return ERR_OK;
}

/* The folder selected, and the same one as before. */
static enum err look_at_folder(struct transfer *t)
{
	struct link *l = t->destination;
	enum err e = link_revive(l);
	if (e == ERR_OK && (l->selected == NULL || strcmp(l->selected, t->to) != 0))
		e = link_select(l, t->to, false);
	if (e == ERR_OK && l->mailbox.uidvalidity != t->there.uidvalidity)
		e = ERR_LOST;
	return e;
}

enum err lookup_lost(struct transfer *t, struct lost *lost, unsigned count, bool patient)
{
	unsigned open = count;
	enum err e = count == 0 ? ERR_OK : look_at_folder(t);
	for (unsigned i = 0; e == ERR_OK && open > 0 && i < (patient ? LOOKUPS_MAX : 1); i++) {
		const struct timespec pause = {.tv_sec = i > 0 ? LOOKUP_WAIT_S : 0};
		(void)nanosleep(&pause, NULL);
		e = look(t, lost, count, &open);
	}
	if (count > 0)
		out("Host2: the answer to storing %u messages of %s was lost; %s", count, passage_from(t),
		    e != ERR_OK ? "it is not known whether they are there"
		    : open == 0 ? "they are there"
				: "what is not there is copied again");
	return e;
}
