#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "imap/base64.h"
#include "imap/command.h"
#include "imap/sasl.h"

static const char *const names[] = {
    [IMAP_AUTH_AUTOMATIC] = "",
    [IMAP_AUTH_LOGIN] = "LOGIN",
    [IMAP_AUTH_PLAIN] = "PLAIN",
    [IMAP_AUTH_SCRAM_SHA_256] = "SCRAM-SHA-256",
    [IMAP_AUTH_XOAUTH2] = "XOAUTH2",
    [IMAP_AUTH_OAUTHBEARER] = "OAUTHBEARER",
};

const char *imap_mechanism_name(enum imap_mechanism m)
{
	return names[m];
}

enum err imap_mechanism_named(const char *name, enum imap_mechanism *m_r)
{
	for (size_t i = 1; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(name, names[i]) == 0) {
			*m_r = (enum imap_mechanism)i;
			return ERR_OK;
		}
	}
	return ERR_INVALID;
}

enum imap_mechanism imap_session_mechanism(const struct imap_session *s)
{
	return s->mechanism;
}

static bool offers(const struct imap_session *s, enum imap_mechanism m)
{
	char word[40];

	if (m == IMAP_AUTH_LOGIN)
		return !imap_session_can(s, "LOGINDISABLED");
	snprintf(word, sizeof(word), "AUTH=%s", names[m]);
	return imap_session_can(s, word);
}

static bool in_the_clear(const struct imap_session *s)
{
	struct imap_peer peer = {0};

	imap_stream_peer(s->stream, &peer);
	return peer.tls_version[0] == '\0';
}

/* What is taken where nothing was asked for; LOGIN where nothing else is offered. */
static enum imap_mechanism choose(const struct imap_session *s, const struct imap_credentials *c)
{
	if (c->token)
		return offers(s, IMAP_AUTH_OAUTHBEARER) ? IMAP_AUTH_OAUTHBEARER : IMAP_AUTH_XOAUTH2;
	if (in_the_clear(s) && offers(s, IMAP_AUTH_SCRAM_SHA_256))
		return IMAP_AUTH_SCRAM_SHA_256;
	if (offers(s, IMAP_AUTH_PLAIN))
		return IMAP_AUTH_PLAIN;
	if ((c->auth_user != NULL || !offers(s, IMAP_AUTH_LOGIN)) && offers(s, IMAP_AUTH_SCRAM_SHA_256))
		return IMAP_AUTH_SCRAM_SHA_256;
	return IMAP_AUTH_LOGIN;
}

/* A base64 line of ours.  Nothing at all is a line, too. */
static enum err send_message(struct imap_session *s, const struct buf *message)
{
	struct buf line = BUF_INIT;

	base64_add(message->data, message->len, &line);
	buf_reserve(&line, 2);
	buf_adds(&line, "\r\n");
	enum err e = imap_command_bytes(s, line.data, line.len);
	buf_wipe(&line);
	return e;
}

static enum err send_command(
    struct imap_session *s, struct imap_command *c, const struct buf *first, bool at_once)
{
	imap_command_add(c, " %s", names[s->mechanism]);
	if (at_once) {
		struct buf code = BUF_INIT;
		base64_add(first->data, first->len, &code);
		buf_reserve(&c->bytes, code.len + 16);
		buf_addc(&c->bytes, ' ');
		buf_add(&c->bytes, code.data, code.len);
		buf_wipe(&code);
	}
	return imap_command_send(s, c, false);
}

/* "*" ends the exchange; what the server says to that tells less than why it is ended. */
static enum err cancel(struct imap_session *s, unsigned tag, const struct imap_failure *why)
{
	enum err e = imap_command_bytes(s, "*\r\n", 3);

	if (e == ERR_OK)
		e = imap_command_wait(s, tag, NULL);
	/* who lets us in after that, or goes on asking, is no server to go on with */
	if (e == ERR_OK || why->cause == IMAP_SERVER_UNPROVEN)
		s->alive = false;
	s->failure = *why;
	return why->err;
}

/* One challenge answered, or the exchange cancelled. */
static enum err answer(struct imap_session *s, struct sasl *x, unsigned tag, const char *code, size_t len)
{
	struct buf challenge AUTO_BUF = BUF_INIT;
	struct buf message = BUF_INIT;
	struct imap_failure why = {0};
	enum err e;

	if (base64_decode(code, len, &challenge) != ERR_OK)
		e = imap_fail(
		    &why, IMAP_PROTOCOL_ERROR, "what the server says within the login is no base64");
	else
		e = sasl_answer(x, challenge.data, challenge.len, &message, &why);
	e = e == ERR_OK ? send_message(s, &message) : cancel(s, tag, &why);
	buf_wipe(&message);
	return e;
}

/* Reads up to the server's answer, giving what it asks for. */
static enum err converse(struct imap_session *s, struct sasl *x, unsigned tag, const struct buf *unsent)
{
	uint64_t since = imap_stream_received(s->stream);

	s->uncounted = 0;
	for (;;) {
		struct imap_response resp;
		enum err e = imap_command_response(s, NULL, &resp);
		if (e == ERR_OK)
			e = imap_session_flood(s, since);
		if (e != ERR_OK)
			return e;
		if (resp.kind == IMAP_CONTINUATION) {
			e = unsent != NULL ? send_message(s, unsent)
					   : answer(s, x, tag, resp.text, resp.text_len);
			unsent = NULL;
			if (e != ERR_OK)
				return e;
			continue;
		}
		if (resp.kind == IMAP_UNTAGGED)
			continue;
		if (!imap_is_tag(resp.tag, tag))
			return imap_session_broken(
			    s, "the server answered another command than the one sent");
		if (resp.status != IMAP_STATUS_OK)
			return imap_session_refused(s, &resp);
		if (strcmp(resp.code, "CAPABILITY") == 0)
			imap_set_capabilities(s, resp.code_args);
		if (x->complete && unsent == NULL)
			return ERR_OK;
		s->alive = false;
		return imap_session_fail(
		    s, IMAP_SERVER_UNPROVEN, "it let us in before the login was complete");
	}
}

/* What an OAuth server said of why, behind what the IMAP server did; each gets half of the room. */
static void add_told(struct imap_session *s, const struct sasl *x)
{
	struct buf text AUTO_BUF = BUF_INIT;
	struct imap_failure *f = &s->failure;
	struct imap_failure told;

	if (x->told.len == 0)
		return;
	buf_add(&text, f->text, f->text_len < IMAP_TEXT_MAX / 2 ? f->text_len : IMAP_TEXT_MAX / 2);
	buf_adds(&text, ": ");
	imap_session_mask(s, x->told.data, x->told.len, &text);
	(void)imap_fail_server(&told, f->cause, text.data, text.len);
	memcpy(told.code, f->code, sizeof(told.code));
	*f = told;
}

static enum err authenticate(struct imap_session *s, const struct imap_credentials *credentials)
{
	struct imap_command c AUTO_COMMAND;
	struct sasl x = {.mechanism = s->mechanism, .credentials = credentials};
	struct buf first = BUF_INIT;
	bool at_once = imap_session_can(s, "SASL-IR");
	enum err e = sasl_first(&x, &first);

	imap_command_init(&c, s, "AUTHENTICATE");
	c.secret = true;
	if (e != ERR_OK)
		e = imap_session_fail(s, IMAP_INTERNAL, "no random numbers");
	redact_add(s->secrets, first.data, first.len);
	if (e == ERR_OK)
		e = send_command(s, &c, &first, at_once);
	if (e == ERR_OK)
		e = converse(s, &x, c.tag, at_once ? NULL : &first);
	if (e != ERR_OK)
		add_told(s, &x);
	buf_wipe(&first);
	sasl_free(&x);
	return e;
}

static enum err plain_login(struct imap_session *s, const struct imap_credentials *credentials)
{
	struct imap_command c AUTO_COMMAND;

	imap_command_init(&c, s, "LOGIN");
	c.secret = true;
	imap_command_string(&c, credentials->user, strlen(credentials->user));
	imap_command_string(&c, credentials->secret, credentials->secret_len);
	return imap_command_run(s, &c, NULL);
}

/* Whether the mechanism can be tried; says why not. */
static enum err check_offer(struct imap_session *s, const struct imap_credentials *c)
{
	if (s->mechanism == IMAP_AUTH_LOGIN && c->auth_user != NULL)
		return imap_session_fail(s, IMAP_MECHANISM_MISSING,
		    "to log in for another takes AUTH=PLAIN or AUTH=SCRAM-SHA-256");
	if (offers(s, s->mechanism))
		return ERR_OK;
	if (c->mechanism == IMAP_AUTH_AUTOMATIC && !c->token)
		return imap_session_fail(
		    s, IMAP_LOGIN_DISABLED, "LOGINDISABLED, and neither AUTH=PLAIN nor AUTH=SCRAM-SHA-256");
	return imap_fail(&s->failure, IMAP_MECHANISM_MISSING, "%s",
	    s->mechanism == IMAP_AUTH_LOGIN       ? "LOGINDISABLED"
	    : c->mechanism == IMAP_AUTH_AUTOMATIC ? "neither AUTH=OAUTHBEARER nor AUTH=XOAUTH2"
						  : "it is not among the capabilities");
}

enum err imap_authenticate(struct imap_session *s, const struct imap_credentials *c)
{
	enum err e = imap_session_ready(s);
	const char *why;

	if (e != ERR_OK)
		return e;
	/* PREAUTH */
	if (s->authenticated)
		return s->enabled_utf8 || s->enabled_rev2 ? ERR_OK : imap_enable(s);
	if (!sasl_sendable(c, &why))
		return imap_session_fail(s, IMAP_VALUE_INVALID, why);
	s->mechanism = c->mechanism != IMAP_AUTH_AUTOMATIC ? c->mechanism : choose(s, c);
	e = check_offer(s, c);
	if (e != ERR_OK)
		return e;
	unsigned lists = s->capability_lists;
	s->secrets = redact_new();
	redact_add(s->secrets, c->secret, c->secret_len);
	e = s->mechanism == IMAP_AUTH_LOGIN ? plain_login(s, c) : authenticate(s, c);
	redact_free(&s->secrets);
	if (e != ERR_OK) {
		enum imap_cause cause = s->failure.cause;
		if (cause == IMAP_COMMAND_REFUSED || cause == IMAP_NO_PERMISSION ||
		    cause == IMAP_PASSWORD_REFUSED) {
			s->failure.cause = c->token ? IMAP_TOKEN_REFUSED : IMAP_PASSWORD_REFUSED;
			s->failure.err = imap_cause_err(s->failure.cause);
		}
		return s->failure.err;
	}
	s->authenticated = true;
	/* what was offered before the login says nothing about after it */
	if (s->capability_lists == lists)
		e = imap_ask_capabilities(s);
	return e == ERR_OK ? imap_enable(s) : e;
}

enum err imap_login(struct imap_session *s, const char *user, const char *password, size_t password_len)
{
	const struct imap_credentials c = {.user = user, .secret = password, .secret_len = password_len};

	return imap_authenticate(s, &c);
}

enum err imap_id(struct imap_session *s, const char *name, const char *version)
{
	struct imap_command c AUTO_COMMAND;

	imap_command_init(&c, s, "ID (\"name\"");
	enum err e = imap_session_ready(s);
	if (e != ERR_OK || !imap_session_can(s, "ID"))
		return e;
	imap_command_string(&c, name, strlen(name));
	imap_command_add(&c, " \"version\"");
	imap_command_string(&c, version, strlen(version));
	imap_command_add(&c, ")");
	e = imap_command_run(s, &c, NULL);
	return s->alive && e != ERR_INVALID ? ERR_OK : e;
}
