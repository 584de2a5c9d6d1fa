#include "config.h"

#include "imap/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* LITERAL- (RFC 7888) allows unasked literals up to this. */
#define LITERAL_MINUS_MAX 4096

void imap_command_init(struct imap_command *c, struct imap_session *s, const char *verb)
{
	*c = (struct imap_command){.bytes = BUF_INIT, .tag = ++s->last_tag};
	/* short strings only are sent as literals here, so that LITERAL- is enough */
	c->no_sync = imap_session_can(s, "LITERAL+") || imap_session_can(s, "LITERAL-");
	buf_reserve(&c->bytes, 1024);
	buf_addf(&c->bytes, "A%u %s", c->tag, verb);
}

void imap_command_free(struct imap_command *c)
{
	buf_wipe(&c->bytes);
}

void imap_command_add(struct imap_command *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&c->bytes, fmt, ap);
	va_end(ap);
}

void imap_command_string(struct imap_command *c, const char *bytes, size_t len)
{
	bool plain = true;

	if (len > LITERAL_MINUS_MAX || memchr(bytes, '\0', len) != NULL || memchr(bytes, '\r', len) != NULL ||
	    memchr(bytes, '\n', len) != NULL) {
		c->invalid = true;
		return;
	}
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)bytes[i] < 0x20 || (unsigned char)bytes[i] >= 0x7F)
			plain = false;
	/* what was copied may be a password: no realloc() that leaves bytes behind */
	if (c->bytes.cap < c->bytes.len + 2 * len + 64) {
		struct buf bigger = BUF_INIT;
		buf_reserve(&bigger, c->bytes.len + 2 * len + 1024);
		buf_add(&bigger, c->bytes.data, c->bytes.len);
		buf_wipe(&c->bytes);
		c->bytes = bigger;
	}
	if (plain) {
		buf_adds(&c->bytes, " \"");
		for (size_t i = 0; i < len; i++) {
			if (bytes[i] == '"' || bytes[i] == '\\')
				buf_addc(&c->bytes, '\\');
			buf_addc(&c->bytes, bytes[i]);
		}
		buf_addc(&c->bytes, '"');
		return;
	}
	buf_addf(&c->bytes, " {%zu%s}\r\n", len, c->no_sync ? "+" : "");
	if (!c->no_sync) {
		if (c->cut_count == IMAP_CUTS_MAX) {
			c->invalid = true;
			return;
		}
		c->cuts[c->cut_count++] = c->bytes.len;
	}
	buf_add(&c->bytes, bytes, len);
}

enum err imap_session_fail(struct imap_session *s, enum imap_cause c, const char *why)
{
	return imap_fail(&s->failure, c, "%s", why);
}

enum err imap_session_ready(struct imap_session *s)
{
	if (!s->alive) {
		if (s->failure.cause == IMAP_OK)
			return imap_session_fail(s, IMAP_CLOSED, "the connection is closed");
		return s->failure.err;
	}
	if (s->append != APPEND_NONE || s->sent_count != 0 || s->listing_count != 0)
		return imap_session_fail(s, IMAP_INTERNAL, "a command inside another");
	s->failure = (struct imap_failure){0};
	return imap_pipeline_drain(s);
}

/* The connection is of no more use.  What a BYE said tells more than that it closed. */
static enum err dead(struct imap_session *s)
{
	s->alive = false;
	if (s->bye.len > 0 && s->failure.cause == IMAP_CLOSED)
		return imap_fail_server(&s->failure, s->bye_cause, s->bye.data, s->bye.len);
	return s->failure.err;
}

enum err imap_command_response(
    struct imap_session *s, const struct imap_literal_hook *hook, struct imap_response *resp)
{
	enum err e = imap_read_response(&s->reader, hook, resp, &s->failure);

	if (e != ERR_OK)
		return dead(s);
	if (resp->kind == IMAP_UNTAGGED)
		imap_session_untagged(s, resp);
	return ERR_OK;
}

enum err imap_session_broken(struct imap_session *s, const char *why)
{
	(void)imap_session_fail(s, IMAP_PROTOCOL_ERROR, why);
	s->alive = false;
	return s->failure.err;
}

static enum imap_cause cause_of_code(const char *code)
{
	static const struct {
		const char *code;
		enum imap_cause cause;
	} table[] = {
	    {"UNAVAILABLE", IMAP_BUSY},
	    {"INUSE", IMAP_BUSY},
	    {"LIMIT", IMAP_BUSY},
	    {"THROTTLED", IMAP_BUSY},
	    {"SERVERBUG", IMAP_BUSY},
	    {"CONTACTADMIN", IMAP_BUSY},
	    {"PRIVACYREQUIRED", IMAP_LOGIN_DISABLED},
	    {"AUTHENTICATIONFAILED", IMAP_PASSWORD_REFUSED},
	    {"AUTHORIZATIONFAILED", IMAP_PASSWORD_REFUSED},
	    {"EXPIRED", IMAP_PASSWORD_REFUSED},
	    {"TRYCREATE", IMAP_NO_SUCH_FOLDER},
	    {"NONEXISTENT", IMAP_NO_SUCH_FOLDER},
	    {"ALREADYEXISTS", IMAP_EXISTS_ALREADY},
	    {"NOPERM", IMAP_NO_PERMISSION},
	    {"OVERQUOTA", IMAP_QUOTA_EXCEEDED},
	    {"TOOBIG", IMAP_MESSAGE_TOO_BIG},
	    {"EXPUNGEISSUED", IMAP_NO_SUCH_MESSAGE},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].code, code) == 0)
			return table[i].cause;
	return IMAP_COMMAND_REFUSED;
}

void imap_session_mask(const struct imap_session *s, const char *text, size_t len, struct buf *out)
{
	if (s->secrets == NULL) {
		buf_add(out, text, len);
		return;
	}
	redact_feed(s->secrets, text, len, out);
	redact_end(s->secrets, out);
}

enum err imap_session_refused(struct imap_session *s, const struct imap_response *resp)
{
	struct buf text AUTO_BUF = BUF_INIT;
	enum imap_cause c = resp->status == IMAP_STATUS_BAD ? IMAP_PROTOCOL_ERROR : cause_of_code(resp->code);

	imap_session_mask(s, resp->text, resp->text_len, &text);
	enum err e = imap_fail_server(&s->failure, c, text.data, text.len);

	snprintf(s->failure.code, sizeof(s->failure.code), "%s", resp->code);
	return e;
}

/* Remember what a BYE says, for when the connection closes. */
static void remember_bye(struct imap_session *s, const struct imap_response *resp)
{
	enum imap_cause c = cause_of_code(resp->code);

	s->bye_cause = c == IMAP_BUSY || c == IMAP_PASSWORD_REFUSED ? c : IMAP_CLOSED;
	buf_clear(&s->bye);
	imap_session_mask(s, resp->text, resp->text_len, &s->bye);
	if (s->bye.len > IMAP_TEXT_MAX)
		buf_truncate(&s->bye, IMAP_TEXT_MAX);
}

static void words_of(const struct imap_node *n, struct buf *out)
{
	for (; n != NULL; n = n->next)
		if (n->type == IMAP_NODE_ATOM)
			buf_addf(out, "%s%s", out->len > 0 ? " " : "", n->bytes);
}

static void untagged_code(struct imap_session *s, const struct imap_response *resp)
{
	struct imap_mailbox *m = &s->mailbox;
	uint64_t n;
	bool number = imap_parse_number(resp->code_args, strlen(resp->code_args), UINT32_MAX, &n) == ERR_OK;

	if (number && strcmp(resp->code, "UIDVALIDITY") == 0)
		m->uidvalidity = (uint32_t)n;
	else if (number && strcmp(resp->code, "UIDNEXT") == 0)
		m->uidnext = (uint32_t)n;
	else if (strcmp(resp->code, "HIGHESTMODSEQ") == 0 && imap_session_can(s, "CONDSTORE") &&
		 imap_parse_number(resp->code_args, strlen(resp->code_args), INT64_MAX, &n) == ERR_OK)
		m->modseq = n;
	else if (strcmp(resp->code, "PERMANENTFLAGS") == 0)
		imap_set_flags(m, resp->code_args);
	else if (strcmp(resp->code, "READ-ONLY") == 0)
		m->read_only = true;
}

void imap_session_untagged(struct imap_session *s, const struct imap_response *resp)
{
	if (resp->status == IMAP_STATUS_BYE) {
		remember_bye(s, resp);
	} else if (resp->status != IMAP_NO_STATUS) {
		if (strcmp(resp->code, "CAPABILITY") == 0)
			imap_set_capabilities(s, resp->code_args);
		else
			untagged_code(s, resp);
	} else if (resp->numbered && strcasecmp(resp->word, "EXISTS") == 0) {
		s->mailbox.exists = resp->number;
	} else if (resp->numbered && strcasecmp(resp->word, "EXPUNGE") == 0) {
		s->mailbox.expunged++;
		if (s->mailbox.exists > 0)
			s->mailbox.exists--;
	} else if (strcasecmp(resp->word, "CAPABILITY") == 0) {
		struct buf words AUTO_BUF = BUF_INIT;
		words_of(resp->nodes, &words);
		imap_set_capabilities(s, words.data);
	} else if (strcasecmp(resp->word, "FLAGS") == 0 && s->mailbox.permanent[0] == '\0') {
		struct buf words AUTO_BUF = BUF_INIT;
		if (resp->nodes != NULL)
			words_of(resp->nodes->child, &words);
		imap_set_flags(&s->mailbox, words.data);
	}
}

static void show(struct imap_session *s, const struct imap_command *c)
{
	const struct imap_reader *r = &s->reader;
	const char *end = memchr(c->bytes.data, '\r', c->bytes.len);
	size_t len = end != NULL ? (size_t)(end - c->bytes.data) : c->bytes.len;

	if (r->trace == NULL)
		return;
	if (c->secret) {
		size_t verb = strcspn(c->bytes.data, " ");
		char line[64];
		verb += 1 + strcspn(c->bytes.data + verb + 1, " ");
		int n = snprintf(line, sizeof(line), "%.*s ***", (int)verb, c->bytes.data);
		r->trace(r->trace_ctx, false, line, (size_t)n);
	} else {
		r->trace(r->trace_ctx, false, c->bytes.data, len);
	}
}

static enum err write_bytes(struct imap_session *s, const void *bytes, size_t len, bool flush)
{
	mono_time until = imap_reader_patience(&s->reader);
	enum err e = imap_stream_write(s->stream, bytes, len, until, &s->failure);

	if (e == ERR_OK && flush)
		e = imap_stream_flush(s->stream, until, &s->failure);
	return e == ERR_OK ? ERR_OK : dead(s);
}

enum err imap_command_bytes(struct imap_session *s, const void *bytes, size_t len)
{
	return write_bytes(s, bytes, len, true);
}

enum err imap_command_send(struct imap_session *s, struct imap_command *c, bool no_end)
{
	size_t from = 0;
	enum err e;

	if (c->invalid || c->bytes.len > IMAP_COMMAND_MAX)
		return imap_session_fail(s, IMAP_VALUE_INVALID, "a value that cannot be sent");
	show(s, c);
	for (unsigned i = 0; i < c->cut_count; i++) {
		e = write_bytes(s, c->bytes.data + from, c->cuts[i] - from, true);
		if (e == ERR_OK)
			e = imap_command_continue(s, c->tag);
		if (e != ERR_OK)
			return e;
		from = c->cuts[i];
	}
	if (!no_end)
		buf_adds(&c->bytes, "\r\n");
	return write_bytes(s, c->bytes.data + from, c->bytes.len - from, !c->later);
}

enum err imap_session_peek(struct imap_session *s, bool *quiet_r)
{
	size_t len;
	enum err e = ERR_OK;

	(void)imap_stream_peek(s->stream, &len);
	if (len == 0)
		e = imap_stream_fill(s->stream, mono_now(), &s->failure);
	*quiet_r = e == ERR_TIMEOUT;
	return e == ERR_OK || *quiet_r ? ERR_OK : dead(s);
}

bool imap_is_tag(const char *text, unsigned tag)
{
	char own[16];

	snprintf(own, sizeof(own), "A%u", tag);
	return strcmp(text, own) == 0;
}

enum err imap_command_continue(struct imap_session *s, unsigned tag)
{
	for (;;) {
		struct imap_response resp;
		enum err e = imap_command_response(s, NULL, &resp);
		if (e != ERR_OK)
			return e;
		if (resp.kind == IMAP_CONTINUATION)
			return ERR_OK;
		if (resp.kind == IMAP_UNTAGGED)
			continue;
		if (!imap_is_tag(resp.tag, tag) || resp.status == IMAP_STATUS_OK)
			return imap_session_broken(
			    s, "the server answered another command than the one sent");
		return imap_session_refused(s, &resp);
	}
}

enum err imap_session_flood(struct imap_session *s, uint64_t since)
{
	if (imap_stream_received(s->stream) - since <= IMAP_ANSWER_MAX + s->uncounted)
		return ERR_OK;
	(void)imap_session_fail(s, IMAP_LIMIT_EXCEEDED, "the server sends without end");
	return dead(s);
}

static enum err answered(
    struct imap_session *s, const struct imap_handler *h, const struct imap_response *resp, enum err stopped)
{
	if (resp->status == IMAP_STATUS_OK) {
		if (strcmp(resp->code, "CAPABILITY") == 0)
			imap_set_capabilities(s, resp->code_args);
		if (h->ok != NULL)
			h->ok(h->ctx, resp);
	}
	if (stopped != ERR_OK) {
		if (s->failure.cause == IMAP_OK)
			s->failure = (struct imap_failure){.err = stopped, .cause = IMAP_INTERNAL};
		return stopped;
	}
	if (resp->status == IMAP_STATUS_OK)
		return ERR_OK;
	if (resp->status == IMAP_STATUS_NO || resp->status == IMAP_STATUS_BAD)
		return imap_session_refused(s, resp);
	return imap_session_broken(s, "the server's answer is neither OK, NO nor BAD");
}

enum err imap_command_wait(struct imap_session *s, unsigned tag, const struct imap_handler *h)
{
	static const struct imap_handler none;
	uint64_t since = imap_stream_received(s->stream);
	uint64_t taken = 0;
	enum err stopped = ERR_OK;

	s->uncounted = 0;
	if (h == NULL)
		h = &none;
	for (;;) {
		struct imap_response resp;
		enum err e = imap_command_response(s, h->hook, &resp);
		if (e != ERR_OK)
			return stopped != ERR_OK ? stopped : e;
		if (resp.kind == IMAP_CONTINUATION)
			return imap_session_broken(s, "the server asks for data nobody announced");
		if (resp.kind == IMAP_TAGGED)
			return imap_is_tag(resp.tag, tag)
				   ? answered(s, h, &resp, stopped)
				   : imap_session_broken(
					 s, "the server answered another command than the one sent");
		if (h->untagged != NULL && stopped == ERR_OK && resp.status == IMAP_NO_STATUS)
			stopped = h->untagged(h->ctx, &resp);
		if (h->taken != NULL && *h->taken != taken) {
			taken = *h->taken;
			since = imap_stream_received(s->stream);
		}
		e = imap_session_flood(s, since);
		if (e != ERR_OK)
			return e;
	}
}

enum err imap_command_run(struct imap_session *s, struct imap_command *c, const struct imap_handler *h)
{
	mono_time sent = mono_now();
	enum err e = imap_command_send(s, c, false);

	if (e == ERR_OK)
		e = imap_command_wait(s, c->tag, h);
	int64_t took_ms = mono_diff_ms(sent, mono_now());
	if (s->alive && took_ms < s->quickest_ms)
		s->quickest_ms = took_ms;
	return e;
}
