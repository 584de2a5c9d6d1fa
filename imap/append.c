#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "imap/command.h"

/* Responses read in search of a reason after the server hung up on a message being sent. */
#define LAST_WORDS_MAX 8

/* ---- flags ---- */

bool imap_flag_valid(const char *word, size_t len)
{
	size_t i = len > 0 && word[0] == '\\';

	if (i == len || len > 128)
		return false;
	for (; i < len; i++)
		if ((unsigned char)word[i] <= ' ' || (unsigned char)word[i] >= 0x7F ||
		    strchr("(){%*\"\\]", word[i]) != NULL)
			return false;
	return true;
}

static bool is_word(const char *word, size_t len, const char *other)
{
	return strlen(other) == len && strncasecmp(word, other, len) == 0;
}

/* Whether the space separated list holds the word, ASCII case ignored. */
static bool holds(const char *list, const char *word, size_t len)
{
	while (*(list += strspn(list, " ")) != '\0') {
		size_t n = strcspn(list, " ");
		if (n == len && strncasecmp(list, word, n) == 0)
			return true;
		list += n;
	}
	return false;
}

void imap_command_flags(struct imap_command *c, const char *flags)
{
	bool first = true;

	imap_command_add(c, " (");
	while (*(flags += strspn(flags, " ")) != '\0') {
		size_t n = strcspn(flags, " ");
		if (!imap_flag_valid(flags, n))
			c->invalid = true;
		else if (!is_word(flags, n, "\\Recent")) {
			imap_command_add(c, "%s%.*s", first ? "" : " ", (int)n, flags);
			first = false;
		}
		flags += n;
	}
	imap_command_add(c, ")");
}

void imap_flags_keepable(const char *flags, const struct imap_mailbox *m, struct buf *out)
{
	size_t start = out->len;

	while (*(flags += strspn(flags, " ")) != '\0') {
		size_t n = strcspn(flags, " ");
		bool keyword = flags[0] != '\\';
		if (imap_flag_valid(flags, n) && !is_word(flags, n, "\\Recent") &&
		    (holds(m->permanent, flags, n) || (keyword && m->any_keyword)) &&
		    !holds(out->data + start, flags, n)) {
			if (out->len > start)
				buf_addc(out, ' ');
			buf_add(out, flags, n);
		}
		flags += n;
	}
}

/* ---- APPEND ---- */

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

enum err imap_append_begin(
    struct imap_session *s, const char *folder, const char *flags, const char *date, uint64_t size)
{
	struct imap_command c AUTO_COMMAND;
	uint64_t limit = imap_session_append_limit(s);
	bool at_once = imap_session_can(s, "LITERAL+") || (size <= 4096 && imap_session_can(s, "LITERAL-"));
	enum err e = imap_session_ready(s);

	imap_command_init(&c, s, "APPEND");
	if (e != ERR_OK)
		return e;
	if (limit != 0 && size > limit)
		return imap_fail(&s->failure, IMAP_MESSAGE_TOO_BIG,
		    "larger than the announced APPENDLIMIT of %llu", (unsigned long long)limit);
	if (date != NULL && !valid_date(date))
		return imap_session_fail(s, IMAP_VALUE_INVALID, "not a date");
	imap_command_string(&c, folder, strlen(folder));
	imap_command_flags(&c, flags);
	if (date != NULL)
		imap_command_add(&c, " \"%s\"", date);
	imap_command_add(&c, " {%llu%s}\r\n", (unsigned long long)size, at_once ? "+" : "");
	e = imap_command_send(s, &c, true);
	if (e == ERR_OK && !at_once)
		e = imap_command_continue(s, c.tag);
	if (e != ERR_OK)
		return explain(s, e);
	s->append = APPEND_OPEN;
	s->append_left = size;
	s->append_tag = c.tag;
	return ERR_OK;
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

static void on_appended(void *ctx, const struct imap_response *resp)
{
	struct imap_appended *a = ctx;
	const char *args = resp->code_args;
	size_t n = strcspn(args, " ");
	uint64_t validity, uid;

	if (strcmp(resp->code, "APPENDUID") == 0 && args[n] == ' ' &&
	    imap_parse_number(args, n, UINT32_MAX, &validity) == ERR_OK &&
	    imap_parse_number(args + n + 1, strlen(args + n + 1), UINT32_MAX, &uid) == ERR_OK)
		*a = (struct imap_appended){.uidvalidity = (uint32_t)validity, .uid = (uint32_t)uid};
}

enum err imap_append_finish(struct imap_session *s, struct imap_appended *a_r)
{
	struct imap_handler h = {.ok = on_appended, .ctx = a_r};
	enum err e;

	*a_r = (struct imap_appended){0};
	if (!s->alive || s->append != APPEND_OPEN || s->append_left != 0) {
		if (s->alive)
			(void)imap_session_fail(s, IMAP_INTERNAL, "less of a message than was announced");
		imap_append_abort(s);
		return s->failure.err;
	}
	s->append = APPEND_NONE;
	e = imap_command_bytes(s, "\r\n", 2);
	if (e == ERR_OK)
		e = imap_command_wait(s, s->append_tag, &h);
	/* dead without an answer: the message may be there */
	if (e != ERR_OK && !s->alive)
		s->failure.err = e = ERR_UNCERTAIN;
	return explain(s, e);
}

void imap_append_abort(struct imap_session *s)
{
	if (s->failure.cause == IMAP_OK)
		(void)imap_session_fail(s, IMAP_CLOSED, "the message was given up halfway");
	s->alive = false;
	s->append = APPEND_NONE;
	imap_stream_shut(s->stream);
}

enum err imap_store(struct imap_session *s, uint32_t uid, enum imap_store_mode mode, const char *flags)
{
	static const char *const signs[] = {
	    [IMAP_STORE_SET] = "", [IMAP_STORE_ADD] = "+", [IMAP_STORE_REMOVE] = "-"};
	struct imap_command c AUTO_COMMAND;

	imap_command_init(&c, s, "UID STORE");
	enum err e = imap_session_ready(s);
	if (e != ERR_OK)
		return e;
	if (!s->selected || uid == 0)
		return imap_session_fail(s, IMAP_INTERNAL, "nothing selected");
	imap_command_add(&c, " %u %sFLAGS.SILENT", uid, signs[mode]);
	imap_command_flags(&c, flags);
	return imap_command_run(s, &c, NULL);
}
