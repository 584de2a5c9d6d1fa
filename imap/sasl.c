#include "config.h"

#include "imap/sasl.h"

#include <ctype.h>
#include <string.h>

static bool is_line(const char *bytes, size_t len, size_t max)
{
	return len > 0 && len <= max && memchr(bytes, '\0', len) == NULL &&
	       memchr(bytes, '\r', len) == NULL && memchr(bytes, '\n', len) == NULL;
}

/* b64token of RFC 6750: nothing that could end the field it stands in. */
static bool is_token(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)bytes[i]) && strchr("-._~+/=", bytes[i]) == NULL)
			return false;
	return true;
}

bool sasl_sendable(const struct imap_credentials *c, const char **why_r)
{
	size_t max = c->token ? SASL_TOKEN_MAX : SASL_NAME_MAX;

	*why_r = NULL;
	if (!is_line(c->user, strlen(c->user), SASL_NAME_MAX) || !is_line(c->secret, c->secret_len, max) ||
	    (c->auth_user != NULL && !is_line(c->auth_user, strlen(c->auth_user), SASL_NAME_MAX)))
		*why_r = c->token
			     ? "user and access token must not be empty, too long, or hold line breaks"
			     : "user and password must not be empty, too long, or hold line breaks or NUL";
	else if (c->token && (!is_token(c->secret, c->secret_len) || strchr(c->user, '\x01') != NULL))
		*why_r = "the access token holds characters that no token has";
	return *why_r == NULL;
}

/* RFC 4616: whose mailbox, who logs in, his password; the first is left out where both are one. */
static void add_plain(const struct imap_credentials *c, struct buf *out)
{
	if (c->auth_user != NULL)
		buf_adds(out, c->user);
	buf_addc(out, '\0');
	buf_adds(out, c->auth_user != NULL ? c->auth_user : c->user);
	buf_addc(out, '\0');
	buf_add(out, c->secret, c->secret_len);
}

static void add_bearer(const struct imap_credentials *c, struct buf *out)
{
	buf_adds(out, "auth=Bearer ");
	buf_add(out, c->secret, c->secret_len);
	buf_adds(out, "\x01\x01");
}

/* RFC 7628; host and port are of use to a server that answers to several names. */
static void add_oauthbearer(const struct imap_credentials *c, struct buf *out)
{
	buf_adds(out, "n,a=");
	scram_name(c->user, out);
	buf_adds(out, ",\x01");
	if (c->host != NULL)
		buf_addf(out, "host=%s\x01port=%u\x01", c->host, c->port);
	add_bearer(c, out);
}

enum err sasl_first(struct sasl *x, struct buf *out)
{
	const struct imap_credentials *c = x->credentials;

	x->answers = 0;
	x->told = (struct buf)BUF_INIT;
	x->complete = x->mechanism != IMAP_AUTH_SCRAM_SHA_256;
	/* all at once: no realloc() may leave a secret behind */
	buf_reserve(out, c->secret_len + 8 * SASL_NAME_MAX);
	switch (x->mechanism) {
	case IMAP_AUTH_PLAIN: add_plain(c, out); break;
	case IMAP_AUTH_XOAUTH2:
		buf_addf(out, "user=%s\x01", c->user);
		add_bearer(c, out);
		break;
	case IMAP_AUTH_OAUTHBEARER: add_oauthbearer(c, out); break;
	case IMAP_AUTH_SCRAM_SHA_256:
		return c->auth_user != NULL ? scram_first(&x->scram, c->auth_user, c->user, NULL, out)
					    : scram_first(&x->scram, c->user, NULL, NULL, out);
	default: return ERR_INTERNAL;
	}
	return ERR_OK;
}

static enum err explain_scram(enum err e, struct imap_failure *f)
{
	switch (e) {
	case ERR_OK: return ERR_OK;
	case ERR_TOO_BIG:
		return imap_fail(f, IMAP_LIMIT_EXCEEDED,
		    "SCRAM: the server asks for fewer than %d or more than %d rounds", SCRAM_ROUNDS_MIN,
		    SCRAM_ROUNDS_MAX);
	case ERR_PROTOCOL:
		return imap_fail(f, IMAP_PROTOCOL_ERROR, "SCRAM: the server's answer does not fit ours");
	case ERR_DENIED: return imap_fail(f, IMAP_PASSWORD_REFUSED, "SCRAM: the server refuses");
	default: return imap_fail(f, IMAP_SERVER_UNPROVEN, "SCRAM: the server's signature is wrong");
	}
}

static enum err answer_scram(
    struct sasl *x, const char *challenge, size_t len, struct buf *out, struct imap_failure *f)
{
	const struct imap_credentials *c = x->credentials;

	if (x->answers == 0)
		return explain_scram(
		    scram_answer(&x->scram, challenge, len, c->secret, c->secret_len, out), f);
	enum err e = scram_check(&x->scram, challenge, len);
	x->complete = e == ERR_OK;
	return explain_scram(e, f);
}

enum err sasl_answer(
    struct sasl *x, const char *challenge, size_t len, struct buf *out, struct imap_failure *f)
{
	enum err e = ERR_OK;
	bool oauth = x->mechanism == IMAP_AUTH_XOAUTH2 || x->mechanism == IMAP_AUTH_OAUTHBEARER;

	if (x->mechanism == IMAP_AUTH_SCRAM_SHA_256 && x->answers < 2) {
		e = answer_scram(x, challenge, len, out, f);
	} else if (oauth && x->answers == 0) {
		/* it refuses, and says no more before it has an answer without a meaning */
		buf_add(&x->told, challenge, len);
		if (x->mechanism == IMAP_AUTH_OAUTHBEARER)
			buf_addc(out, '\x01');
	} else {
		e = imap_fail(f, IMAP_PROTOCOL_ERROR, "the server asks for more than the mechanism has");
	}
	x->answers++;
	return e;
}

void sasl_free(struct sasl *x)
{
	scram_free(&x->scram);
	if (x->told.data != NULL)
		buf_free(&x->told);
}
