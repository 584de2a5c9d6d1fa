#include "engine/refresh.h"

#include "lib/buf.h"

/* More searches than this for what is gone would cost more than to be told the flags of all. */
#define SEARCHES_MAX 64

/* number marks what is still there. */
static enum err on_flags(void *ctx, const struct imap_row *row)
{
	struct refresh *r = ctx;
	struct message *m = message_list_find(r->list, row->uid);
	AUTO_BUF struct buf kept = BUF_INIT;
	const char *flags = row->flags;

	if (m == NULL) {
		r->strange = true;
		return ERR_OK;
	}
	if (r->keeper != NULL) {
		imap_flags_keepable(flags, r->keeper, &kept);
		flags = kept.data;
	}
	listing_flags(flags, &m->flags, &m->keywords);
	m->number = 1;
	return ERR_OK;
}

static uint32_t first_from(const struct message_list *l, uint32_t uid)
{
	uint32_t low = 0;
	uint32_t high = l->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (l->items[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void on_there(void *ctx, uint32_t first, uint32_t last)
{
	struct refresh *r = ctx;
	uint32_t at = first_from(r->list, first);
	uint32_t marked = 0;
	for (; at < r->list->count && r->list->items[at].uid <= last; at++, marked++)
		r->list->items[at].number = 1;
	r->strange = r->strange || marked != last - first + 1;
}

/* Flags of those with UIDs up to last that changed since, 0: of all. */
static enum err read_flags(struct refresh *r, uint32_t last, uint64_t since)
{
	const struct imap_range range = {.first = 1, .last = last};
	struct link *l = r->link;
	for (;;) {
		uint64_t rows = 0;
		enum err e =
		    since > 0
			? imap_fetch_changed(l->session, &range, since, IMAP_FETCH_FLAGS, on_flags, r)
			: imap_fetch_rows(l->session, &range, 1, IMAP_FETCH_FLAGS, NULL, on_flags, r, &rows);
		if (e == ERR_OK)
			link_worked(l);
		if (e == ERR_OK)
			return ERR_OK;
		e = link_again(l, e);
		if (e != ERR_OK)
			return e;
	}
}

/* How many searches it takes to be told of all; with fn, does them. */
static enum err search(struct refresh *r, bool really, unsigned *count_r)
{
	uint32_t end;
	*count_r = 0;
	for (uint32_t i = 0; i < r->list->count; i = first_from(r->list, end)) {
		uint32_t first = r->list->items[i].uid;
		end = first > UINT32_MAX - IMAP_SEARCH_WIDTH ? UINT32_MAX : first + IMAP_SEARCH_WIDTH;
		(*count_r)++;
		enum err e =
		    really ? imap_search_uids(r->link->session, first, end - 1, on_there, r) : ERR_OK;
		if (e != ERR_OK)
			return e;
		if (end == UINT32_MAX)
			break;
	}
	return ERR_OK;
}

/* Which are still there is marked. */
static enum err mark_there(struct refresh *r, uint32_t last)
{
	struct imap_session *s = r->link->session;
	unsigned searches = 0;
	if (imap_session_can(s, "ESEARCH") && search(r, false, &searches) == ERR_OK &&
	    searches <= SEARCHES_MAX && search(r, true, &searches) == ERR_OK)
		return ERR_OK;
	if (!imap_session_alive(s)) {
		enum err e = link_revive(r->link);
		if (e != ERR_OK)
			return e;
	}
	return read_flags(r, last, 0);
}

static void drop_unmarked(struct message_list *l)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < l->count; i++) {
		if (l->items[i].number == 1)
			l->items[kept++] = l->items[i];
	}
	l->count = kept;
}

static void unmark(struct message_list *l)
{
	for (uint32_t i = 0; i < l->count; i++)
		l->items[i].number = 0;
}

/* What is not new of the list: gone ones out, flags as they are.  *modseq_r: as of when. */
static enum err refresh_old(
    struct refresh *r, const struct state_side *s, const struct imap_mailbox *now, bool flags, bool gone)
{
	uint32_t last = s->uidnext - 1;
	bool all = flags && (s->modseq == 0 || now->modseq == 0);
	enum err e = ERR_OK;

	if (r->list->count == 0)
		return ERR_OK;
	if (all)
		e = read_flags(r, last, 0);
	else if (gone)
		e = mark_there(r, last);
	if (e == ERR_OK && (all || gone))
		drop_unmarked(r->list);
	if (e == ERR_OK && flags && !all && now->modseq != s->modseq)
		e = read_flags(r, last, s->modseq);
	unmark(r->list);
	return e;
}

static void append_list(struct message_list *l, const struct message_list *more)
{
	for (uint32_t i = 0; i < more->count; i++)
		*message_list_add(l, more->items[i].uid) = more->items[i];
}

/* Numbers as the folder selected has them, if it is as listed. */
static void number(struct message_list *l)
{
	for (uint32_t i = 0; i < l->count; i++)
		l->items[i].number = i + 1;
}

enum err refresh_side(struct refresh *r, const struct state_side *kept, bool flags,
    struct imap_mailbox *now_r, uint32_t *unlisted_r, bool *done_r)
{
	const struct imap_mailbox now = r->link->mailbox;
	struct state_side s = *kept;
	struct message_list more = {0};
	uint32_t unlisted = 0;
	enum err e = ERR_OK;

	*done_r = false;
	*now_r = now;
	if (s.uidvalidity == 0 || now.uidvalidity != s.uidvalidity || s.uidnext == 0 ||
	    (now.uidnext != 0 && now.uidnext < s.uidnext) || (now.modseq != 0 && now.modseq < s.modseq))
		return ERR_OK;
	if (now.uidnext != s.uidnext)
		e = listing_read(r->link, r->keeper, s.uidnext, &more, &unlisted);
	uint64_t known = (uint64_t)r->list->count + more.count + unlisted;
	if (e == ERR_OK && now.exists <= known) {
		e = refresh_old(r, &s, &now, flags, now.exists < known);
		append_list(r->list, &more);
		number(r->list);
		*unlisted_r += unlisted;
		*done_r = e == ERR_OK && !r->strange;
		/* flags that were not asked for are as old as they were */
		now_r->modseq = flags ? now.modseq : s.modseq;
	}
	message_list_free(&more);
	return e;
}
