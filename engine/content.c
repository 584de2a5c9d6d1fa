#include "config.h"

#include "engine/content.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

#include "lib/mem.h"
#include "engine/kin.h"
#include "engine/output.h"

/* How many pairs of different size are looked into; where there are more, the server does that to messages.
 */
#define ODD_PAIRS_MAX 20

/* Servers are known to trim a message's end, which is no cut. */
#define TRIMMED_MAX 8

struct digest {
	uint8_t bytes[16]; /* half a SHA-256 */
	uint64_t length;   /* carriage returns not counted */
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

/* A body on its way into a digest, or a part of it; carriage returns do not count. */
struct reading {
	EVP_MD_CTX *md;
	uint64_t at;
	uint64_t from; /* digested are the bytes from here */
	uint64_t to;   /* up to here */
};

static enum err on_begin(void *ctx, uint64_t size)
{
	struct reading *r = ctx;
	(void)size;
	r->at = 0;
	return EVP_DigestInit_ex(r->md, EVP_sha256(), NULL) == 1 ? ERR_OK : ERR_CRYPTO;
}

static enum err add(struct reading *r, const char *bytes, size_t len)
{
	uint64_t end = r->at + len;
	uint64_t from = r->at > r->from ? r->at : r->from;
	uint64_t to = end < r->to ? end : r->to;
	bool good = from >= to || EVP_DigestUpdate(r->md, bytes + (from - r->at), (size_t)(to - from)) == 1;
	r->at = end;
	return good ? ERR_OK : ERR_CRYPTO;
}

static enum err on_piece(void *ctx, const char *bytes, size_t len)
{
	while (len > 0) {
		const char *cr = memchr(bytes, '\r', len);
		size_t n = cr == NULL ? len : (size_t)(cr - bytes);
		enum err e = add(ctx, bytes, n);
		if (e != ERR_OK)
			return e;
		n += cr != NULL;
		bytes += n;
		len -= n;
	}
	return ERR_OK;
}

/* The part of the message between from and to; d stays unknown for one that cannot be read. */
static enum err digest_part(struct side *s, uint32_t index, uint64_t from, uint64_t to, struct digest *d)
{
	uint8_t full[EVP_MAX_MD_SIZE];
	while (!d->asked) {
		struct reading r = {.md = EVP_MD_CTX_new(), .from = from, .to = to};
		const struct imap_sink sink = {.begin = on_begin, .piece = on_piece, .ctx = &r};
		enum err e = imap_fetch_body(s->link->session, s->list->items[index].uid, &sink);
		d->known = e == ERR_OK && EVP_DigestFinal_ex(r.md, full, NULL) == 1;
		d->length = r.at;
		EVP_MD_CTX_free(r.md);
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

/* Reads the message once; what cannot be read stays unknown. */
static enum err digest_of(struct side *s, uint32_t index, const struct digest **digest_r)
{
	if (s->digests == NULL)
		s->digests = mem_array(s->list->count, sizeof(*s->digests));
	*digest_r = &s->digests[index];
	return digest_part(s, index, 0, UINT64_MAX, &s->digests[index]);
}

static bool equal(const struct digest *a, const struct digest *b)
{
	return a->known && b->known && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
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
		*same_r = equal(a, b);
	return e;
}

/* Whether two parts, of one message each, are equal. */
static enum err same_part(struct settling *s, uint32_t here, uint64_t here_to, uint32_t there,
    uint64_t there_from, uint64_t there_to, bool *same_r)
{
	struct digest a = {0};
	struct digest b = {0};
	enum err e = digest_part(&s->here, here, 0, here_to, &a);
	if (e == ERR_OK)
		e = digest_part(&s->there, there, there_from, there_to, &b);
	*same_r = e == ERR_OK && equal(&a, &b);
	return e;
}

/*
 * Whether the destination's message is what a copier leaves that was cut inside it: its first bytes, or
 * these and then the whole.  Any other difference is a server's doing, or the mark of a copier.
 */
static enum err is_botched(struct settling *s, uint32_t here, uint32_t there, bool *botched_r)
{
	const struct digest *a = NULL;
	const struct digest *b = NULL;
	*botched_r = false;
	enum err e = digest_of(&s->here, here, &a);
	if (e == ERR_OK)
		e = digest_of(&s->there, there, &b);
	if (e != ERR_OK || a == NULL || b == NULL || !a->known || !b->known)
		return e;
	uint64_t whole = a->length;
	uint64_t held = b->length;
	if (held + TRIMMED_MAX < whole)
		return same_part(s, here, held, there, 0, held, botched_r);
	if (held <= whole || held > 2 * whole)
		return ERR_OK;
	e = same_part(s, here, whole, there, held - whole, held, botched_r);
	return e == ERR_OK && *botched_r ? same_part(s, here, held - whole, there, 0, held - whole, botched_r)
					 : e;
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

static bool is_odd_pair(const struct message *m, const struct message_list *there)
{
	return m->partner < there->count && there->items[m->partner].size != m->size;
}

/* Whether pairs of different size are few enough to be looked into. */
static bool has_odd_pairs(const struct message_list *here, const struct message_list *there)
{
	uint32_t odd = 0;
	for (uint32_t i = 0; i < here->count; i++)
		odd += is_odd_pair(&here->items[i], there);
	return odd > 0 && (odd <= ODD_PAIRS_MAX || odd <= here->count / 10);
}

/* What some copier left in pieces is nobody's partner. */
static enum err part_botched(struct settling *s)
{
	if (!has_odd_pairs(s->here.list, s->there.list))
		return ERR_OK;
	for (uint32_t i = 0; i < s->here.list->count; i++) {
		struct message *m = &s->here.list->items[i];
		bool botched;
		if (!is_odd_pair(m, s->there.list))
			continue;
		out_alive("Host1: folder [%s] messages that look alike are compared", s->here.link->selected);
		enum err e = is_botched(s, i, m->partner, &botched);
		if (e != ERR_OK)
			return e;
		if (!botched)
			continue;
		out("Host2: folder [%s] msg %u is no whole copy of msg %u of host1", s->there.link->selected,
		    s->there.list->items[m->partner].uid, m->uid);
		s->there.list->items[m->partner].partner = MESSAGE_UNPAIRED;
		m->partner = MESSAGE_UNPAIRED;
	}
	return ERR_OK;
}

bool content_doubtful(struct message_list *here, struct message_list *there)
{
	struct settling s = {.there = {.list = there}};
	bool doubtful = has_odd_pairs(here, there) || kin_doubtful(here, there);
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

enum err content_settle(struct link *source, struct link *destination, struct message_list *here,
    struct message_list *there, bool pieces)
{
	struct settling s = {
	    .here = {.link = source, .list = here},
	    .there = {.link = destination, .list = there},
	    .by_size = sorted_by_size(there),
	};
	enum err e = pieces ? part_botched(&s) : ERR_OK;
	if (e == ERR_OK)
		e = kin_part(source, destination, here, there);
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
	return e == ERR_OK ? kin_pair(source, destination, here, there) : e;
}
