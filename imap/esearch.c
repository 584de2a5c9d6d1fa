#include "config.h"

#include <string.h>
#include <strings.h>

#include "imap/command.h"

struct search {
	uint32_t first;
	uint32_t last;
	imap_range_fn fn;
	void *ctx;
	bool malformed;
};

/* "4:18,21", of it what was asked for. */
static void tell_ranges(struct search *q, const char *set)
{
	while (*set != '\0' && !q->malformed) {
		size_t len = strcspn(set, ",");
		size_t colon = strcspn(set, ":,");
		uint64_t first = 0, last;
		q->malformed = imap_parse_number(set, colon, UINT32_MAX, &first) != ERR_OK || first == 0;
		last = first;
		if (colon < len)
			q->malformed = q->malformed || imap_parse_number(set + colon + 1, len - colon - 1,
							   UINT32_MAX, &last) != ERR_OK;
		if (last < first) {
			uint64_t swap = first;
			first = last;
			last = swap;
		}
		first = first < q->first ? q->first : first;
		last = last > q->last ? q->last : last;
		if (!q->malformed && first <= last)
			q->fn(q->ctx, (uint32_t)first, (uint32_t)last);
		set += len;
		set += *set == ',';
	}
}

bool imap_esearch_all(
    const struct imap_response *resp, uint32_t first, uint32_t last, imap_range_fn fn, void *ctx)
{
	struct search q = {.first = first, .last = last, .fn = fn, .ctx = ctx};

	for (const struct imap_node *n = resp->nodes; n != NULL; n = n->next)
		if (imap_node_is(n, "ALL") && n->next != NULL && imap_node_text(n->next) != NULL)
			tell_ranges(&q, imap_node_text(n->next));
	return !q.malformed;
}

static enum err on_esearch(void *ctx, const struct imap_response *resp)
{
	struct search *q = ctx;

	if (!resp->numbered && strcasecmp(resp->word, "ESEARCH") == 0 &&
	    !imap_esearch_all(resp, q->first, q->last, q->fn, q->ctx))
		q->malformed = true;
	return ERR_OK;
}

enum err imap_search_uids(struct imap_session *s, uint32_t first, uint32_t last, imap_range_fn fn, void *ctx)
{
	struct imap_command c AUTO_COMMAND;
	struct search q = {.first = first, .last = last, .fn = fn, .ctx = ctx};
	const struct imap_handler h = {.untagged = on_esearch, .ctx = &q};
	enum err e = imap_session_ready(s);

	imap_command_init(&c, s, "UID SEARCH RETURN (ALL) UID");
	if (e != ERR_OK)
		return e;
	if (!s->selected || first == 0 || last < first || last - first >= IMAP_SEARCH_WIDTH ||
	    !imap_session_can(s, "ESEARCH"))
		return imap_session_fail(s, IMAP_INTERNAL, "a search out of place");
	imap_command_add(&c, " %u:%u", first, last);
	e = imap_command_run(s, &c, &h);
	return e == ERR_OK && q.malformed ? imap_session_broken(s, "a set of UIDs is none") : e;
}
