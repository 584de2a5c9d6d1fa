#include "config.h"

#include <string.h>

#include "imap/command.h"

/* The delivery of at most one body. */
struct body {
	struct imap_session *s;
	const struct imap_sink *sink;
	bool begun;     /* begin was called: nothing else may be delivered */
	bool tentative; /* the response being read delivered a body */
	uint32_t uid;   /* whose it proved to be; 0 until then */
	enum err stopped;
};

/* Where uid stands among the bodies asked for and not yet handed out, or NULL. */
static uint32_t *wanted(struct imap_session *s, uint32_t uid, struct imap_pending **p_r)
{
	for (unsigned i = 0; i < s->pipeline_count; i++) {
		struct imap_pending *p = &s->pipeline[i];
		for (unsigned k = 0; p->left > 0 && k < p->count; k++)
			if (p->uids[k] == uid) {
				*p_r = p;
				return &p->uids[k];
			}
	}
	return NULL;
}

static bool any_wanted(const struct imap_session *s)
{
	for (unsigned i = 0; i < s->pipeline_count; i++)
		if (s->pipeline[i].left > 0)
			return true;
	return s->unanswered.left > 0;
}

/* Nobody waits for what is under way any more. */
static void forget(struct imap_session *s)
{
	for (unsigned i = 0; i < s->pipeline_count; i++)
		s->pipeline[i].left = 0;
	s->unanswered.left = 0;
}

/* The pending fetch a tagged answer belongs to, taken out into s->unanswered; false if to none. */
static bool take(struct imap_session *s, const char *tag)
{
	for (unsigned i = 0; i < s->pipeline_count; i++) {
		if (!imap_is_tag(tag, s->pipeline[i].tag))
			continue;
		s->unanswered = s->pipeline[i];
		s->pipeline_count--;
		memmove(
		    &s->pipeline[i], &s->pipeline[i + 1], (s->pipeline_count - i) * sizeof(s->pipeline[0]));
		return true;
	}
	return false;
}

/* One body of a command that was answered without it. */
static enum err next_unanswered(struct imap_session *s, uint32_t *uid_r)
{
	struct imap_pending *p = &s->unanswered;

	for (unsigned k = 0; k < p->count; k++)
		if (p->uids[k] != 0) {
			*uid_r = p->uids[k];
			p->uids[k] = 0;
			break;
		}
	p->left--;
	s->failure = s->unanswered_why;
	return s->failure.err;
}

static enum imap_literal_fate on_literal(
    void *ctx, const struct imap_response *so_far, const struct imap_node *last, uint64_t size)
{
	struct body *b = ctx;
	const struct imap_node *items = imap_fetch_items(so_far);
	uint32_t uid = imap_fetch_uid(items);
	struct imap_pending *p;

	if (items == NULL || !imap_node_is(last, "BODY[]"))
		return IMAP_LITERAL_KEEP;
	if (b->begun || b->sink == NULL || (uid != 0 && wanted(b->s, uid, &p) == NULL))
		return IMAP_LITERAL_DROP;
	b->begun = b->tentative = true;
	b->s->fetching = uid;
	imap_fetch_details(b->s, so_far);
	b->stopped = b->sink->begin(b->sink->ctx, size);
	return b->stopped == ERR_OK ? IMAP_LITERAL_STREAM : IMAP_LITERAL_DROP;
}

static void on_piece(void *ctx, const char *bytes, size_t len)
{
	struct body *b = ctx;

	b->s->uncounted += len;
	if (b->stopped == ERR_OK)
		b->stopped = b->sink->piece(b->sink->ctx, bytes, len);
}

/* A body small enough to come as a quoted string. */
static void quoted_body(struct body *b, const struct imap_node *value, uint32_t uid)
{
	if (b->begun || b->sink == NULL || value->type != IMAP_NODE_STRING)
		return;
	b->begun = b->tentative = true;
	b->s->fetching = uid;
	b->stopped = b->sink->begin(b->sink->ctx, value->len);
	if (b->stopped == ERR_OK && value->len > 0)
		b->stopped = b->sink->piece(b->sink->ctx, value->bytes, value->len);
}

/* After a whole FETCH: whose was the body it delivered? */
static enum err on_fetch(struct body *b, const struct imap_response *resp)
{
	const struct imap_node *items = imap_fetch_items(resp);
	uint32_t uid = imap_fetch_uid(items);
	struct imap_pending *p = NULL;
	uint32_t *slot = uid != 0 ? wanted(b->s, uid, &p) : NULL;

	imap_fetch_details(b->s, resp);
	for (const struct imap_node *k = items; slot != NULL && k != NULL && k->next != NULL;
	     k = k->next->next)
		if (imap_node_is(k, "BODY[]"))
			quoted_body(b, k->next, uid);
	if (!b->tentative)
		return ERR_OK;
	b->tentative = false;
	if (slot == NULL)
		return imap_session_fail(
		    b->s, IMAP_PROTOCOL_ERROR, "the server sent another message than the one asked for");
	*slot = 0;
	p->left--;
	b->uid = uid;
	return ERR_OK;
}

/* The answer to a fetch: only of interest when a body never came. */
static enum err on_answer(struct imap_session *s, const struct imap_response *resp, uint32_t *uid_r)
{
	enum err e;

	if (!take(s, resp->tag))
		return imap_session_broken(s, "the server answered another command than the one sent");
	if (s->unanswered.left == 0)
		return ERR_OK;
	if (resp->status == IMAP_STATUS_OK)
		e = imap_session_fail(s, IMAP_NO_SUCH_MESSAGE, "the message is no longer there");
	else
		e = imap_session_refused(s, resp);
	s->unanswered_why = s->failure;
	return e == ERR_OK ? ERR_INTERNAL : next_unanswered(s, uid_r);
}

/* "1:3,7": UIDs in ascending order are put together. */
static void add_set(struct imap_command *c, const uint32_t *uids, unsigned count)
{
	imap_command_add(c, " ");
	for (unsigned i = 0; i < count;) {
		unsigned last = i;
		while (last + 1 < count && uids[last + 1] == uids[last] + 1)
			last++;
		imap_command_add(c, "%s%u", i > 0 ? "," : "", uids[i]);
		if (last > i)
			imap_command_add(c, ":%u", uids[last]);
		i = last + 1;
	}
}

enum err imap_fetch_bodies_send(struct imap_session *s, const uint32_t *uids, unsigned count, bool details)
{
	struct imap_command c AUTO_COMMAND;
	bool ascending = count > 0 && count <= IMAP_BODIES_MAX && uids[0] != 0;

	imap_command_init(&c, s, "UID FETCH");
	if (!s->alive)
		return imap_session_ready(s);
	for (unsigned i = 1; ascending && i < count; i++)
		ascending = uids[i] > uids[i - 1];
	if (!(s->selected || s->selecting != 0) || !ascending || s->append != APPEND_NONE ||
	    s->pipeline_count == IMAP_PIPELINE_MAX)
		return imap_session_fail(s, IMAP_INTERNAL, "a fetch out of place");
	add_set(&c, uids, count);
	imap_command_add(&c, details ? " (UID FLAGS INTERNALDATE BODY.PEEK[])" : " (UID BODY.PEEK[])");
	enum err e = imap_command_send(s, &c, false);
	if (e == ERR_OK) {
		struct imap_pending *p = &s->pipeline[s->pipeline_count++];
		*p = (struct imap_pending){.tag = c.tag, .count = count, .left = count};
		memcpy(p->uids, uids, count * sizeof(*uids));
	}
	return e;
}

enum err imap_fetch_body_send(struct imap_session *s, uint32_t uid)
{
	return imap_fetch_bodies_send(s, &uid, 1, false);
}

/* One response of a fetch under way. */
static enum err step(struct body *b, uint32_t *uid_r)
{
	struct imap_literal_hook hook = {.announce = on_literal, .piece = on_piece, .ctx = b};
	struct imap_response resp;
	enum err e = imap_command_response(b->s, &hook, &resp);

	if (e != ERR_OK) {
		*uid_r = b->s->fetching;
		return b->stopped != ERR_OK ? b->stopped : e;
	}
	if (resp.kind == IMAP_CONTINUATION)
		return imap_session_broken(b->s, "the server asks for data nobody announced");
	return resp.kind == IMAP_TAGGED ? on_answer(b->s, &resp, uid_r) : on_fetch(b, &resp);
}

enum err imap_fetch_body_next(struct imap_session *s, const struct imap_sink *sink, uint32_t *uid_r)
{
	struct body b = {.s = s, .sink = sink};
	uint64_t since;

	*uid_r = 0;
	if (!s->alive)
		return imap_session_ready(s);
	if (!any_wanted(s))
		return imap_session_fail(s, IMAP_INTERNAL, "no fetch is under way");
	if (s->unanswered.left > 0)
		return next_unanswered(s, uid_r);
	s->failure = (struct imap_failure){0};
	s->uncounted = 0;
	s->fetching = 0;
	since = imap_stream_received(s->stream);
	for (;;) {
		enum err e = step(&b, uid_r);
		if (e == ERR_OK && b.uid == 0)
			e = imap_session_flood(s, since);
		if (e != ERR_OK)
			return e;
		if (b.uid == 0)
			continue;
		*uid_r = b.uid;
		if (b.stopped != ERR_OK && s->failure.cause == IMAP_OK)
			s->failure = (struct imap_failure){.err = b.stopped, .cause = IMAP_INTERNAL};
		return b.stopped;
	}
}

uint32_t imap_fetching(const struct imap_session *s)
{
	return s->fetching;
}

enum err imap_pipeline_drain(struct imap_session *s)
{
	struct body b = {.s = s};
	uint64_t since = imap_stream_received(s->stream);
	uint32_t uid;
	enum err e = ERR_OK;

	if (any_wanted(s))
		return imap_session_fail(s, IMAP_INTERNAL, "a command inside another");
	s->uncounted = 0;
	while (e == ERR_OK && s->pipeline_count > 0) {
		e = step(&b, &uid);
		if (e == ERR_OK)
			e = imap_session_flood(s, since);
	}
	return e;
}

enum err imap_fetch_bodies_drop(struct imap_session *s)
{
	forget(s);
	return s->alive ? imap_pipeline_drain(s) : imap_session_ready(s);
}

const struct imap_row *imap_fetching_details(const struct imap_session *s)
{
	return &s->details;
}

enum err imap_fetch_body(struct imap_session *s, uint32_t uid, const struct imap_sink *sink)
{
	struct imap_failure found;
	uint32_t got = 0;
	enum err e = imap_session_ready(s);

	if (e == ERR_OK)
		e = imap_fetch_body_send(s, uid);
	if (e != ERR_OK)
		return e;
	e = imap_fetch_body_next(s, sink, &got);
	/* another's body leaves ours still to be answered: that it came at all is what is told */
	found = s->failure;
	forget(s);
	if (s->alive && imap_pipeline_drain(s) == ERR_OK)
		s->failure = found;
	return e;
}
