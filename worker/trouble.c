#include "config.h"

#include "worker/trouble.h"

#include <stdbool.h>
#include <string.h>

/* A piece of a line, not NUL-terminated. */
struct span {
	const char *s;
	size_t len;
};

static bool begins(struct span l, const char *label)
{
	return l.len >= strlen(label) && memcmp(l.s, label, strlen(label)) == 0;
}

/* What follows the first needle; nothing where there is none. */
static struct span behind(struct span l, const char *needle)
{
	const char *found = l.len == 0 ? NULL : memmem(l.s, l.len, needle, strlen(needle));
	struct span rest = {.s = l.s, .len = 0};

	if (found != NULL) {
		rest.s = found + strlen(needle);
		rest.len = (size_t)(l.s + l.len - rest.s);
	}
	return rest;
}

static bool contains_any(struct span l, const char *const *needles)
{
	for (; *needles != NULL; needles++)
		if (l.len > 0 && memmem(l.s, l.len, *needles, strlen(*needles)) != NULL)
			return true;
	return false;
}

/* Texts of IO::Socket::INET, IO::Socket::SSL, OpenSSL, strerror() and getaddrinfo(); the first row that fits.
 */
static const struct {
	enum trouble trouble;
	const char *const *texts;
} connect_texts[] = {
    {TROUBLE_WRONG_NAME, (const char *const[]){"hostname verification failed", "hostname mismatch", NULL}},
    {TROUBLE_EXPIRED, (const char *const[]){"certificate has expired", NULL}},
    {TROUBLE_UNTRUSTED, (const char *const[]){"certificate verify failed", "self-signed certificate",
			    "self signed certificate", "unable to get local issuer", NULL}},
    {TROUBLE_NOT_TLS, (const char *const[]){"wrong version number", "unknown protocol",
			  "packet length too long", "http request", NULL}},
    {TROUBLE_NO_STARTTLS,
	(const char *const[]){"STARTTLS is not", "does not offer STARTTLS", "STARTTLS not", NULL}},
    {TROUBLE_NAME_UNKNOWN, (const char *const[]){"Invalid argument", "Name or service not known",
			       "No address associated", "name not found", "name resolution", NULL}},
    {TROUBLE_REFUSED, (const char *const[]){"Connection refused", "connection refused", NULL}},
    {TROUBLE_TIMED_OUT, (const char *const[]){"timeout", "timed out", "Timeout", NULL}},
    {TROUBLE_UNREACHABLE, (const char *const[]){"No route to host", "unreachable", NULL}},
};

static enum trouble connect_trouble(struct span l, enum trouble otherwise)
{
	for (size_t i = 0; i < sizeof(connect_texts) / sizeof(connect_texts[0]); i++)
		if (contains_any(l, connect_texts[i].texts))
			return connect_texts[i].trouble;
	return otherwise;
}

/* What mailconvoy-sync says of why itself. */
static const struct {
	enum trouble trouble;
	const char *text;
} login_texts[] = {
    {TROUBLE_MECHANISM, "The server does not offer the way to log in"},
    {TROUBLE_NO_PASSWORDS, "The server does not allow a login with a password on this connection"},
    {TROUBLE_UNPROVEN, "The server could not prove that it knows the password"},
};

/* "Error login on [HOST] with user [USER] auth [MECHANISM]: WHY" */
static enum trouble login_trouble(struct span l)
{
	static const char *const busy[] = {"[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[CONTACTADMIN]", NULL};
	struct span mechanism = behind(l, "] auth [");
	struct span why = behind(mechanism, "]: ");

	if (contains_any(l, busy))
		return TROUBLE_LOGIN_BUSY;
	for (size_t i = 0; i < sizeof(login_texts) / sizeof(login_texts[0]); i++)
		if (begins(why, login_texts[i].text))
			return login_texts[i].trouble;
	return begins(mechanism, "XOAUTH2]") || begins(mechanism, "OAUTHBEARER]") ? TROUBLE_TOKEN_REFUSED
										  : TROUBLE_LOGIN_REFUSED;
}

enum trouble trouble_read(const char *line, size_t len)
{
	struct span l = {.s = line, .len = len};

	if (begins(l, "Error login on"))
		return login_trouble(l);
	if (begins(l, "can not open imap connection"))
		return connect_trouble(l, TROUBLE_CONNECT);
	if (begins(l, "Can not go to tls encryption"))
		return connect_trouble(l, TROUBLE_TLS);
	return TROUBLE_NONE;
}
