#include "config.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "imap/command.h"

const struct imap_node *imap_fetch_items(const struct imap_response *resp)
{
	if (!resp->numbered || strcasecmp(resp->word, "FETCH") != 0 || resp->nodes == NULL ||
	    resp->nodes->type != IMAP_NODE_LIST)
		return NULL;
	return resp->nodes->child;
}

uint32_t imap_fetch_uid(const struct imap_node *item)
{
	uint64_t n;

	for (; item != NULL && item->next != NULL; item = item->next->next)
		if (imap_node_is(item, "UID") && imap_node_number(item->next, UINT32_MAX, &n))
			return (uint32_t)n;
	return 0;
}

struct rows {
	const struct imap_range *ranges;
	size_t count;
	unsigned items;
	imap_row_fn fn;
	void *ctx;
	uint64_t delivered;
	struct buf flags;
};

static bool asked_for(const struct rows *r, uint32_t uid)
{
	for (size_t i = 0; i < r->count; i++)
		if (uid >= r->ranges[i].first && (r->ranges[i].last == 0 || uid <= r->ranges[i].last))
			return true;
	return false;
}

static void join_flags(const struct imap_node *list, struct buf *out)
{
	buf_clear(out);
	if (list->type != IMAP_NODE_LIST)
		return;
	for (const struct imap_node *n = list->child; n != NULL; n = n->next)
		if (n->type == IMAP_NODE_ATOM)
			buf_addf(out, "%s%s", out->len > 0 ? " " : "", n->bytes);
}

/* Takes one pair into row; returns the item it was, or 0. */
static unsigned take(struct rows *r, const struct imap_node *key, struct imap_row *row)
{
	const struct imap_node *value = key->next;
	uint64_t n;

	if (imap_node_is(key, "RFC822.SIZE") && imap_node_number(value, UINT64_MAX, &n)) {
		row->size = n;
		return IMAP_FETCH_SIZE;
	}
	if (imap_node_is(key, "FLAGS") && value->type == IMAP_NODE_LIST) {
		join_flags(value, &r->flags);
		return IMAP_FETCH_FLAGS;
	}
	if (imap_node_is(key, "INTERNALDATE") && imap_node_text(value) != NULL) {
		row->date = value->bytes;
		return IMAP_FETCH_DATE;
	}
	if (imap_node_is(key, "SAVEDATE") && imap_node_text(value) != NULL) {
		row->saved = value->bytes;
		return IMAP_FETCH_SAVED;
	}
	if (key->type == IMAP_NODE_ATOM && strncasecmp(key->bytes, "BODY[HEADER", 11) == 0 &&
	    value->type != IMAP_NODE_LIST) {
		bool nil = imap_node_nil(value);
		row->header = nil ? "" : value->bytes;
		row->header_len = nil ? 0 : value->len;
		row->header_cut = value->cut;
		return IMAP_FETCH_HEADER;
	}
	return 0;
}

static enum err on_row(void *ctx, const struct imap_response *resp)
{
	struct rows *r = ctx;
	const struct imap_node *items = imap_fetch_items(resp);
	struct imap_row row = {.flags = "", .date = "", .saved = "", .header = ""};
	unsigned have = 0;

	row.uid = imap_fetch_uid(items);
	row.number = resp->number;
	if (row.uid == 0 || !asked_for(r, row.uid))
		return ERR_OK;
	for (const struct imap_node *k = items; k != NULL && k->next != NULL; k = k->next->next)
		have |= take(r, k, &row);
	if ((have & r->items) != r->items)
		return ERR_OK;
	if (have & IMAP_FETCH_FLAGS)
		row.flags = r->flags.data;
	r->delivered++;
	return r->fn(r->ctx, &row);
}

void imap_fetch_details(struct imap_session *s, const struct imap_response *resp)
{
	const struct imap_node *items = imap_fetch_items(resp);
	struct imap_row *row = &s->details;

	*row = (struct imap_row){.uid = imap_fetch_uid(items), .number = resp->number};
	for (const struct imap_node *k = items; k != NULL && k->next != NULL; k = k->next->next) {
		if (imap_node_is(k, "FLAGS") && k->next->type == IMAP_NODE_LIST) {
			join_flags(k->next, &s->details_flags);
			row->flags = s->details_flags.data;
		} else if (imap_node_is(k, "INTERNALDATE") && imap_node_text(k->next) != NULL) {
			buf_clear(&s->details_date);
			buf_add(&s->details_date, k->next->bytes, k->next->len);
			row->date = s->details_date.data;
		}
	}
}

static void add_ranges(struct imap_command *c, const struct imap_range *ranges, size_t count)
{
	imap_command_add(c, " ");
	for (size_t i = 0; i < count; i++) {
		const struct imap_range *g = &ranges[i];
		if (g->first == 0 || (g->last != 0 && g->last < g->first))
			c->invalid = true;
		imap_command_add(c, "%s%u", i > 0 ? "," : "", g->first);
		if (g->last == 0)
			imap_command_add(c, ":*");
		else if (g->last != g->first)
			imap_command_add(c, ":%u", g->last);
	}
}

static void add_items(struct imap_command *c, unsigned items, const char *fields)
{
	imap_command_add(c, " (UID%s%s%s%s", items & IMAP_FETCH_SIZE ? " RFC822.SIZE" : "",
	    items & IMAP_FETCH_FLAGS ? " FLAGS" : "", items & IMAP_FETCH_DATE ? " INTERNALDATE" : "",
	    items & IMAP_FETCH_SAVED ? " SAVEDATE" : "");
	if ((items & IMAP_FETCH_HEADER) && fields == NULL)
		imap_command_add(c, " BODY.PEEK[HEADER]");
	else if (items & IMAP_FETCH_HEADER) {
		for (const char *p = fields; *p != '\0'; p++)
			if (!isalnum((unsigned char)*p) && *p != '-' && *p != ' ')
				c->invalid = true;
		imap_command_add(c, " BODY.PEEK[HEADER.FIELDS (%s)]", fields);
	}
	imap_command_add(c, ")");
}

enum err imap_listing_ask(
    struct imap_session *s, const char *folder, bool read_only, unsigned items, const char *fields)
{
	static const struct imap_range all = {.first = 1};
	struct imap_command select AUTO_COMMAND;
	struct imap_command fetch AUTO_COMMAND;
	unsigned under_way = s->listing_count;

	/* those before are no obstacle */
	s->listing_count = 0;
	enum err e = imap_session_ready(s);
	s->listing_count = under_way;
	imap_command_init(&select, s, read_only ? "EXAMINE" : "SELECT");
	imap_command_init(&fetch, s, "UID FETCH");
	if (e != ERR_OK)
		return e;
	imap_command_folder(&select, s, folder);
	if (under_way == IMAP_LISTINGS_MAX || (under_way > 0 && select.cut_count > 0))
		return imap_session_fail(s, IMAP_INTERNAL, "too many listings under way");
	add_ranges(&fetch, &all, 1);
	add_items(&fetch, items, fields);
	select.later = true;
	e = imap_command_send(s, &select, false);
	if (e == ERR_OK)
		e = imap_command_send(s, &fetch, false);
	if (e == ERR_OK)
		s->listings[s->listing_count++] =
		    (struct imap_listing){.select_tag = select.tag, .fetch_tag = fetch.tag, .items = items};
	return e;
}

enum err imap_listing_take(struct imap_session *s, struct imap_mailbox *m_r, imap_row_fn fn, void *ctx)
{
	static const struct imap_range all = {.first = 1};
	struct imap_listing l = s->listings[0];
	struct rows r = {
	    .ranges = &all, .count = 1, .items = l.items, .fn = fn, .ctx = ctx, .flags = BUF_INIT};
	struct imap_handler on_select = {.ok = imap_on_selected, .ctx = s};
	struct imap_handler on_fetch = {.untagged = on_row, .ctx = &r, .taken = &r.delivered};

	if (!s->alive)
		return imap_session_ready(s);
	if (s->listing_count == 0)
		return imap_session_fail(s, IMAP_INTERNAL, "no listing is under way");
	s->listing_count--;
	memmove(&s->listings[0], &s->listings[1], s->listing_count * sizeof(s->listings[0]));
	s->failure = (struct imap_failure){0};
	s->selected = false;
	s->mailbox = (struct imap_mailbox){0};
	enum err selected = imap_command_wait(s, l.select_tag, &on_select);
	if (selected != ERR_OK)
		selected = imap_explain_missing(s, selected);
	*m_r = s->mailbox;
	if (!s->alive)
		return selected;
	struct imap_failure why = s->failure;
	/* in a folder that could not be selected there is nothing to fetch: that answer is of no interest */
	if (selected != ERR_OK)
		on_fetch.untagged = NULL;
	enum err e = imap_command_wait(s, l.fetch_tag, &on_fetch);
	buf_free(&r.flags);
	if (selected != ERR_OK && s->alive)
		s->failure = why;
	/* nor what a server says to a listing of nothing */
	if (e != ERR_OK && selected == ERR_OK && s->alive && m_r->exists == 0)
		e = ERR_OK;
	return selected != ERR_OK ? selected : e;
}

static enum err run_fetch(struct imap_session *s, struct rows *r, const char *fields, uint64_t since)
{
	struct imap_handler h = {.untagged = on_row, .ctx = r, .taken = &r->delivered};
	enum err e = imap_session_ready(s);

	if (e != ERR_OK || r->count == 0)
		return e;
	if (!s->selected || r->count > IMAP_RANGES_MAX)
		return imap_session_fail(s, IMAP_INTERNAL, "nothing selected, or too many ranges");
	struct imap_command c AUTO_COMMAND;
	imap_command_init(&c, s, "UID FETCH");
	add_ranges(&c, r->ranges, r->count);
	add_items(&c, r->items, fields);
	if (since > 0)
		imap_command_add(&c, " (CHANGEDSINCE %llu)", (unsigned long long)since);
	e = imap_command_run(s, &c, &h);
	buf_free(&r->flags);
	return e;
}

enum err imap_fetch_rows(struct imap_session *s, const struct imap_range *ranges, size_t count,
    unsigned items, const char *fields, imap_row_fn fn, void *ctx, uint64_t *rows_r)
{
	struct rows r = {
	    .ranges = ranges, .count = count, .items = items, .fn = fn, .ctx = ctx, .flags = BUF_INIT};
	enum err e = run_fetch(s, &r, fields, 0);

	*rows_r = r.delivered;
	return e;
}

enum err imap_fetch_changed(struct imap_session *s, const struct imap_range *range, uint64_t modseq,
    unsigned items, imap_row_fn fn, void *ctx)
{
	struct rows r = {
	    .ranges = range, .count = 1, .items = items, .fn = fn, .ctx = ctx, .flags = BUF_INIT};

	if (modseq == 0 || s->mailbox.modseq == 0 || !imap_session_can(s, "CONDSTORE"))
		return imap_session_fail(s, IMAP_INTERNAL, "changes asked for where none are told");
	return run_fetch(s, &r, NULL, modseq);
}
