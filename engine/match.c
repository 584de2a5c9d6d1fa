#include "config.h"

#include "engine/match.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* What two messages of one key must share, beside it, to be one. */
enum alike { ALIKE_HINT = 1, ALIKE_SIZE = 2, ALIKE_DATE = 4 };

static const unsigned passes[] = {
    ALIKE_HINT | ALIKE_SIZE | ALIKE_DATE,
    ALIKE_SIZE | ALIKE_DATE,
    ALIKE_HINT | ALIKE_SIZE,
    ALIKE_HINT | ALIKE_DATE,
    ALIKE_DATE,
};

/* For a destination that kept neither size nor date of anything. */
static const unsigned last_passes[] = {ALIKE_HINT};

struct by_key {
	struct message **items;
	uint32_t count;
};

void message_list_free(struct message_list *l)
{
	free(l->items);
	*l = (struct message_list){0};
}

struct message *message_list_add(struct message_list *l, uint32_t uid)
{
	if (l->count == l->cap) {
		l->cap = l->cap == 0 ? 64 : l->cap * 2;
		l->items = mem_resize(l->items, l->cap, sizeof(*l->items));
	}
	struct message *m = &l->items[l->count++];
	*m = (struct message){.uid = uid, .partner = MESSAGE_UNPAIRED};
	return m;
}

static int compare_uid(const void *a, const void *b)
{
	const struct message *x = a;
	const struct message *y = b;
	return (x->uid > y->uid) - (x->uid < y->uid);
}

struct message *message_list_find(struct message_list *l, uint32_t uid)
{
	struct message wanted = {.uid = uid};
	return l->count == 0 ? NULL : bsearch(&wanted, l->items, l->count, sizeof(*l->items), compare_uid);
}

void message_list_sort(struct message_list *l)
{
	uint32_t kept = 0;
	/* as a rule they come in order, and sorting takes half the room again */
	bool sorted = true;
	for (uint32_t i = 1; i < l->count && sorted; i++)
		sorted = l->items[i - 1].uid < l->items[i].uid;
	if (sorted)
		return;
	qsort(l->items, l->count, sizeof(*l->items), compare_uid);
	for (uint32_t i = 0; i < l->count; i++) {
		if (kept == 0 || l->items[kept - 1].uid != l->items[i].uid)
			l->items[kept++] = l->items[i];
	}
	l->count = kept;
}

uint32_t message_list_drop_unknown(struct message_list *l)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < l->count; i++) {
		if (l->items[i].known)
			l->items[kept++] = l->items[i];
	}
	uint32_t dropped = l->count - kept;
	l->count = kept;
	return dropped;
}

/* By key, and by UID among equals: what was copied first is recognised first. */
static int compare_key(const void *a, const void *b)
{
	const struct message *x = *(struct message *const *)a;
	const struct message *y = *(struct message *const *)b;
	int c = memcmp(x->id.key, y->id.key, sizeof(x->id.key));
	return c != 0 ? c : compare_uid(x, y);
}

static struct by_key sort_by_key(const struct message_list *l)
{
	struct by_key sorted = {.items = mem_array(l->count, sizeof(*sorted.items))};
	for (uint32_t i = 0; i < l->count; i++) {
		if (l->items[i].identified)
			sorted.items[sorted.count++] = &l->items[i];
	}
	if (sorted.count > 0)
		qsort(sorted.items, sorted.count, sizeof(*sorted.items), compare_key);
	return sorted;
}

static uint32_t group_end(const struct by_key *s, uint32_t from)
{
	uint32_t end = from + 1;
	while (end < s->count &&
	       memcmp(s->items[from]->id.key, s->items[end]->id.key, sizeof(s->items[end]->id.key)) == 0)
		end++;
	return end;
}

static int compare_number(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* By what must be alike alone. */
static int compare_alike(const struct message *a, const struct message *b, unsigned what)
{
	int c = 0;
	if ((what & ALIKE_HINT) != 0)
		c = compare_number(a->id.hint, b->id.hint);
	if (c == 0 && (what & ALIKE_SIZE) != 0)
		c = compare_number(a->size, b->size);
	if (c == 0 && (what & ALIKE_DATE) != 0)
		c = compare_number((uint64_t)a->date_s, (uint64_t)b->date_s);
	return c;
}

/* For qsort_r: what is paired already last, then what must be alike, then UID. */
static int compare_open(const void *a, const void *b, void *what)
{
	const struct message *x = *(struct message *const *)a;
	const struct message *y = *(struct message *const *)b;
	int c = (x->partner != MESSAGE_UNPAIRED) - (y->partner != MESSAGE_UNPAIRED);
	if (c == 0)
		c = compare_alike(x, y, *(const unsigned *)what);
	return c != 0 ? c : compare_uid(x, y);
}

struct pairing {
	struct message_list *source;
	struct message_list *destination;
	uint32_t strict; /* pairs alike in everything */
};

/* One key: first[0..n) with second[0..m), the open ones that are alike, in order of UID. */
static uint32_t pair_group(
    struct pairing *p, struct message **first, uint32_t n, struct message **second, uint32_t m, unsigned what)
{
	uint32_t pairs = 0;
	uint32_t i = 0;
	uint32_t j = 0;

	qsort_r(first, n, sizeof(*first), compare_open, &what);
	qsort_r(second, m, sizeof(*second), compare_open, &what);
	while (i < n && j < m && first[i]->partner == MESSAGE_UNPAIRED &&
	       second[j]->partner == MESSAGE_UNPAIRED) {
		int c = compare_alike(first[i], second[j], what);
		if (c == 0) {
			first[i]->partner = (uint32_t)(second[j] - p->destination->items);
			second[j]->partner = (uint32_t)(first[i] - p->source->items);
			pairs++;
		}
		i += c <= 0;
		j += c >= 0;
	}
	return pairs;
}

/* Every key both sides have, through the given passes. */
static void pair_all(struct pairing *p, const struct by_key *source, const struct by_key *destination,
    const unsigned *what, size_t count)
{
	uint32_t i = 0;
	uint32_t j = 0;
	while (i < source->count && j < destination->count) {
		int c = memcmp(source->items[i]->id.key, destination->items[j]->id.key,
		    sizeof(source->items[i]->id.key));
		uint32_t next_i = c <= 0 ? group_end(source, i) : i;
		uint32_t next_j = c >= 0 ? group_end(destination, j) : j;
		for (size_t k = 0; c == 0 && k < count; k++) {
			uint32_t pairs = pair_group(
			    p, source->items + i, next_i - i, destination->items + j, next_j - j, what[k]);
			if (what[k] == (ALIKE_HINT | ALIKE_SIZE | ALIKE_DATE))
				p->strict += pairs;
		}
		i = next_i;
		j = next_j;
	}
}

void match_messages(struct message_list *source, struct message_list *destination)
{
	struct pairing p = {.source = source, .destination = destination};
	struct by_key sources = sort_by_key(source);
	struct by_key destinations = sort_by_key(destination);

	pair_all(&p, &sources, &destinations, passes, sizeof(passes) / sizeof(passes[0]));
	if (p.strict == 0)
		pair_all(
		    &p, &sources, &destinations, last_passes, sizeof(last_passes) / sizeof(last_passes[0]));
	free(sources.items);
	free(destinations.items);
}

void message_list_keep_unpaired(struct message_list *l)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < l->count; i++) {
		if (l->items[i].partner == MESSAGE_UNPAIRED && !l->items[i].unselected)
			l->items[kept++] = l->items[i];
	}
	if (kept == 0)
		message_list_free(l);
	else if (kept < l->count)
		l->items = mem_resize(l->items, kept, sizeof(*l->items));
	if (kept > 0)
		l->count = l->cap = kept;
}

uint32_t match_duplicates(const struct message_list *l)
{
	struct by_key sorted = sort_by_key(l);
	uint32_t duplicates = 0;
	for (uint32_t i = 0; i < sorted.count;) {
		uint32_t end = group_end(&sorted, i);
		duplicates += end - i - 1;
		i = end;
	}
	free(sorted.items);
	return duplicates;
}
