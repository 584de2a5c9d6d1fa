#include "engine/spare.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "lib/mem.h"
#include "engine/selection.h"

/* Sorted, for bsearch(3). */
struct numbers {
	uint64_t *items;
	uint32_t count;
};

static int compare_number(const void *a, const void *b)
{
	const uint64_t *x = a;
	const uint64_t *y = b;
	return (*x > *y) - (*x < *y);
}

static int compare_key(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(((struct identity *)0)->key));
}

static bool is_left_behind(const struct options *o, const struct message *m)
{
	return m->partner == MESSAGE_UNPAIRED && (m->unselected || !selection_takes_size(o, m->size));
}

/* Of what is left behind: sizes or dates. */
static struct numbers numbers_of(const struct options *o, const struct message_list *l, bool dates)
{
	struct numbers n = {.items = mem_array(l->count + 1, sizeof(*n.items))};
	for (uint32_t i = 0; i < l->count; i++) {
		const struct message *m = &l->items[i];
		if (is_left_behind(o, m))
			n.items[n.count++] = dates ? (uint64_t)m->date_s : m->size;
	}
	qsort(n.items, n.count, sizeof(*n.items), compare_number);
	return n;
}

static bool has(const struct numbers *n, uint64_t number)
{
	return bsearch(&number, n->items, n->count, sizeof(number), compare_number) != NULL;
}

uint32_t spare_alike(const struct options *o, const struct message_list *here, struct message_list *there)
{
	const size_t key_size = sizeof(here->items[0].id.key);
	uint8_t *keys = mem_array(here->count + 1, key_size);
	struct numbers sizes = numbers_of(o, here, false);
	struct numbers dates = numbers_of(o, here, true);
	uint32_t key_count = 0;
	uint32_t spared = 0;

	for (uint32_t i = 0; i < here->count; i++) {
		if (here->items[i].identified)
			memcpy(keys + key_size * key_count++, here->items[i].id.key, key_size);
	}
	qsort(keys, key_count, key_size, compare_key);
	for (uint32_t i = 0; i < there->count; i++) {
		struct message *m = &there->items[i];
		if (m->partner != MESSAGE_UNPAIRED)
			continue;
		if (m->identified && bsearch(m->id.key, keys, key_count, key_size, compare_key) == NULL &&
		    !has(&sizes, m->size) && !has(&dates, (uint64_t)m->date_s))
			continue;
		m->partner = 0;
		spared++;
	}
	free(keys);
	free(sizes.items);
	free(dates.items);
	return spared;
}

enum err spare_print(const struct message_list *l, uint8_t print_r[SPARE_PRINT_BYTES])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool good = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;

	for (uint32_t i = 0; i < l->count && good; i++) {
		const struct message *m = &l->items[i];
		good = EVP_DigestUpdate(md, &m->uid, sizeof(m->uid)) == 1 &&
		       EVP_DigestUpdate(md, m->id.key, sizeof(m->id.key)) == 1;
	}
	good = good && EVP_DigestFinal_ex(md, print_r, NULL) == 1;
	EVP_MD_CTX_free(md);
	return good ? ERR_OK : ERR_CRYPTO;
}
