/*
 * Try a login the way a migration will, and tell in plain terms what happened: for the "Test" button.
 * Changes nothing in the mailbox: no SELECT, no APPEND, only LIST, STATUS and GETQUOTAROOT.  One attempt with
 * the password.  One deadline for everything, the name look-up included.
 */
#ifndef MCV_IMAP_PROBE_H
#define MCV_IMAP_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imap/cause.h"
#include "imap/session.h"
#include "imap/stream.h"
#include "lib/arena.h"
#include "lib/err.h"

#define IMAP_PROBE_TIMEOUT_MS 15000

struct imap_probe_request {
	const char *host;
	uint16_t port;
	enum imap_security security;
	bool verify;
	const char *ca_file;
	const char *user;
	const char *password; /* any bytes but CR, LF, NUL */
	size_t password_len;
	enum imap_mechanism
	    mechanism; /* all zero: automatic; with these three as imap_authenticate() has it */
	const char *auth_user;
	bool token;
	int64_t timeout_ms;                                    /* 0 for IMAP_PROBE_TIMEOUT_MS */
	bool (*allow)(void *ctx, const struct sockaddr *addr); /* as in struct imap_endpoint */
	void *allow_ctx;
};

struct imap_probe_result {
	enum imap_cause cause; /* IMAP_OK: logged in */
	const char *code;      /* imap_cause_code(cause) */
	const char *text;      /* imap_cause_text(cause) */
	/*
	 * What the server said, or the detail of our own finding: valid UTF-8 of at most 300 bytes without
	 * control or bidirectional formatting characters, password echoes replaced by "***".  Still to be
	 * escaped for HTML.  "" where there is none, and always for IMAP_ADDRESS_DENIED, IMAP_NOT_IMAP and
	 * IMAP_NOT_TLS, so that the test is no tool to read other services' banners.
	 */
	const char *detail;
	bool logged_in;
	struct imap_peer peer; /* cleaned as detail is; address "" for IMAP_ADDRESS_DENIED */

	/* Known only when logged_in; what fails after the login leaves its part unknown, not the probe
	 * failed. */
	const char *capabilities; /* upper case, space separated, printable ASCII, at most 2000 bytes */
	bool folders_known;
	size_t folders; /* selectable ones */
	bool messages_known;
	uint32_t inbox_messages;
	bool quota_known;
	uint64_t quota_used_bytes;
	uint64_t quota_limit_bytes;

	int64_t duration_ms;
};

/*
 * Always fills r (strings in a, never NULL).  Returns imap_cause_err(r->cause): ERR_OK when logged in;
 * ERR_INVALID with IMAP_VALUE_INVALID, before any connection, for CR, LF or NUL in host, user or password,
 * an empty host or auth_user, port 0 or an unknown security.
 */
enum err imap_probe(
    const struct imap_probe_request *rq, struct arena *a, struct imap_probe_result *r) MUST_CHECK;

#endif
