#include "config.h"

#include "engine/kin.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "engine/digest.h"
#include "engine/output.h"

/* Bytes asked for on one side while the other's are read. */
#define AHEAD_BYTES (1024 * 1024)

static bool is_stranger(const struct message *m, const struct message_list *there)
{
	if (m->partner >= there->count)
		return false;
	const struct message *other = &there->items[m->partner];
	return other->size != m->size && other->date_s != m->date_s;
}

/* ---- those unpaired, by key ---- */

struct open_list {
	struct message **items;
	uint32_t count;
};

static int compare_key(const void *a, const void *b)
{
	const struct message *x = *(struct message *const *)a;
	const struct message *y = *(struct message *const *)b;
	int c = memcmp(x->id.key, y->id.key, sizeof(x->id.key));
	return c != 0 ? c : (x->uid > y->uid) - (x->uid < y->uid);
}

static struct open_list open_of(struct message_list *l)
{
	struct open_list open = {0};
	for (uint32_t i = 0; i < l->count; i++)
		open.count += l->items[i].identified && l->items[i].partner == MESSAGE_UNPAIRED;
	if (open.count == 0)
		return open;
	open.items = mem_array(open.count, sizeof(struct message *));
	open.count = 0;
	for (uint32_t i = 0; i < l->count; i++) {
		if (l->items[i].identified && l->items[i].partner == MESSAGE_UNPAIRED)
			open.items[open.count++] = &l->items[i];
	}
	qsort(open.items, open.count, sizeof(struct message *), compare_key);
	return open;
}

static int compare_keys(const struct message *a, const struct message *b)
{
	return memcmp(a->id.key, b->id.key, sizeof(a->id.key));
}

/* The first two of one key at or behind *i and *j; false when there are none. */
static bool find_common(const struct open_list *here, const struct open_list *there, uint32_t *i, uint32_t *j)
{
	while (*i < here->count && *j < there->count) {
		int c = compare_keys(here->items[*i], there->items[*j]);
		if (c == 0)
			return true;
		*i += c < 0;
		*j += c > 0;
	}
	return false;
}

bool kin_doubtful(struct message_list *here, struct message_list *there)
{
	for (uint32_t i = 0; i < here->count; i++) {
		if (is_stranger(&here->items[i], there))
			return true;
	}
	struct open_list sources = open_of(here);
	struct open_list destinations = sources.count > 0 ? open_of(there) : (struct open_list){0};
	uint32_t i = 0;
	uint32_t j = 0;
	bool doubtful = find_common(&sources, &destinations, &i, &j);
	free(sources.items);
	free(destinations.items);
	return doubtful;
}

/* ---- contents ---- */

static void say_alive(const struct link *l)
{
	out_alive("%s: folder [%s] messages that look alike are compared", link_name(l), l->selected);
}

/* Partners to be read at the same time, on both sides: a round trip is waited for once. */
struct strangers {
	uint32_t uids[2][DIGESTS_MAX];
	uint32_t indices[DIGESTS_MAX]; /* in here */
	unsigned count;
	uint64_t bytes;
};

static enum err part_read(struct link *source, struct link *destination, const struct strangers *s,
    struct message_list *here, struct message_list *there)
{
	struct digest_pair a[DIGESTS_MAX];
	struct digest_pair b[DIGESTS_MAX];

	say_alive(source);
	digest_ask(source, s->uids[0], s->count);
	digest_ask(destination, s->uids[1], s->count);
	enum err e = digest_take(source, s->uids[0], s->count, a);
	/* what was asked for is read in any case */
	enum err e_there = digest_take(destination, s->uids[1], s->count, b);
	if (e != ERR_OK || e_there != ERR_OK)
		return e != ERR_OK ? e : e_there;
	for (unsigned i = 0; i < s->count; i++) {
		struct message *m = &here->items[s->indices[i]];
		if (!a[i].known || !b[i].known || digest_same_lines(&a[i], &b[i]))
			continue;
		there->items[m->partner].partner = MESSAGE_UNPAIRED;
		m->partner = MESSAGE_UNPAIRED;
	}
	return ERR_OK;
}

enum err kin_part(
    struct link *source, struct link *destination, struct message_list *here, struct message_list *there)
{
	struct strangers s = {0};
	enum err e = ERR_OK;

	for (uint32_t i = 0; i < here->count && e == ERR_OK; i++) {
		const struct message *m = &here->items[i];
		if (!is_stranger(m, there))
			continue;
		s.uids[0][s.count] = m->uid;
		s.uids[1][s.count] = there->items[m->partner].uid;
		s.indices[s.count++] = i;
		s.bytes += m->size;
		if (s.count < DIGESTS_MAX && s.bytes < AHEAD_BYTES)
			continue;
		e = part_read(source, destination, &s, here, there);
		s.count = 0;
		s.bytes = 0;
	}
	return e == ERR_OK && s.count > 0 ? part_read(source, destination, &s, here, there) : e;
}

struct kin {
	struct link *links[2];
	struct message_list *lists[2];
};

/* One key: sources[0..n) with destinations[0..m), each read once. */
static enum err pair_key(
    struct kin *k, struct message **sources, uint32_t n, struct message **destinations, uint32_t m)
{
	struct digest_pair *theirs = mem_array(m, sizeof(*theirs));
	enum err e = ERR_OK;

	for (uint32_t j = 0; j < m && e == ERR_OK; j++) {
		say_alive(k->links[1]);
		e = digest_read(k->links[1], destinations[j]->uid, &theirs[j]);
	}
	for (uint32_t i = 0; i < n && e == ERR_OK; i++) {
		struct digest_pair mine = {0};
		say_alive(k->links[0]);
		e = digest_read(k->links[0], sources[i]->uid, &mine);
		for (uint32_t j = 0; j < m && e == ERR_OK; j++) {
			if (destinations[j]->partner != MESSAGE_UNPAIRED ||
			    !digest_same_lines(&mine, &theirs[j]))
				continue;
			sources[i]->partner = (uint32_t)(destinations[j] - k->lists[1]->items);
			destinations[j]->partner = (uint32_t)(sources[i] - k->lists[0]->items);
			break;
		}
	}
	free(theirs);
	return e;
}

static uint32_t key_end(const struct open_list *l, uint32_t from)
{
	uint32_t end = from + 1;
	while (end < l->count && compare_keys(l->items[from], l->items[end]) == 0)
		end++;
	return end;
}

enum err kin_pair(
    struct link *source, struct link *destination, struct message_list *here, struct message_list *there)
{
	struct kin k = {.links = {source, destination}, .lists = {here, there}};
	struct open_list sources = open_of(here);
	struct open_list destinations = sources.count > 0 ? open_of(there) : (struct open_list){0};
	enum err e = ERR_OK;

	for (uint32_t i = 0, j = 0; e == ERR_OK && find_common(&sources, &destinations, &i, &j);) {
		uint32_t next_i = key_end(&sources, i);
		uint32_t next_j = key_end(&destinations, j);
		e = pair_key(&k, sources.items + i, next_i - i, destinations.items + j, next_j - j);
		i = next_i;
		j = next_j;
	}
	free(sources.items);
	free(destinations.items);
	return e;
}
