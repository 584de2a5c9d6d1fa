#include "imap/cause.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	enum err err;
	const char *code;
	const char *text;
} causes[IMAP_CAUSE__MAX] = {
    [IMAP_OK] = {ERR_OK, "ok", "Nothing failed."},
    [IMAP_NAME_NOT_FOUND] = {ERR_UNAVAILABLE, "name_not_found", "No server has this name."},
    [IMAP_NAME_NO_ANSWER] = {ERR_UNAVAILABLE, "name_no_answer",
	"The name could not be looked up: the name service did not answer."},
    [IMAP_ADDRESS_DENIED] = {ERR_DENIED, "address_denied", "Connections to this address are not allowed."},
    [IMAP_CONNECT_REFUSED] = {ERR_UNAVAILABLE, "connect_refused",
	"The server refused the connection: nothing listens on this port."},
    [IMAP_UNREACHABLE] = {ERR_UNAVAILABLE, "unreachable", "The server cannot be reached over the network."},
    [IMAP_TIMED_OUT] = {ERR_TIMEOUT, "timed_out", "The server did not answer in time."},
    [IMAP_NOT_TLS] = {ERR_PROTOCOL, "not_tls",
	"This port does not speak SSL/TLS: choose STARTTLS, or the port for SSL/TLS (usually 993)."},
    [IMAP_IS_TLS] = {ERR_PROTOCOL, "is_tls",
	"This port speaks SSL/TLS from the start: choose SSL/TLS, or the port for STARTTLS (usually 143)."},
    [IMAP_TLS_FAILED] = {ERR_CRYPTO, "tls_failed", "The encrypted connection could not be set up."},
    [IMAP_CERT_UNTRUSTED] = {ERR_CRYPTO, "cert_untrusted",
	"The server's certificate was issued by an authority that is not trusted here."},
    [IMAP_CERT_SELF_SIGNED] = {ERR_CRYPTO, "cert_self_signed",
	"The server's certificate is self-signed and not trusted here."},
    [IMAP_CERT_WRONG_HOST] = {ERR_CRYPTO, "cert_wrong_host",
	"The server's certificate is for another host name."},
    [IMAP_CERT_EXPIRED] = {ERR_CRYPTO, "cert_expired", "The server's certificate has expired."},
    [IMAP_CERT_NOT_YET_VALID] = {ERR_CRYPTO, "cert_not_yet_valid",
	"The server's certificate is not valid yet: check the clocks."},
    [IMAP_STARTTLS_MISSING] = {ERR_UNAVAILABLE, "starttls_missing", "The server does not offer STARTTLS."},
    [IMAP_STARTTLS_INJECTION] = {ERR_PROTOCOL, "starttls_injection",
	"Unencrypted data followed the answer to STARTTLS: the connection is being tampered with."},
    [IMAP_CA_FILE_BAD] = {ERR_CRYPTO, "ca_file_bad",
	"The file of trusted certificate authorities cannot be read: tell the administrator."},
    [IMAP_LOGIN_DISABLED] = {ERR_DENIED, "login_disabled",
	"The server does not allow a login with a password on this connection."},
    [IMAP_PASSWORD_REFUSED] = {ERR_DENIED, "password_refused",
	"The server refused the user name or the password."},
    [IMAP_TOKEN_REFUSED] = {ERR_DENIED, "token_refused",
	"The server refused the access token: it may have expired, or be another user's."},
    [IMAP_MECHANISM_MISSING] = {ERR_DENIED, "mechanism_missing",
	"The server does not offer the way to log in that was asked for."},
    [IMAP_SERVER_UNPROVEN] = {ERR_CRYPTO, "server_unproven",
	"The server could not prove that it knows the password: it may be another than it seems."},
    [IMAP_BUSY] = {ERR_BUSY, "busy", "The server is busy or unavailable at the moment."},
    [IMAP_NO_SUCH_FOLDER] = {ERR_NOT_FOUND, "no_such_folder", "The folder does not exist."},
    [IMAP_NO_SUCH_MESSAGE] = {ERR_NOT_FOUND, "no_such_message", "The message no longer exists."},
    [IMAP_EXISTS_ALREADY] = {ERR_CONFLICT, "exists_already", "The folder exists already."},
    [IMAP_NO_PERMISSION] = {ERR_DENIED, "no_permission", "The server does not permit this."},
    [IMAP_QUOTA_EXCEEDED] = {ERR_FULL, "quota_exceeded", "The mailbox is full."},
    [IMAP_MESSAGE_TOO_BIG] = {ERR_TOO_BIG, "message_too_big",
	"The message is larger than the server accepts."},
    [IMAP_COMMAND_REFUSED] = {ERR_DENIED, "command_refused", "The server refused the command."},
    [IMAP_NOT_IMAP] = {ERR_PROTOCOL, "not_imap", "What answers on this port is not an IMAP server."},
    [IMAP_CLOSED] = {ERR_CLOSED, "closed", "The server closed the connection."},
    [IMAP_PROTOCOL_ERROR] = {ERR_PROTOCOL, "protocol_error", "The server's answer was not understood."},
    [IMAP_LIMIT_EXCEEDED] = {ERR_TOO_BIG, "limit_exceeded", "The server sent more than is accepted."},
    [IMAP_VALUE_INVALID] = {ERR_INVALID, "value_invalid",
	"A value holds characters that cannot be sent to a mail server."},
    [IMAP_INTERNAL] = {ERR_INTERNAL, "internal", "Something failed on our side."},
};

static enum imap_cause known(enum imap_cause c)
{
	return (unsigned)c < IMAP_CAUSE__MAX ? c : IMAP_INTERNAL;
}

const char *imap_cause_code(enum imap_cause c)
{
	return causes[known(c)].code;
}

const char *imap_cause_text(enum imap_cause c)
{
	return causes[known(c)].text;
}

enum err imap_cause_err(enum imap_cause c)
{
	return causes[known(c)].err;
}

enum err imap_fail(struct imap_failure *f, enum imap_cause c, const char *fmt, ...)
{
	if (f != NULL) {
		va_list ap;
		*f = (struct imap_failure){.err = imap_cause_err(c), .cause = c};
		va_start(ap, fmt);
		int n = vsnprintf(f->text, sizeof(f->text), fmt, ap);
		va_end(ap);
		f->text_len = n < 0 ? 0 : (size_t)n < sizeof(f->text) ? (size_t)n : sizeof(f->text) - 1;
	}
	return imap_cause_err(c);
}

enum err imap_fail_server(struct imap_failure *f, enum imap_cause c, const char *text, size_t len)
{
	if (f != NULL) {
		*f = (struct imap_failure){.err = imap_cause_err(c), .cause = c, .from_server = 1};
		f->text_len = len < sizeof(f->text) ? len : sizeof(f->text) - 1;
		memcpy(f->text, text, f->text_len);
	}
	return imap_cause_err(c);
}
