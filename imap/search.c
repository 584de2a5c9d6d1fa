#include "config.h"

#include <string.h>
#include <strings.h>

#include "imap/command.h"
#include "imap/search.h"
#include "lib/utf8.h"

/* ---- criteria ---- */

/* One element of criteria: a quoted string, unescaped, or what stands between strings. */
struct element {
	bool quoted;
	struct buf bytes;
};

static const char *take_string(const char **at, struct buf *out)
{
	const char *p = *at + 1;

	for (; *p != '"'; p++) {
		if (*p == '\0')
			return "a quote is not closed";
		if (*p == '\\' && *++p != '"' && *p != '\\')
			return "only a quote and a backslash may follow a backslash";
		buf_addc(out, *p);
	}
	*at = p + 1;
	return **at == '\0' || **at == ' ' || **at == ')' ? NULL : "a space is missing behind a quote";
}

static const char *take_words(const char **at, unsigned *depth, struct buf *out)
{
	const char *p = *at;

	for (; *p != '\0' && *p != '"'; p++) {
		if ((unsigned char)*p >= 0x80)
			return "characters beyond ASCII must be within quotes";
		if (strchr("{}\\%", *p) != NULL)
			return "braces, backslash and percent sign have no place outside quotes";
		if (*p == '(')
			++*depth;
		if (*p == ')' && (*depth)-- == 0)
			return "a parenthesis is closed that was not opened";
		buf_addc(out, *p);
	}
	if (*p == '"' && (p == *at || p[-1] != ' '))
		return "a space is missing before a quote";
	*at = p;
	return NULL;
}

/* The next element; false at the end, or with *why_r set. */
static bool next_element(const char **at, unsigned *depth, struct element *e, const char **why_r)
{
	if (**at == '\0')
		return false;
	buf_clear(&e->bytes);
	e->quoted = **at == '"';
	*why_r = e->quoted ? take_string(at, &e->bytes) : take_words(at, depth, &e->bytes);
	return *why_r == NULL;
}

static bool begins_with(const char *text, const char *word)
{
	size_t len = strlen(word);
	return strncasecmp(text, word, len) == 0 && (text[len] == ' ' || text[len] == '\0');
}

enum err imap_search_check(const char *criteria, const char **why_r)
{
	struct element e = {.bytes = BUF_INIT};
	const char *at = criteria;
	unsigned depth = 0;

	*why_r = NULL;
	if (criteria[0] == '\0' || criteria[0] == ' ' || criteria[0] == '"')
		*why_r = "it must begin with a search key";
	else if (strlen(criteria) > IMAP_SEARCH_MAX)
		*why_r = "it is too long";
	else if (!utf8_valid(criteria, strlen(criteria)))
		*why_r = "it is not UTF-8";
	else if (begins_with(criteria, "RETURN") || begins_with(criteria, "CHARSET"))
		*why_r = "RETURN and CHARSET are not search keys";
	for (const char *p = criteria; *p != '\0' && *why_r == NULL; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7F)
			*why_r = "it holds a control character";
	while (*why_r == NULL && next_element(&at, &depth, &e, why_r))
		;
	if (*why_r == NULL && depth > 0)
		*why_r = "a parenthesis is not closed";
	buf_free(&e.bytes);
	return *why_r == NULL ? ERR_OK : ERR_INVALID;
}

/* A string brings its own space. */
static void add_criteria(struct imap_command *c, const char *criteria)
{
	struct element e = {.bytes = BUF_INIT};
	const char *at = criteria;
	const char *why = NULL;
	unsigned depth = 0;

	while (next_element(&at, &depth, &e, &why)) {
		if (e.quoted)
			imap_command_string(c, e.bytes.data, e.bytes.len);
		else
			imap_command_add(c, "%.*s", (int)(e.bytes.len - (*at == '"')), e.bytes.data);
	}
	buf_free(&e.bytes);
}

/* ---- SEARCH ---- */

struct search {
	const struct imap_range *range;
	imap_range_fn fn;
	void *ctx;
	uint64_t told;
	bool malformed;
};

static enum err on_extended(struct search *q, const struct imap_response *resp)
{
	const struct imap_range *range = q->range;

	q->malformed = q->malformed || !imap_esearch_all(resp, range->first, range->last, q->fn, q->ctx);
	return ERR_OK;
}

static enum err on_search(void *ctx, const struct imap_response *resp)
{
	struct search *q = ctx;

	/* IMAP4rev2 answers every search so */
	if (!resp->numbered && strcasecmp(resp->word, "ESEARCH") == 0)
		return on_extended(q, resp);
	if (resp->numbered || strcasecmp(resp->word, "SEARCH") != 0)
		return ERR_OK;
	for (const struct imap_node *n = resp->nodes; n != NULL; n = n->next) {
		uint64_t uid;
		if (n->type != IMAP_NODE_ATOM || !imap_node_number(n, UINT32_MAX, &uid))
			continue;
		if (uid < q->range->first || uid > q->range->last)
			continue;
		q->told++;
		q->fn(q->ctx, (uint32_t)uid, (uint32_t)uid);
	}
	return ERR_OK;
}

enum err imap_search(
    struct imap_session *s, const struct imap_range *range, const char *criteria, imap_range_fn fn, void *ctx)
{
	struct imap_command c AUTO_COMMAND;
	struct search q = {.range = range, .fn = fn, .ctx = ctx};
	struct imap_handler h = {.untagged = on_search, .ctx = &q, .taken = &q.told};
	const char *why = NULL;
	bool ascii = true;
	enum err e = imap_session_ready(s);

	for (const char *p = criteria; *p != '\0'; p++)
		ascii = ascii && (unsigned char)*p < 0x80;
	/* who speaks UTF-8 takes it for granted, and refuses to be told (RFC 6855) */
	imap_command_init(&c, s, ascii || imap_session_utf8(s) ? "UID SEARCH" : "UID SEARCH CHARSET UTF-8");
	if (e != ERR_OK)
		return e;
	if (imap_search_check(criteria, &why) != ERR_OK)
		return imap_session_fail(s, IMAP_VALUE_INVALID, why);
	if (!s->selected || range->first == 0 || range->last < range->first)
		return imap_session_fail(s, IMAP_INTERNAL, "nothing selected, or no range");
	imap_command_add(&c, " UID %u:%u ", range->first, range->last);
	add_criteria(&c, criteria);
	e = imap_command_run(s, &c, &h);
	return e == ERR_OK && q.malformed ? imap_session_broken(s, "a set of UIDs is none") : e;
}

/* ---- EXPUNGE ---- */

static enum err on_uids(
    struct imap_session *s, const char *verb, const uint32_t *uids, unsigned count, const char *rest)
{
	struct imap_command c AUTO_COMMAND;

	imap_command_init(&c, s, verb);
	for (unsigned i = 0; i < count; i++)
		imap_command_add(&c, "%c%u", i == 0 ? ' ' : ',', uids[i]);
	imap_command_add(&c, "%s", rest);
	return imap_command_run(s, &c, NULL);
}

enum err imap_remove(struct imap_session *s, const uint32_t *uids, unsigned count)
{
	enum err e = imap_session_ready(s);

	if (e != ERR_OK || count == 0)
		return e;
	if (!s->selected || s->mailbox.read_only || count > IMAP_RANGES_MAX)
		return imap_session_fail(s, IMAP_INTERNAL, "nothing selected for writing, or too many");
	if (!imap_session_can(s, "UIDPLUS"))
		return imap_session_fail(
		    s, IMAP_COMMAND_REFUSED, "the server can not remove single messages (UIDPLUS)");
	e = on_uids(s, "UID STORE", uids, count, " +FLAGS.SILENT (\\Deleted)");
	return e == ERR_OK ? on_uids(s, "UID EXPUNGE", uids, count, "") : e;
}
