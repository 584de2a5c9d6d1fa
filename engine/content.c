#include "config.h"

#include "engine/content.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

#include "lib/mem.h"
#include "engine/output.h"

struct digest {
	uint8_t bytes[16]; /* half a SHA-256 */
	bool asked;
	bool known; /* false for a message that could not be had: it equals nothing */
};

struct side {
	struct link *link;
	struct message_list *list;
	struct digest *digests; /* one for each message; NULL until the first is needed */
};

struct settling {
	struct side here;
	struct side there;
	uint32_t *by_size; /* indices in there.list, by size, then date */
};

static enum err on_begin(void *ctx, uint64_t size)
{
	(void)size;
	return EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 ? ERR_OK : ERR_CRYPTO;
}

static enum err on_piece(void *ctx, const char *bytes, size_t len)
{
	while (len > 0) {
		const char *cr = memchr(bytes, '\r', len);
		size_t n = cr == NULL ? len : (size_t)(cr - bytes);
		if (EVP_DigestUpdate(ctx, bytes, n) != 1)
			return ERR_CRYPTO;
		n += cr != NULL;
		bytes += n;
		len -= n;
	}
	return ERR_OK;
}

/* Reads the message once; what cannot be read stays unknown. */
static enum err digest_of(struct side *s, uint32_t index, const struct digest **digest_r)
{
	uint8_t full[EVP_MAX_MD_SIZE];
	if (s->digests == NULL)
		s->digests = mem_array(s->list->count, sizeof(*s->digests));
	struct digest *d = &s->digests[index];
	*digest_r = d;
	while (!d->asked) {
		EVP_MD_CTX *md = EVP_MD_CTX_new();
		const struct imap_sink sink = {.begin = on_begin, .piece = on_piece, .ctx = md};
		enum err e = imap_fetch_body(s->link->session, s->list->items[index].uid, &sink);
		d->known = e == ERR_OK && EVP_DigestFinal_ex(md, full, NULL) == 1;
		EVP_MD_CTX_free(md);
		if (d->known)
			memcpy(d->bytes, full, sizeof(d->bytes));
		d->asked = imap_session_alive(s->link->session);
		if (d->asked)
			link_worked(s->link);
		e = d->asked ? ERR_OK : link_revive(s->link);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

static enum err same_content(struct settling *s, uint32_t here, uint32_t there, bool *same_r)
{
	const struct digest *a;
	const struct digest *b;
	*same_r = false;
	enum err e = digest_of(&s->here, here, &a);
	if (e == ERR_OK)
		e = digest_of(&s->there, there, &b);
	if (e == ERR_OK)
		*same_r = a->known && b->known && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
	return e;
}

static int compare_size(const struct message *a, const struct message *b)
{
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return (a->date_s > b->date_s) - (a->date_s < b->date_s);
}

static int compare_index(const void *a, const void *b, void *list)
{
	const struct message_list *l = list;
	return compare_size(&l->items[*(const uint32_t *)a], &l->items[*(const uint32_t *)b]);
}

static bool alike_in_all(const struct message *a, const struct message *b)
{
	return memcmp(a->id.key, b->id.key, sizeof(a->id.key)) == 0 && a->id.hint == b->id.hint &&
	       compare_size(a, b) == 0;
}

/* The first of by_size that is not before m in size and date. */
static uint32_t first_of_size(const struct settling *s, const struct message *m)
{
	uint32_t low = 0;
	uint32_t high = s->there.list->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (compare_size(&s->there.list->items[s->by_size[middle]], m) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void pair(struct settling *s, uint32_t here, uint32_t there)
{
	s->here.list->items[here].partner = there;
	s->there.list->items[there].partner = here;
}

/*
 * The destination message that holds what the unpaired here holds, if any, becomes its partner.  *freed_r:
 * the source message that had this partner wrongly and is unpaired now, or MESSAGE_UNPAIRED.
 */
static enum err settle_one(struct settling *s, uint32_t here, uint32_t *freed_r)
{
	const struct message *m = &s->here.list->items[here];
	*freed_r = MESSAGE_UNPAIRED;
	for (uint32_t i = first_of_size(s, m); i < s->there.list->count; i++) {
		uint32_t there = s->by_size[i];
		const struct message *other = &s->there.list->items[there];
		uint32_t owner = other->partner;
		bool same;
		bool owned;
		if (compare_size(other, m) != 0)
			return ERR_OK;
		if (owner != MESSAGE_UNPAIRED && !alike_in_all(&s->here.list->items[owner], m))
			continue;
		enum err e = same_content(s, here, there, &same);
		if (e != ERR_OK)
			return e;
		if (!same)
			continue;
		if (owner == MESSAGE_UNPAIRED) {
			pair(s, here, there);
			return ERR_OK;
		}
		e = same_content(s, owner, there, &owned);
		if (e != ERR_OK)
			return e;
		if (owned)
			continue;
		s->here.list->items[owner].partner = MESSAGE_UNPAIRED;
		pair(s, here, there);
		*freed_r = owner;
		return ERR_OK;
	}
	return ERR_OK;
}

static void free_all(struct settling *s)
{
	free(s->here.digests);
	free(s->there.digests);
	free(s->by_size);
}

/* by_size, filled and sorted; the caller frees it. */
static uint32_t *sorted_by_size(struct message_list *l)
{
	uint32_t *by_size = mem_array(l->count, sizeof(*by_size));
	for (uint32_t i = 0; i < l->count; i++)
		by_size[i] = i;
	if (l->count > 0)
		qsort_r(by_size, l->count, sizeof(*by_size), compare_index, l);
	return by_size;
}

bool content_doubtful(const struct message_list *here, struct message_list *there)
{
	struct settling s = {.there = {.list = there}};
	bool doubtful = false;
	for (uint32_t i = 0; i < here->count && there->count > 0 && !doubtful; i++) {
		if (here->items[i].partner != MESSAGE_UNPAIRED)
			continue;
		if (s.by_size == NULL)
			s.by_size = sorted_by_size(there);
		uint32_t at = first_of_size(&s, &here->items[i]);
		doubtful =
		    at < there->count && compare_size(&there->items[s.by_size[at]], &here->items[i]) == 0;
	}
	free(s.by_size);
	return doubtful;
}

enum err content_settle(
    struct link *source, struct link *destination, struct message_list *here, struct message_list *there)
{
	struct settling s = {
	    .here = {.link = source, .list = here},
	    .there = {.link = destination, .list = there},
	    .by_size = sorted_by_size(there),
	};
	enum err e = ERR_OK;
	for (uint32_t i = 0; i < here->count && e == ERR_OK; i++) {
		/* Each time one is freed a wrong pair became a right one: this ends. */
		uint32_t open = here->items[i].partner == MESSAGE_UNPAIRED ? i : MESSAGE_UNPAIRED;
		while (open != MESSAGE_UNPAIRED && e == ERR_OK) {
			out_alive(
			    "Host1: folder [%s] messages that look alike are compared", source->selected);
			e = settle_one(&s, open, &open);
		}
	}
	free_all(&s);
	return e;
}
