#include "config.h"

#include "imap/probe.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "imap/session.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/utf8.h"

#define DETAIL_MAX 300
#define CAPABILITIES_MAX 2000
#define SECRET_MAX 1024

/* Time kept back to find out whether a silent plain port is a TLS port: a quarter, at most 3 s. */
#define SECOND_LOOK_MS 3000

/* ---- what a server says, made fit to show ---- */

/* Formatting characters that let a text show as another: bidirectional, zero width, line separators. */
static bool misleading(const char *s, size_t n)
{
	unsigned u;

	if (n == 2)
		return memcmp(s, "\xD8\x9C", 2) == 0;
	if (n != 3)
		return false;
	u = ((unsigned char)s[0] & 0x0Fu) << 12 | ((unsigned char)s[1] & 0x3Fu) << 6 |
	    ((unsigned char)s[2] & 0x3Fu);
	return (u >= 0x200B && u <= 0x200F) || (u >= 0x2028 && u <= 0x202E) || (u >= 0x2060 && u <= 0x206F) ||
	       u == 0xFEFF;
}

static const char *clean(struct arena *a, const char *s, size_t len)
{
	struct buf out AUTO_BUF = BUF_INIT;

	for (size_t i = 0; i < len && out.len < DETAIL_MAX - 4;) {
		size_t n = utf8_sequence(s + i, len - i);
		if (n == 0) {
			buf_adds(&out, "\xEF\xBF\xBD");
			n = 1;
		} else if (utf8_is_control(s + i, n)) {
			buf_addc(&out, ' ');
		} else if (!misleading(s + i, n)) {
			buf_add(&out, s + i, n);
		}
		i += n;
	}
	return arena_strndup(a, out.data, out.len);
}

/* Every occurrence of secret in text becomes "***". */
static void redact(struct buf *text, const char *secret, size_t len)
{
	struct buf out = BUF_INIT;
	size_t from = 0;

	if (len == 0)
		return;
	while (from < text->len) {
		const char *at = memmem(text->data + from, text->len - from, secret, len);
		size_t to = at != NULL ? (size_t)(at - text->data) : text->len;
		buf_add(&out, text->data + from, to - from);
		if (at != NULL)
			buf_adds(&out, "***");
		from = at != NULL ? to + len : to;
	}
	buf_wipe(text);
	*text = out;
}

static void redact_base64(struct buf *text, const void *bytes, size_t len)
{
	char coded[4 * ((2 * SECRET_MAX + 2 + 2) / 3) + 1];

	int n = EVP_EncodeBlock((unsigned char *)coded, bytes, (int)len);
	redact(text, coded, (size_t)n);
	explicit_bzero(coded, sizeof(coded));
}

/* A server may answer a login by saying it aloud, as typed or as it was sent. */
static const char *detail_of(
    const struct imap_probe_request *rq, struct arena *a, const struct imap_failure *f)
{
	struct buf text = BUF_INIT;
	char sent[2 * SECRET_MAX + 2];
	size_t user_len = strlen(rq->user);

	buf_add(&text, f->text, f->text_len);
	/* longest first: the password's own base64 may be the end of the whole message's */
	if (user_len <= SECRET_MAX && rq->password_len <= SECRET_MAX) {
		sent[0] = '\0';
		memcpy(sent + 1, rq->user, user_len + 1);
		memcpy(sent + user_len + 2, rq->password, rq->password_len);
		redact_base64(&text, sent, user_len + 2 + rq->password_len);
		explicit_bzero(sent, sizeof(sent));
		redact_base64(&text, rq->password, rq->password_len);
	}
	redact(&text, rq->password, rq->password_len);
	const char *shown = clean(a, text.data, text.len);
	buf_wipe(&text);
	return shown;
}

static void clean_field(struct arena *a, char *field, size_t size)
{
	snprintf(field, size, "%s", clean(a, field, strlen(field)));
}

static void clean_peer(struct arena *a, struct imap_peer *p)
{
	clean_field(a, p->address, sizeof(p->address));
	clean_field(a, p->cert_subject, sizeof(p->cert_subject));
	clean_field(a, p->cert_issuer, sizeof(p->cert_issuer));
	clean_field(a, p->cert_names, sizeof(p->cert_names));
}

static const char *shown_capabilities(struct arena *a, const char *raw)
{
	struct buf out AUTO_BUF = BUF_INIT;

	raw += strspn(raw, " ");
	for (; *raw != '\0' && out.len < CAPABILITIES_MAX; raw++)
		if (*raw >= ' ' && *raw <= '~')
			buf_addc(&out, *raw);
	while (out.len > 0 && out.data[out.len - 1] == ' ')
		buf_truncate(&out, out.len - 1);
	return arena_strndup(a, out.data, out.len);
}

/* ---- the probe ---- */

static bool sendable(const char *s, size_t len)
{
	return s != NULL && len > 0 && memchr(s, '\0', len) == NULL && memchr(s, '\r', len) == NULL &&
	       memchr(s, '\n', len) == NULL;
}

static bool valid(const struct imap_probe_request *rq)
{
	return rq->host != NULL && sendable(rq->host, strlen(rq->host)) && rq->port != 0 &&
	       rq->user != NULL && sendable(rq->user, strlen(rq->user)) &&
	       (rq->auth_user == NULL || sendable(rq->auth_user, strlen(rq->auth_user))) &&
	       sendable(rq->password, rq->password_len) && rq->security >= IMAP_SECURITY_TLS &&
	       rq->security <= IMAP_SECURITY_NONE;
}

static struct imap_endpoint endpoint_of(const struct imap_probe_request *rq)
{
	return (struct imap_endpoint){.host = rq->host,
	    .port = rq->port,
	    .security = rq->security,
	    .verify = rq->verify,
	    .ca_file = rq->ca_file,
	    .allow = rq->allow,
	    .allow_ctx = rq->allow_ctx};
}

/* Whether the port that stayed silent in plain text answers a TLS handshake. */
static bool answers_tls(const struct imap_probe_request *rq, mono_time deadline)
{
	struct imap_endpoint ep = endpoint_of(rq);
	struct imap_stream *st = NULL;

	ep.security = IMAP_SECURITY_TLS;
	ep.verify = false;
	bool yes = imap_stream_open(&ep, deadline, &st, NULL, NULL) == ERR_OK;
	imap_stream_close(&st);
	return yes;
}

static enum err connect_and_login(const struct imap_probe_request *rq, int64_t timeout_ms, mono_time deadline,
    struct imap_session **s_r, struct imap_probe_result *r, struct imap_failure *f)
{
	struct imap_options o = {.endpoint = endpoint_of(rq),
	    .connect_ms = timeout_ms,
	    .silence_ms = timeout_ms,
	    .deadline = deadline};
	const struct imap_credentials c = {.mechanism = rq->mechanism,
	    .user = rq->user,
	    .auth_user = rq->auth_user,
	    .secret = rq->password,
	    .secret_len = rq->password_len,
	    .token = rq->token,
	    .host = rq->host,
	    .port = rq->port};
	enum err e;

	if (rq->security != IMAP_SECURITY_TLS)
		o.connect_ms -= timeout_ms / 4 < SECOND_LOOK_MS ? timeout_ms / 4 : SECOND_LOOK_MS;
	e = imap_session_open(&o, s_r, f, &r->peer);
	if ((f->cause == IMAP_TIMED_OUT || f->cause == IMAP_CLOSED) && rq->security != IMAP_SECURITY_TLS &&
	    answers_tls(rq, deadline))
		return imap_fail(f, IMAP_IS_TLS, "%s", "");
	if (e != ERR_OK)
		return e;
	e = imap_authenticate(*s_r, &c);
	*f = *imap_session_failure(*s_r);
	return e;
}

static void look_around(struct imap_session *s, struct arena *a, struct imap_probe_result *r)
{
	struct imap_folder_list list;
	struct imap_status status;
	struct imap_quota quota;

	r->capabilities = shown_capabilities(a, imap_session_capabilities(s));
	if (imap_list(s, a, &list) == ERR_OK) {
		r->folders_known = true;
		for (size_t i = 0; i < list.count; i++)
			r->folders += !(list.folders[i].flags & IMAP_FOLDER_NOSELECT);
	}
	if (imap_status(s, "INBOX", &status) == ERR_OK) {
		r->messages_known = true;
		r->inbox_messages = status.messages;
	}
	if (imap_quota(s, "INBOX", &quota) == ERR_OK && quota.known) {
		r->quota_known = true;
		r->quota_used_bytes = quota.used_bytes;
		r->quota_limit_bytes = quota.limit_bytes;
	}
}

enum err imap_probe(const struct imap_probe_request *rq, struct arena *a, struct imap_probe_result *r)
{
	mono_time start = mono_now();
	int64_t timeout_ms = rq->timeout_ms > 0 ? rq->timeout_ms : IMAP_PROBE_TIMEOUT_MS;
	struct imap_session *s = NULL;
	struct imap_failure f = {0};
	enum err e;

	*r = (struct imap_probe_result){.detail = "", .capabilities = ""};
	if (!valid(rq)) {
		e = imap_fail(&f, IMAP_VALUE_INVALID, "%s", "");
	} else {
		e = connect_and_login(rq, timeout_ms, mono_after(start, timeout_ms), &s, r, &f);
		if (f.cause != IMAP_ADDRESS_DENIED && f.cause != IMAP_NOT_IMAP && f.cause != IMAP_NOT_TLS)
			r->detail = detail_of(rq, a, &f);
	}
	if (e == ERR_OK) {
		r->logged_in = true;
		look_around(s, a, r);
	}
	imap_session_logout(&s);
	clean_peer(a, &r->peer);
	r->cause = f.cause;
	r->code = imap_cause_code(f.cause);
	r->text = imap_cause_text(f.cause);
	r->duration_ms = mono_diff_ms(start, mono_now());
	return imap_cause_err(f.cause);
}
