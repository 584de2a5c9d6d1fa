#include "config.h"

#include "imap/session.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "imap/command.h"
#include "lib/mem.h"

#define CAPABILITIES_MAX 8192

void imap_set_capabilities(struct imap_session *s, const char *words)
{
	s->capability_lists++;
	buf_clear(&s->capabilities);
	buf_addc(&s->capabilities, ' ');
	for (const char *p = words; *p != '\0' && s->capabilities.len < CAPABILITIES_MAX; p++)
		buf_addc(&s->capabilities, (char)toupper((unsigned char)*p));
	buf_addc(&s->capabilities, ' ');
}

bool imap_session_lists(const struct imap_session *s, const char *word)
{
	char want[80];
	int n = snprintf(want, sizeof(want), " %s ", word);

	if (n < 0 || (size_t)n >= sizeof(want))
		return false;
	for (char *p = want; *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	return strstr(s->capabilities.data, want) != NULL;
}

bool imap_session_is_rev2(const struct imap_session *s)
{
	return s->enabled_rev2 || (imap_session_lists(s, "IMAP4rev2") && !imap_session_lists(s, "IMAP4rev1"));
}

bool imap_session_utf8(const struct imap_session *s)
{
	return s->enabled_utf8 || imap_session_is_rev2(s);
}

/* RFC 9051, appendix E: what IMAP4rev2 is made of, of that which is used here. */
static bool is_part_of_rev2(const char *word)
{
	static const char *const parts[] = {"ENABLE", "ESEARCH", "LIST-EXTENDED", "LIST-STATUS", "LITERAL-",
	    "NAMESPACE", "SASL-IR", "STATUS=SIZE", "UIDPLUS"};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcasecmp(word, parts[i]) == 0)
			return true;
	return false;
}

bool imap_session_can(const struct imap_session *s, const char *word)
{
	return imap_session_lists(s, word) || (is_part_of_rev2(word) && imap_session_is_rev2(s));
}

const char *imap_session_capabilities(const struct imap_session *s)
{
	return s->capabilities.data;
}

uint64_t imap_session_append_limit(const struct imap_session *s)
{
	const char *p = strstr(s->capabilities.data, " APPENDLIMIT=");
	uint64_t n;

	if (p == NULL)
		return 0;
	p += strlen(" APPENDLIMIT=");
	return imap_parse_number(p, strcspn(p, " "), UINT64_MAX, &n) == ERR_OK ? n : 0;
}

void imap_set_flags(struct imap_mailbox *m, const char *words)
{
	size_t len = 0;

	m->any_keyword = false;
	m->permanent[0] = '\0';
	while (*(words += strspn(words, " ()")) != '\0') {
		size_t n = strcspn(words, " ()");
		if (n == 2 && memcmp(words, "\\*", 2) == 0)
			m->any_keyword = true;
		else if (len + n + 2 <= sizeof(m->permanent))
			len += (size_t)snprintf(m->permanent + len, sizeof(m->permanent) - len, "%s%.*s",
			    len > 0 ? " " : "", (int)n, words);
		words += n;
	}
}

bool imap_session_alive(const struct imap_session *s)
{
	return s->alive;
}

const struct imap_failure *imap_session_failure(const struct imap_session *s)
{
	return &s->failure;
}

struct imap_stream *imap_session_stream(struct imap_session *s)
{
	return s->stream;
}

const struct imap_mailbox *imap_selected(const struct imap_session *s)
{
	return s->selected ? &s->mailbox : NULL;
}

enum err imap_ask_capabilities(struct imap_session *s)
{
	struct imap_command c AUTO_COMMAND;

	imap_command_init(&c, s, "CAPABILITY");
	return imap_command_run(s, &c, NULL);
}

/* A TLS record where a greeting should be; text of other protocols is told by the parser. */
static enum err greets_in_tls(struct imap_session *s, bool *yes_r)
{
	size_t len;
	const unsigned char *p = (const unsigned char *)imap_stream_peek(s->stream, &len);

	if (len == 0) {
		enum err e = imap_stream_fill(s->stream, imap_reader_patience(&s->reader), &s->failure);
		if (e != ERR_OK)
			return e;
		p = (const unsigned char *)imap_stream_peek(s->stream, &len);
	}
	*yes_r = p[0] >= 20 && p[0] <= 23;
	return ERR_OK;
}

static enum err read_greeting(struct imap_session *s, bool starttls)
{
	struct imap_response resp;
	bool tls = false;
	enum err e = greets_in_tls(s, &tls);

	if (e != ERR_OK)
		return e;
	if (tls)
		return imap_session_fail(s, IMAP_IS_TLS, "a TLS record came instead of a greeting");
	e = imap_read_response(&s->reader, NULL, &resp, &s->failure);
	if (e == ERR_PROTOCOL || e == ERR_TOO_BIG)
		return imap_session_fail(s, IMAP_NOT_IMAP, "the greeting is not that of an IMAP server");
	if (e != ERR_OK)
		return e;
	if (resp.kind != IMAP_UNTAGGED)
		return imap_session_fail(s, IMAP_NOT_IMAP, "the greeting is not that of an IMAP server");
	imap_session_untagged(s, &resp);
	switch (resp.status) {
	case IMAP_STATUS_OK: return ERR_OK;
	case IMAP_STATUS_BYE: return imap_fail_server(&s->failure, IMAP_BUSY, resp.text, resp.text_len);
	case IMAP_STATUS_PREAUTH:
		/* who is logged in already cannot start TLS: somebody wants the mail to travel in the clear
		 */
		if (starttls)
			return imap_session_fail(s, IMAP_STARTTLS_MISSING, "the greeting leaves no STARTTLS");
		s->authenticated = true;
		return ERR_OK;
	default: return imap_session_fail(s, IMAP_NOT_IMAP, "the greeting is not that of an IMAP server");
	}
}

static enum err upgrade(struct imap_session *s, mono_time until)
{
	struct imap_command c AUTO_COMMAND;
	enum err e = ERR_OK;

	if (s->capabilities.len == 0)
		e = imap_ask_capabilities(s);
	imap_command_init(&c, s, "STARTTLS");
	if (e == ERR_OK && !imap_session_can(s, "STARTTLS"))
		e = imap_session_fail(s, IMAP_STARTTLS_MISSING, "STARTTLS is not among the capabilities");
	if (e == ERR_OK) {
		e = imap_command_run(s, &c, NULL);
		if (e != ERR_OK && s->alive)
			s->failure.cause = IMAP_STARTTLS_MISSING;
	}
	if (e == ERR_OK)
		e = imap_stream_starttls(s->stream, until, &s->failure);
	/* nothing said in the clear counts any more */
	buf_clear(&s->capabilities);
	buf_clear(&s->bye);
	s->mailbox = (struct imap_mailbox){0};
	return e == ERR_OK ? ERR_OK : (s->failure.err = imap_cause_err(s->failure.cause));
}

static enum err introduce(struct imap_session *s, const struct imap_options *o, mono_time until)
{
	bool starttls = o->endpoint.security == IMAP_SECURITY_STARTTLS;
	enum err e = read_greeting(s, starttls);

	if (e == ERR_OK && starttls)
		e = upgrade(s, until);
	if (e == ERR_OK && s->capabilities.len == 0)
		e = imap_ask_capabilities(s);
	return e;
}

enum err imap_session_open(
    const struct imap_options *o, struct imap_session **s_r, struct imap_failure *f, struct imap_peer *peer)
{
	mono_time until = mono_after(mono_now(), o->connect_ms);
	struct imap_session *s;
	enum err e;

	*s_r = NULL;
	if (o->deadline.ms != 0 && o->deadline.ms < until.ms)
		until = o->deadline;
	s = mem_alloc(sizeof(*s));
	s->quickest_ms = INT64_MAX;
	s->capabilities = s->bye = s->appended = (struct buf)BUF_INIT;
	s->details_flags = s->details_date = (struct buf)BUF_INIT;
	e = imap_stream_open(&o->endpoint, until, &s->stream, &s->failure, peer);
	imap_reader_init(&s->reader, s->stream);
	if (e == ERR_OK) {
		s->alive = true;
		s->reader.silence_ms = o->connect_ms;
		s->reader.deadline = until;
		s->reader.trace = o->trace;
		s->reader.trace_ctx = o->trace_ctx;
		e = introduce(s, o, until);
		if (peer != NULL)
			imap_stream_peer(s->stream, peer);
	}
	if (e != ERR_OK) {
		if (f != NULL)
			*f = s->failure;
		imap_session_close(&s);
		return e;
	}
	s->reader.silence_ms = o->silence_ms;
	s->reader.deadline = o->deadline;
	if (f != NULL)
		*f = (struct imap_failure){0};
	*s_r = s;
	return ERR_OK;
}

void imap_session_close(struct imap_session **sp)
{
	struct imap_session *s = *sp;

	if (s == NULL)
		return;
	*sp = NULL;
	imap_stream_close(&s->stream);
	imap_reader_free(&s->reader);
	buf_free(&s->capabilities);
	buf_free(&s->bye);
	buf_free(&s->appended);
	buf_free(&s->details_flags);
	buf_free(&s->details_date);
	free(s);
}

void imap_session_logout(struct imap_session **sp)
{
	struct imap_session *s = *sp;

	if (s != NULL && imap_session_ready(s) == ERR_OK) {
		struct imap_command c AUTO_COMMAND;
		imap_command_init(&c, s, "LOGOUT");
		enum err e = imap_command_run(s, &c, NULL);
		(void)e;
	}
	imap_session_close(sp);
}

enum err imap_noop(struct imap_session *s)
{
	struct imap_command c AUTO_COMMAND;

	imap_command_init(&c, s, "NOOP");
	enum err e = imap_session_ready(s);
	return e == ERR_OK ? imap_command_run(s, &c, NULL) : e;
}
