#include "config.h"

#include <stdint.h>
#include <string.h>

#include <openssl/evp.h>

#include "imap/command.h"

/* Longest user or password; longer than any server takes. */
#define CREDENTIAL_MAX 1024

static bool sendable(const char *bytes, size_t len)
{
	return len > 0 && len <= CREDENTIAL_MAX && memchr(bytes, '\0', len) == NULL &&
	       memchr(bytes, '\r', len) == NULL && memchr(bytes, '\n', len) == NULL;
}

/* "\0user\0password" in base64 (RFC 4616), into out, which is the caller's to wipe. */
static void plain_message(const char *user, const char *password, size_t len, struct buf *out)
{
	unsigned char raw[2 * CREDENTIAL_MAX + 2];
	size_t user_len = strlen(user), n = 0;
	char coded[4 * ((sizeof(raw) + 2) / 3) + 1];

	raw[n++] = 0;
	memcpy(raw + n, user, user_len);
	n += user_len;
	raw[n++] = 0;
	memcpy(raw + n, password, len);
	n += len;
	int coded_len = EVP_EncodeBlock((unsigned char *)coded, raw, (int)n);
	buf_reserve(out, (size_t)coded_len + 3);
	buf_add(out, coded, (size_t)coded_len);
	explicit_bzero(raw, sizeof(raw));
	explicit_bzero(coded, sizeof(coded));
}

static enum err authenticate_plain(struct imap_session *s, const char *user, const char *password, size_t len)
{
	struct imap_command c AUTO_COMMAND;
	struct buf message = BUF_INIT;
	bool at_once = imap_session_can(s, "SASL-IR");
	enum err e;

	plain_message(user, password, len, &message);
	imap_command_init(&c, s, "AUTHENTICATE PLAIN");
	c.secret = true;
	if (at_once) {
		buf_reserve(&c.bytes, message.len + 16);
		buf_addc(&c.bytes, ' ');
		buf_add(&c.bytes, message.data, message.len);
	}
	e = imap_command_send(s, &c, false);
	if (e == ERR_OK && !at_once) {
		e = imap_command_continue(s, c.tag);
		if (e == ERR_OK) {
			buf_adds(&message, "\r\n");
			e = imap_command_bytes(s, message.data, message.len);
		}
	}
	buf_wipe(&message);
	return e == ERR_OK ? imap_command_wait(s, c.tag, NULL) : e;
}

static enum err plain_login(struct imap_session *s, const char *user, const char *password, size_t len)
{
	struct imap_command c AUTO_COMMAND;

	imap_command_init(&c, s, "LOGIN");
	c.secret = true;
	imap_command_string(&c, user, strlen(user));
	imap_command_string(&c, password, len);
	return imap_command_run(s, &c, NULL);
}

enum err imap_login(struct imap_session *s, const char *user, const char *password, size_t password_len)
{
	enum err e = imap_session_ready(s);

	if (e != ERR_OK || s->authenticated)
		return e;
	if (!sendable(user, strlen(user)) || !sendable(password, password_len))
		return imap_session_fail(s, IMAP_VALUE_INVALID,
		    "user and password must not be empty, too long, or hold line breaks or NUL");
	bool plain = imap_session_can(s, "AUTH=PLAIN");
	if (!plain && imap_session_can(s, "LOGINDISABLED"))
		return imap_session_fail(s, IMAP_LOGIN_DISABLED, "LOGINDISABLED and no AUTH=PLAIN");
	unsigned lists = s->capability_lists;
	e = plain ? authenticate_plain(s, user, password, password_len)
		  : plain_login(s, user, password, password_len);
	if (e != ERR_OK) {
		if (s->failure.cause == IMAP_COMMAND_REFUSED || s->failure.cause == IMAP_NO_PERMISSION) {
			s->failure.cause = IMAP_PASSWORD_REFUSED;
			s->failure.err = imap_cause_err(IMAP_PASSWORD_REFUSED);
		}
		return s->failure.err;
	}
	s->authenticated = true;
	/* what was offered before the login says nothing about after it */
	return s->capability_lists != lists ? ERR_OK : imap_ask_capabilities(s);
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
