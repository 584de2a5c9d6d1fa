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

/* The pending fetch of uid whose body has not come yet, or NULL. */
static struct imap_pending *wanted(struct imap_session *s, uint32_t uid)
{
	for (unsigned i = 0; i < s->pipeline_count; i++)
		if (s->pipeline[i].uid == uid && !s->pipeline[i].over)
			return &s->pipeline[i];
	return NULL;
}

static bool any_wanted(const struct imap_session *s)
{
	for (unsigned i = 0; i < s->pipeline_count; i++)
		if (!s->pipeline[i].over)
			return true;
	return false;
}

/* The pending fetch a tagged answer belongs to, taken out; tag 0 if to none. */
static struct imap_pending take(struct imap_session *s, const char *tag)
{
	for (unsigned i = 0; i < s->pipeline_count; i++) {
		struct imap_pending p = s->pipeline[i];
		if (!imap_is_tag(tag, p.tag))
			continue;
		s->pipeline_count--;
		memmove(&s->pipeline[i], &s->pipeline[i + 1], (s->pipeline_count - i) * sizeof(p));
		return p;
	}
	return (struct imap_pending){0};
}

static enum imap_literal_fate on_literal(
    void *ctx, const struct imap_response *so_far, const struct imap_node *last, uint64_t size)
{
	struct body *b = ctx;
	const struct imap_node *items = imap_fetch_items(so_far);
	uint32_t uid = imap_fetch_uid(items);

	if (items == NULL || !imap_node_is(last, "BODY[]"))
		return IMAP_LITERAL_KEEP;
	if (b->begun || b->sink == NULL || (uid != 0 && wanted(b->s, uid) == NULL))
		return IMAP_LITERAL_DROP;
	b->begun = b->tentative = true;
	b->s->fetching = uid;
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
	struct imap_pending *p = uid != 0 ? wanted(b->s, uid) : NULL;

	for (const struct imap_node *k = items; p != NULL && k != NULL && k->next != NULL; k = k->next->next)
		if (imap_node_is(k, "BODY[]"))
			quoted_body(b, k->next, uid);
	if (!b->tentative)
		return ERR_OK;
	b->tentative = false;
	if (p == NULL)
		return imap_session_fail(
		    b->s, IMAP_PROTOCOL_ERROR, "the server sent another message than the one asked for");
	p->over = true;
	b->uid = uid;
	return ERR_OK;
}

/* The answer to a fetch: only of interest when its body never came. */
static enum err on_answer(struct imap_session *s, const struct imap_response *resp, uint32_t *uid_r)
{
	struct imap_pending p = take(s, resp->tag);

	if (p.tag == 0)
		return imap_session_broken(s, "the server answered another command than the one sent");
	if (p.over)
		return ERR_OK;
	*uid_r = p.uid;
	if (resp->status == IMAP_STATUS_OK)
		return imap_session_fail(s, IMAP_NO_SUCH_MESSAGE, "the message is no longer there");
	return imap_session_refused(s, resp);
}

enum err imap_fetch_body_send(struct imap_session *s, uint32_t uid)
{
	struct imap_command c AUTO_COMMAND;

	imap_command_init(&c, s, "UID FETCH");
	if (!s->alive)
		return imap_session_ready(s);
	if (!s->selected || uid == 0 || s->append != APPEND_NONE || s->pipeline_count == IMAP_PIPELINE_MAX)
		return imap_session_fail(s, IMAP_INTERNAL, "a fetch out of place");
	imap_command_add(&c, " %u (UID BODY.PEEK[])", uid);
	enum err e = imap_command_send(s, &c, false);
	if (e == ERR_OK)
		s->pipeline[s->pipeline_count++] = (struct imap_pending){.tag = c.tag, .uid = uid};
	return e;
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
	for (unsigned i = 0; i < s->pipeline_count; i++)
		s->pipeline[i].over = true;
	if (s->alive && imap_pipeline_drain(s) == ERR_OK)
		s->failure = found;
	return e;
}
