#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "imap/command.h"

/* Responses read in search of a reason after the server hung up on a message being sent. */
#define LAST_WORDS_MAX 8

/* date-time of RFC 9051 without its quotes: "17-Jul-1996 02:44:25 -0700". */
static bool valid_date(const char *d)
{
	static const char form[] = "dd-Mmm-dddd dd:dd:dd sdddd";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	if (strlen(d) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; form[i] != '\0'; i++) {
		bool ok = d[i] == form[i];
		switch (form[i]) {
		case 'd': ok = isdigit((unsigned char)d[i]) || (i == 0 && d[i] == ' '); break;
		case 'M':
		case 'm': ok = isalpha((unsigned char)d[i]) != 0; break;
		case 's': ok = d[i] == '+' || d[i] == '-'; break;
		default: break;
		}
		if (!ok)
			return false;
	}
	for (size_t i = 0; i < sizeof(months) - 1; i += 3)
		if (strncasecmp(months + i, d + 3, 3) == 0)
			return true;
	return false;
}

/* RFC 5530 LIMIT means one message too many or too big here, not a busy server. */
static enum err explain(struct imap_session *s, enum err e)
{
	if (e != ERR_OK && strcmp(s->failure.code, "LIMIT") == 0) {
		s->failure.cause = IMAP_MESSAGE_TOO_BIG;
		s->failure.err = e = imap_cause_err(IMAP_MESSAGE_TOO_BIG);
	}
	return e;
}

bool imap_append_ahead(const struct imap_session *s)
{
	return imap_session_can(s, "LITERAL+");
}

bool imap_append_groups(const struct imap_session *s)
{
	return imap_session_can(s, "MULTIAPPEND");
}

/* Whether one more message may begin now, in the command that is open or in one of its own. */
static enum err may_begin(struct imap_session *s, const char *date, uint64_t size)
{
	uint64_t limit = imap_session_append_limit(s);
	bool open = s->append == APPEND_OPEN;

	if (!s->alive)
		return imap_session_ready(s);
	if (open ? s->append_left != 0 || !imap_append_groups(s)
		 : s->pipeline_count != 0 || s->sent_count == IMAP_APPENDS_MAX ||
		       (s->sent_count != 0 && !imap_append_ahead(s)))
		return imap_session_fail(s, IMAP_INTERNAL, "a command inside another");
	s->failure = (struct imap_failure){0};
	if (limit != 0 && size > limit)
		return imap_fail(&s->failure, IMAP_MESSAGE_TOO_BIG,
		    "larger than the announced APPENDLIMIT of %llu", (unsigned long long)limit);
	if (date != NULL && !valid_date(date))
		return imap_session_fail(s, IMAP_VALUE_INVALID, "not a date");
	return ERR_OK;
}

enum err imap_append_message(struct imap_session *s, const char *folder, unsigned id, const char *flags,
    const char *date, uint64_t size)
{
	struct imap_command c AUTO_COMMAND;
	bool at_once = imap_append_ahead(s) || (size <= 4096 && imap_session_can(s, "LITERAL-"));
	bool utf8 = s->append_utf8;
	bool open = s->append == APPEND_OPEN;
	enum err e = may_begin(s, date, size);

	imap_command_init(&c, s, "APPEND");
	if (e != ERR_OK)
		return e;
	if (open) {
		c.tag = s->append_tag;
		buf_clear(&c.bytes);
	} else {
		imap_command_folder(&c, s, folder);
	}
	imap_command_flags(&c, flags);
	if (date != NULL)
		imap_command_add(&c, " \"%s\"", date);
	imap_command_add(
	    &c, "%s{%llu%s}\r\n", utf8 ? " UTF8 (~" : " ", (unsigned long long)size, at_once ? "+" : "");
	c.later = at_once;
	e = imap_command_send(s, &c, true);
	if (e == ERR_OK && !at_once)
		e = imap_command_continue(s, c.tag);
	if (e != ERR_OK) {
		/* a value that cannot be sent leaves what is open as it was */
		if (s->failure.cause != IMAP_VALUE_INVALID)
			s->append = APPEND_NONE;
		return explain(s, e);
	}
	s->append = APPEND_OPEN;
	s->append_left = size;
	s->append_tag = c.tag;
	s->append_id = id;
	return ERR_OK;
}

enum err imap_append_begin(
    struct imap_session *s, const char *folder, const char *flags, const char *date, uint64_t size)
{
	if (s->alive && (s->append != APPEND_NONE || s->sent_count != 0))
		return imap_session_fail(s, IMAP_INTERNAL, "a command inside another");
	return imap_append_message(s, folder, 0, flags, date, size);
}

bool imap_append_takes_utf8(const struct imap_session *s)
{
	return s->enabled_utf8;
}

enum err imap_append_begin_utf8(
    struct imap_session *s, const char *folder, const char *flags, const char *date, uint64_t size)
{
	s->append_utf8 = s->enabled_utf8;
	enum err e = imap_append_begin(s, folder, flags, date, size);
	if (e != ERR_OK)
		s->append_utf8 = false;
	return e;
}

/* The server hung up while the message was on its way: it may have said why. */
static enum err last_words(struct imap_session *s)
{
	struct imap_failure hung_up = s->failure;

	for (int i = 0; i < LAST_WORDS_MAX && hung_up.cause == IMAP_CLOSED; i++) {
		struct imap_response resp;
		if (imap_read_response(&s->reader, NULL, &resp, &s->failure) != ERR_OK)
			break;
		if (resp.status == IMAP_STATUS_NO || resp.status == IMAP_STATUS_BAD) {
			return explain(s, imap_session_refused(s, &resp));
		}
		if (resp.status == IMAP_STATUS_BYE)
			(void)imap_fail_server(&hung_up, IMAP_CLOSED, resp.text, resp.text_len);
	}
	s->failure = hung_up;
	return hung_up.err;
}

enum err imap_append_write(struct imap_session *s, const char *bytes, size_t len)
{
	if (!s->alive || s->append != APPEND_OPEN || len > s->append_left) {
		if (s->alive)
			(void)imap_session_fail(s, IMAP_INTERNAL, "more of a message than was announced");
		imap_append_abort(s);
		return s->failure.err;
	}
	s->append_left -= len;
	enum err e = imap_stream_write(s->stream, bytes, len, imap_reader_patience(&s->reader), &s->failure);
	if (e != ERR_OK) {
		e = last_words(s);
		imap_append_abort(s);
	}
	return e;
}

/* APPENDUID of RFC 4315: the UIDVALIDITY, and the set of UIDs into s->appended. */
static void read_appended(struct imap_session *s, const struct imap_response *resp, uint32_t *validity_r)
{
	const char *args = resp->code_args;
	size_t n = strcspn(args, " ");
	uint64_t validity;

	*validity_r = 0;
	buf_clear(&s->appended);
	if (strcmp(resp->code, "APPENDUID") != 0 || args[n] != ' ' ||
	    imap_parse_number(args, n, UINT32_MAX, &validity) != ERR_OK)
		return;
	*validity_r = (uint32_t)validity;
	buf_adds(&s->appended, args + n + 1);
}

uint32_t imap_uid_at(const char *set, unsigned index)
{
	while (*set != '\0') {
		size_t len = strcspn(set, ",");
		size_t colon = strcspn(set, ":,");
		uint64_t first, last;
		if (imap_parse_number(set, colon, UINT32_MAX, &first) != ERR_OK)
			return 0;
		last = first;
		if (colon < len &&
		    imap_parse_number(set + colon + 1, len - colon - 1, UINT32_MAX, &last) != ERR_OK)
			return 0;
		if (last < first) {
			uint64_t swap = first;
			first = last;
			last = swap;
		}
		if (index <= last - first)
			return (uint32_t)(first + index);
		index -= (unsigned)(last - first + 1);
		set += len;
		set += *set == ',';
	}
	return 0;
}

enum err imap_append_end(struct imap_session *s)
{
	if (!s->alive || s->append != APPEND_OPEN || s->append_left != 0) {
		if (s->alive)
			(void)imap_session_fail(s, IMAP_INTERNAL, "less of a message than was announced");
		imap_append_abort(s);
		return s->failure.err;
	}
	s->append = APPEND_NONE;
	s->sent[s->sent_count++] = (struct imap_sent){.tag = s->append_tag, .id = s->append_id};
	bool utf8 = s->append_utf8;
	s->append_utf8 = false;
	return utf8 ? imap_command_bytes(s, ")\r\n", 3) : imap_command_bytes(s, "\r\n", 2);
}

/* The APPEND that resp answers, taken out; false if there is none. */
static bool take_sent(struct imap_session *s, const char *tag, unsigned *id_r)
{
	for (unsigned i = 0; i < s->sent_count; i++) {
		if (!imap_is_tag(tag, s->sent[i].tag))
			continue;
		*id_r = s->sent[i].id;
		s->sent_count--;
		memmove(&s->sent[i], &s->sent[i + 1], (s->sent_count - i) * sizeof(s->sent[0]));
		return true;
	}
	return false;
}

enum err imap_append_answer(struct imap_session *s, bool wait, struct imap_append_answer *a_r)
{
	uint64_t since;

	*a_r = (struct imap_append_answer){.uids = ""};
	if (!s->alive)
		return imap_session_ready(s);
	s->uncounted = 0;
	since = imap_stream_received(s->stream);
	while (s->sent_count > 0) {
		struct imap_response resp;
		bool quiet = false;
		enum err e = wait ? ERR_OK : imap_session_peek(s, &quiet);
		if (e == ERR_OK && quiet)
			return ERR_OK;
		if (e == ERR_OK)
			e = imap_command_response(s, NULL, &resp);
		if (e == ERR_OK)
			e = imap_session_flood(s, since);
		if (e != ERR_OK)
			return e;
		if (resp.kind == IMAP_UNTAGGED)
			continue;
		if (resp.kind == IMAP_CONTINUATION || !take_sent(s, resp.tag, &a_r->id))
			return imap_session_broken(
			    s, "the server answered another command than the one sent");
		a_r->answered = true;
		s->failure = (struct imap_failure){0};
		if (resp.status == IMAP_STATUS_OK) {
			read_appended(s, &resp, &a_r->uidvalidity);
			a_r->uids = s->appended.data;
		} else {
			a_r->err = explain(s, imap_session_refused(s, &resp));
		}
		return ERR_OK;
	}
	return ERR_OK;
}

enum err imap_append_finish(struct imap_session *s, struct imap_appended *a_r)
{
	struct imap_append_answer answer;
	enum err e;

	*a_r = (struct imap_appended){0};
	e = imap_append_end(s);
	if (e != ERR_OK && s->sent_count == 0)
		return e;
	if (e == ERR_OK)
		e = imap_append_answer(s, true, &answer);
	/* dead without an answer: the message may be there */
	if (e != ERR_OK)
		return s->failure.err = ERR_UNCERTAIN;
	a_r->uidvalidity = answer.uidvalidity;
	a_r->uid = imap_uid_at(answer.uids, 0);
	return answer.err;
}

void imap_append_abort(struct imap_session *s)
{
	if (s->failure.cause == IMAP_OK)
		(void)imap_session_fail(s, IMAP_CLOSED, "the message was given up halfway");
	s->alive = false;
	s->append = APPEND_NONE;
	imap_stream_shut(s->stream);
}
