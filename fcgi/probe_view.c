#include "fcgi/probe_view.h"

#include <string.h>

#include "fcgi/view.h"

/* Title: what happened.  Action: what to do next.  Causes no test can meet have no row. */
static const struct {
	enum imap_cause cause;
	const char *title, *action;
} words[] = {
    {IMAP_OK, "Signed in", NULL},
    {IMAP_NAME_NOT_FOUND, "There is no such host", "Check the spelling of the host name."},
    {IMAP_NAME_NO_ANSWER, "The name service did not answer",
	"Try again in a minute. If it stays, the name servers of this machine need attention."},
    {IMAP_ADDRESS_DENIED, "This address is not allowed",
	"Connections to internal addresses are switched off here. Use the server's public name, or ask the "
	"administrator."},
    {IMAP_CONNECT_REFUSED, "Nothing answers on this port",
	"Check the port: 993 is usual for SSL/TLS, 143 for STARTTLS."},
    {IMAP_UNREACHABLE, "The server cannot be reached",
	"Check host and port, and whether a firewall is in between."},
    {IMAP_TIMED_OUT, "No answer in time",
	"Check host and port. A firewall that swallows the connection looks like this, too."},
    {IMAP_NOT_TLS, "The port does not speak TLS",
	"Choose STARTTLS (usually port 143), or use port 993 with SSL/TLS."},
    {IMAP_IS_TLS, "The port speaks TLS from the start", "Choose SSL/TLS for this port."},
    {IMAP_TLS_FAILED, "No encrypted connection came about",
	"The server may only offer outdated encryption. Its operator has to allow TLS 1.2 or newer."},
    {IMAP_CERT_UNTRUSTED, "The certificate's issuer is not trusted",
	"Ask the server's operator to send the intermediate certificates too. For a private authority, the "
	"administrator can add it (ca_file). Only where you know the way to the server, switch “Verify "
	"certificate” "
	"off."},
    {IMAP_CERT_SELF_SIGNED, "The certificate is signed by itself",
	"The server needs a certificate from an authority. Only where you know the way to the server, switch "
	"“Verify "
	"certificate” off."},
    {IMAP_CERT_WRONG_HOST, "The certificate is for another host name",
	"Use the name the certificate was issued for."},
    {IMAP_CERT_EXPIRED, "The certificate has expired", "The server's operator has to renew it."},
    {IMAP_CERT_NOT_YET_VALID, "The certificate is not valid yet",
	"Check the clock of this machine; if it is right, the server's operator has to mend the "
	"certificate."},
    {IMAP_STARTTLS_MISSING, "The server does not offer STARTTLS", "Choose SSL/TLS, usually on port 993."},
    {IMAP_STARTTLS_INJECTION, "Something interferes with the encryption",
	"Do not send passwords on this way: choose SSL/TLS on port 993 and tell the administrator."},
    {IMAP_CA_FILE_BAD, "The list of trusted authorities cannot be read",
	"The administrator has to mend “ca_file” in the configuration."},
    {IMAP_LOGIN_DISABLED, "The server allows no sign-in with a password here",
	"Choose SSL/TLS or STARTTLS. If you did, the server wants another kind of sign-in, such as OAuth: "
	"look for an "
	"“app password” in the mailbox's settings."},
    {IMAP_PASSWORD_REFUSED, "The server refused the user or the password",
	"Check both. Some providers want the full address as user, and an “app password” where two-step "
	"sign-in is "
	"on."},
    {IMAP_TOKEN_REFUSED, "The server refused the user or the access token",
	"Access tokens live for about an hour: get a new one, for IMAP and for this user, and try again."},
    {IMAP_MECHANISM_MISSING, "The server does not offer this way to sign in",
	"Choose another, or “any”, under Options, Sign-in."},
    {IMAP_SERVER_UNPROVEN, "The server could not prove that it knows the password",
	"Something may stand between you and the server: choose SSL/TLS on port 993 and tell the "
	"administrator."},
    {IMAP_BUSY, "The server is busy or unavailable",
	"Nothing is wrong with what you typed. Try again later."},
    {IMAP_NOT_IMAP, "This is not an IMAP server",
	"Check the port: 993 is usual for SSL/TLS, 143 for STARTTLS."},
    {IMAP_CLOSED, "The server hung up",
	"Try again. If it stays, the server may refuse connections from this address."},
    {IMAP_PROTOCOL_ERROR, "The server answered something that is not IMAP",
	"Try again. If it stays, report it to the server's operator."},
    {IMAP_LIMIT_EXCEEDED, "The server sent more than is sensible", "Report it to the server's operator."},
    {IMAP_VALUE_INVALID, "A value cannot be sent", "Remove line breaks and special control characters."},
};

static struct json_object *capabilities(struct arena *a, const char *list)
{
	struct json_object *arr = json_object_new_array();
	char *save = NULL, *word, *copy = arena_strdup(a, list);

	for (word = strtok_r(copy, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
		json_object_array_add(arr, json_object_new_string(word));
	return arr;
}

static const char *quota_text(struct arena *a, const struct imap_probe_result *r)
{
	if (!r->quota_known)
		return NULL;
	return arena_printf(a, "%s of %s used", view_size_text(a, r->quota_used_bytes),
	    view_size_text(a, r->quota_limit_bytes));
}

static const char *detail_text(struct arena *a, const struct imap_probe_result *r)
{
	if (r->cause == IMAP_CERT_WRONG_HOST && r->peer.cert_names[0] != '\0')
		return arena_printf(a, "The certificate names: %s", r->peer.cert_names);
	return r->detail;
}

struct json_object *probe_view(
    struct arena *a, const struct imap_probe_request *rq, const struct imap_probe_result *r)
{
	struct json_object *o = json_object_new_object();
	const char *title = "The test failed", *action = "Try again later.";
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].cause == r->cause) {
			title = words[i].title;
			action = words[i].action;
		}
	}
	view_bool(o, "ok", r->logged_in);
	view_str(o, "cause", r->code);
	view_str(o, "title", title);
	view_str(o, "text",
	    !r->logged_in ? r->text
	    : rq->token   ? "User and access token are right, and the mailbox can be read."
			  : "User and password are right, and the mailbox can be read.");
	view_str(o, "action", action);
	view_str(o, "detail", detail_text(a, r));
	view_str(o, "host", rq->host);
	view_int(o, "port", rq->port);
	view_str(o, "user", rq->user);
	view_int(o, "elapsed_ms", r->duration_ms);
	view_str(o, "elapsed_text", view_elapsed_text(a, r->duration_ms));
	view_count(o, a, "folders", r->folders, r->logged_in && r->folders_known);
	view_count(o, a, "messages", r->inbox_messages, r->logged_in && r->messages_known);
	view_str(o, "quota_text", r->logged_in ? quota_text(a, r) : NULL);
	view_str(o, "tls_text", r->logged_in ? r->peer.tls_version : NULL);
	view_add(o, "capabilities", capabilities(a, r->logged_in ? r->capabilities : ""));
	view_bool(o, "has_capabilities", r->logged_in && r->capabilities[0] != '\0');
	return o;
}
