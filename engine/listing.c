#include "config.h"

#include "engine/listing.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/buf.h"
#include "engine/output.h"

#define ALL_ITEMS (IMAP_FETCH_SIZE | IMAP_FETCH_FLAGS | IMAP_FETCH_DATE | IMAP_FETCH_HEADER)

struct reading {
	struct link *link;
	const char *folder;
	const struct imap_mailbox *mailbox; /* what the server said of it */
	bool overflow;                      /* more came than can be */
	struct message_list *list;
	const struct imap_mailbox *keeper;
	uint32_t last_uid;
	bool whole_header;
	struct folder_size size;
	struct message_list missed;
};

void listing_flags(const char *flags, uint8_t *flags_r, uint64_t *keywords_r)
{
	static const struct {
		const char *name;
		enum message_flag flag;
	} known[] = {
	    {"\\Seen", MESSAGE_SEEN},
	    {"\\Answered", MESSAGE_ANSWERED},
	    {"\\Flagged", MESSAGE_FLAGGED},
	    {"\\Deleted", MESSAGE_DELETED},
	    {"\\Draft", MESSAGE_DRAFT},
	};
	uint8_t bits = 0;
	uint64_t keywords = 0;
	while (*flags != '\0') {
		char word[256];
		size_t len = strcspn(flags, " ");
		if (len > 0 && len < sizeof(word)) {
			memcpy(word, flags, len);
			word[len] = '\0';
			if (word[0] != '\\')
				keywords = identity_of_words(keywords, word);
			for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
				if (strcasecmp(known[i].name, word) == 0)
					bits |= (uint8_t)known[i].flag;
			}
		}
		flags += len;
		flags += strspn(flags, " ");
	}
	*flags_r = bits;
	*keywords_r = keywords;
}

int64_t listing_date(const char *date)
{
	static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	char month[4];
	char sign;
	int zone;
	struct tm tm = {0};
	if (sscanf(date, "%2d-%3s-%4d %2d:%2d:%2d %c%4d", &tm.tm_mday, month, &tm.tm_year, &tm.tm_hour,
		&tm.tm_min, &tm.tm_sec, &sign, &zone) != 8)
		return 0;
	for (tm.tm_mon = 0; tm.tm_mon < 12; tm.tm_mon++) {
		if (strncasecmp(months + (size_t)tm.tm_mon * 3, month, 3) == 0)
			break;
	}
	if (tm.tm_mon == 12 || (sign != '+' && sign != '-'))
		return 0;
	tm.tm_year -= 1900;
	int64_t offset_s = ((int64_t)(zone / 100) * 60 + zone % 100) * 60;
	return (int64_t)timegm(&tm) - (sign == '-' ? -offset_s : offset_s);
}

bool listing_may_grow(uint64_t rows, uint32_t exists)
{
	return rows < (uint64_t)(exists < LISTING_MAX ? exists : LISTING_MAX) + LISTING_MORE_MAX;
}

/* A list without end is no list. */
static bool is_full(struct reading *r, uint64_t rows)
{
	r->overflow = r->overflow || !listing_may_grow(rows, r->mailbox->exists);
	return r->overflow;
}

static void say_progress(const struct reading *r)
{
	out_alive("%s: folder [%s] %llu of %u messages listed", link_name(r->link), r->folder,
	    (unsigned long long)(r->list != NULL ? r->list->count : r->size.messages), r->mailbox->exists);
}

/* The last one added is likeliest; else look from the end, where a server's repetition would be. */
static struct message *message_of(struct message_list *l, uint32_t uid)
{
	if (l->count > 0 && l->items[l->count - 1].uid < uid)
		return message_list_add(l, uid);
	for (uint32_t i = l->count; i > 0 && l->count - i < 1000; i--) {
		if (l->items[i - 1].uid == uid)
			return &l->items[i - 1];
	}
	return message_list_add(l, uid);
}

static enum err on_row(void *ctx, const struct imap_row *row)
{
	struct reading *r = ctx;
	AUTO_BUF struct buf kept = BUF_INIT;
	const char *flags = row->flags;
	enum err e;

	struct message *m =
	    r->whole_header ? message_list_find(r->list, row->uid) : message_of(r->list, row->uid);
	if (m == NULL)
		return ERR_OK;
	if (is_full(r, r->list->count))
		return ERR_TOO_BIG;
	if (r->keeper != NULL) {
		imap_flags_keepable(flags, r->keeper, &kept);
		flags = kept.data;
	}
	m->size = row->size;
	m->number = row->number;
	m->date_s = listing_date(row->date);
	listing_flags(flags, &m->flags, &m->keywords);
	/* servers disagree about which fields a malformed header has: the whole of it is asked the same */
	e = identity_from_fields(&m->id, row->header, row->header_len);
	if (e == ERR_NOT_FOUND && r->whole_header)
		e = identity_from_header(&m->id, row->header, row->header_len);
	m->known = m->identified = e == ERR_OK;
	if (row->uid > r->last_uid)
		r->last_uid = row->uid;
	say_progress(r);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* What the first reading did not bring. */
static enum err on_uid(void *ctx, const struct imap_row *row)
{
	struct reading *r = ctx;
	if (message_list_find(r->list, row->uid) == NULL)
		(void)message_list_add(&r->missed, row->uid);
	if (is_full(r, r->missed.count))
		return ERR_TOO_BIG;
	if (row->uid > r->last_uid)
		r->last_uid = row->uid;
	return ERR_OK;
}

static enum err on_sized(void *ctx, const struct imap_row *row)
{
	struct reading *r = ctx;
	struct message *m = message_of(r->list, row->uid);
	m->size = row->size;
	m->number = row->number;
	m->known = true;
	say_progress(r);
	return is_full(r, r->list->count) ? ERR_TOO_BIG : ERR_OK;
}

static enum err on_size(void *ctx, const struct imap_row *row)
{
	struct reading *r = ctx;
	r->size.messages++;
	r->size.bytes += row->size;
	if (row->size > r->size.biggest)
		r->size.biggest = row->size;
	if (row->uid > r->last_uid)
		r->last_uid = row->uid;
	say_progress(r);
	return is_full(r, r->size.messages) ? ERR_TOO_BIG : ERR_OK;
}

/* UIDs from the given one on, continued behind the last one seen when the connection drops. */
static enum err read_from(
    struct reading *r, uint32_t from, unsigned items, const char *fields, imap_row_fn fn)
{
	r->last_uid = from - 1;
	for (;;) {
		uint64_t rows = 0;
		const struct imap_range range = {.first = r->last_uid + 1, .last = 0};
		enum err e = imap_fetch_rows(r->link->session, &range, 1, items, fields, fn, r, &rows);
		if (rows > 0)
			link_worked(r->link);
		if (e == ERR_OK || r->overflow)
			return e;
		e = link_again(r->link, e);
		if (e != ERR_OK)
			return e;
	}
}

/* The whole header of every message not yet known. */
static enum err read_unknown(struct reading *r)
{
	struct imap_range ranges[IMAP_RANGES_MAX];
	r->whole_header = true;
	for (uint32_t next = 0; next < r->list->count;) {
		uint32_t at = next;
		size_t count = 0;
		for (; at < r->list->count && count < IMAP_RANGES_MAX; at++) {
			uint32_t uid = r->list->items[at].uid;
			if (!r->list->items[at].known)
				ranges[count++] = (struct imap_range){.first = uid, .last = uid};
		}
		uint64_t rows = 0;
		enum err e = count == 0 ? ERR_OK
					: imap_fetch_rows(r->link->session, ranges, count, ALL_ITEMS, NULL,
					      on_row, r, &rows);
		if (rows > 0)
			link_worked(r->link);
		if (e == ERR_OK) {
			next = at;
			continue;
		}
		e = link_again(r->link, e);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* Messages that exist but were not told: some servers leave out what they cannot parse. */
static enum err read_missed(struct reading *r)
{
	enum err e = read_from(r, 1, IMAP_FETCH_FLAGS, NULL, on_uid);
	for (uint32_t i = 0; e == ERR_OK && i < r->missed.count; i++)
		(void)message_list_add(r->list, r->missed.items[i].uid);
	message_list_free(&r->missed);
	message_list_sort(r->list);
	return e;
}

static void report_unknown(struct reading *r)
{
	struct link *l = r->link;
	for (uint32_t i = 0; i < r->list->count; i++) {
		uint32_t uid = r->list->items[i].uid;
		if (r->list->items[i].known)
			continue;
		if (l->side == 0)
			report_error(l->report, ERROR_FETCH,
			    "- msg %s/%u could not be fetched: the server does not tell its header",
			    l->selected, uid);
		else
			out("Host2: msg %s/%u is left out of the comparison: the server does not tell its "
			    "header",
			    l->selected, uid);
	}
}

bool listing_is_whole(const struct message_list *list, const struct imap_mailbox *m)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (!list->items[i].known)
			return false;
	}
	return list->count >= m->exists;
}

static struct reading reading_of(struct link *l, const struct imap_mailbox *keeper, struct message_list *list)
{
	return (struct reading){
	    .link = l, .folder = l->selected, .mailbox = &l->mailbox, .list = list, .keeper = keeper};
}

static enum err complete(struct reading *r, uint32_t *unlisted_r)
{
	enum err e = read_unknown(r);
	if (e != ERR_OK)
		return e;
	report_unknown(r);
	*unlisted_r = message_list_drop_unknown(r->list);
	return ERR_OK;
}

enum err listing_complete(
    struct link *l, const struct imap_mailbox *keeper, struct message_list *list, uint32_t *unlisted_r)
{
	struct reading r = reading_of(l, keeper, list);
	enum err e = ERR_OK;
	*unlisted_r = 0;
	if (list->count < l->mailbox.exists)
		e = read_missed(&r);
	return e == ERR_OK ? complete(&r, unlisted_r) : e;
}

enum err listing_read(struct link *l, const struct imap_mailbox *keeper, uint32_t from,
    struct message_list *list_r, uint32_t *unlisted_r)
{
	struct reading r = reading_of(l, keeper, list_r);
	*list_r = (struct message_list){0};
	*unlisted_r = 0;
	if (l->mailbox.exists == 0 && from == 1)
		return ERR_OK;
	enum err e = read_from(&r, from, ALL_ITEMS, identity_fields(), on_row);
	message_list_sort(list_r);
	if (e == ERR_OK && from == 1 && list_r->count < l->mailbox.exists)
		e = read_missed(&r);
	return e == ERR_OK ? complete(&r, unlisted_r) : e;
}

enum err listing_ask(struct link *l, const char *folder, bool read_only, bool identities)
{
	if (l->session == NULL)
		return ERR_CLOSED;
	return imap_listing_ask(
	    l->session, folder, read_only, identities ? ALL_ITEMS : IMAP_FETCH_SIZE, identity_fields());
}

enum err listing_take(struct link *l, const char *folder, const struct imap_mailbox *keeper, bool identities,
    struct imap_mailbox *m_r, struct message_list *list_r)
{
	struct reading r = {.link = l, .folder = folder, .mailbox = m_r, .list = list_r, .keeper = keeper};
	*list_r = (struct message_list){0};
	enum err e = imap_listing_take(l->session, m_r, identities ? on_row : on_sized, &r);
	if (e != ERR_OK)
		return e;
	link_worked(l);
	message_list_sort(list_r);
	return ERR_OK;
}

enum err listing_read_uids(
    struct link *l, const uint32_t *uids, uint32_t count, struct message_list *list_r, uint32_t *unlisted_r)
{
	struct reading r = reading_of(l, NULL, list_r);
	*list_r = (struct message_list){0};
	for (uint32_t i = 0; i < count; i++)
		(void)message_list_add(list_r, uids[i]);
	message_list_sort(list_r);
	enum err e = read_unknown(&r);
	*unlisted_r = e == ERR_OK ? message_list_drop_unknown(list_r) : 0;
	return e;
}

enum err listing_take_size(
    struct link *l, const char *folder, struct imap_mailbox *m_r, struct folder_size *size_r)
{
	struct reading r = {.link = l, .folder = folder, .mailbox = m_r};
	enum err e = imap_listing_take(l->session, m_r, on_size, &r);
	*size_r = r.size;
	return e;
}

void listing_add_up(const struct message_list *list, struct folder_size *size_r)
{
	*size_r = (struct folder_size){.messages = list->count};
	for (uint32_t i = 0; i < list->count; i++) {
		size_r->bytes += list->items[i].size;
		if (list->items[i].size > size_r->biggest)
			size_r->biggest = list->items[i].size;
	}
}

enum err listing_size(struct link *l, struct folder_size *size_r)
{
	struct reading r = reading_of(l, NULL, NULL);
	enum err e = ERR_OK;
	if (l->mailbox.exists > 0)
		e = read_from(&r, 1, IMAP_FETCH_SIZE, NULL, on_size);
	*size_r = r.size;
	return e;
}
