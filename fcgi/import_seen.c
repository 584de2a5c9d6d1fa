#include "fcgi/import_seen.h"

#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/token.h"

enum { KEY_BYTES = 16, FIRST_SLOTS = 1024 };

struct slot {
	unsigned char key[KEY_BYTES]; /* of SHA-256: two mailboxes do not meet in it */
	uint64_t mark;                /* 0: free */
};

struct import_seen {
	struct slot *slots;
	size_t size, used; /* size: a power of two */
	struct buf text;   /* kept between calls */
};

struct import_seen *import_seen_new(void)
{
	struct import_seen *s = mem_alloc(sizeof(*s));

	s->size = FIRST_SLOTS;
	s->slots = mem_array(s->size, sizeof(*s->slots));
	s->text = (struct buf)BUF_INIT;
	return s;
}

void import_seen_free(struct import_seen **s)
{
	if (*s == NULL)
		return;
	free((*s)->slots);
	buf_free(&(*s)->text);
	free(*s);
	*s = NULL;
}

/* The key's slot, or the free one where it belongs. */
static struct slot *find(struct slot *slots, size_t size, const unsigned char *key)
{
	size_t at;

	memcpy(&at, key, sizeof(at));
	for (;; at++) {
		struct slot *slot = &slots[at & (size - 1)];

		if (slot->mark == 0 || memcmp(slot->key, key, KEY_BYTES) == 0)
			return slot;
	}
}

static void grow(struct import_seen *s)
{
	size_t size = s->size * 2;
	struct slot *slots = mem_array(size, sizeof(*slots));

	for (size_t i = 0; i < s->size; i++)
		if (s->slots[i].mark != 0)
			*find(slots, size, s->slots[i].key) = s->slots[i];
	free(s->slots);
	s->slots = slots;
	s->size = size;
}

static void add_lower(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++)
		buf_addc(b, *s >= 'A' && *s <= 'Z' ? (char)(*s + 32) : *s);
	buf_addc(b, '\0');
}

static void make_key(struct import_seen *s, const struct import_mailboxes *m, unsigned char *hash_r)
{
	buf_clear(&s->text);
	add_lower(&s->text, m->src_host);
	add_lower(&s->text, m->src_user);
	add_lower(&s->text, m->dst_host);
	add_lower(&s->text, m->dst_user);
	token_hash(s->text.data, s->text.len, hash_r);
}

uint64_t import_seen_find(struct import_seen *s, const struct import_mailboxes *m)
{
	unsigned char hash[TOKEN_HASH_BYTES];

	make_key(s, m, hash);
	return find(s->slots, s->size, hash)->mark;
}

uint64_t import_seen_add(struct import_seen *s, const struct import_mailboxes *m, uint64_t mark)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	struct slot *slot;

	make_key(s, m, hash);
	if (s->used * 4 >= s->size * 3)
		grow(s);
	slot = find(s->slots, s->size, hash);
	if (slot->mark != 0)
		return slot->mark;
	memcpy(slot->key, hash, KEY_BYTES);
	slot->mark = mark;
	s->used++;
	return 0;
}
