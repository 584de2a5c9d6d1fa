#include "config.h"

#include "engine/link.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/buf.h"
#include "lib/mem.h"
#include "engine/output.h"
#include "engine/secret.h"
#include "engine/stop.h"

#define CONNECT_MS 30000

const char *link_name(const struct link *l)
{
	return l->side == 0 ? "Host1" : "Host2";
}

/* The words imapsync's users and parsers know these failures by. */
static const char *known_words(enum imap_cause cause)
{
	switch (cause) {
	case IMAP_NAME_NOT_FOUND: return "Invalid argument: ";
	case IMAP_NAME_NO_ANSWER: return "name resolution: ";
	case IMAP_CONNECT_REFUSED: return "Connection refused: ";
	case IMAP_UNREACHABLE: return "No route to host: ";
	case IMAP_CERT_UNTRUSTED:
	case IMAP_CERT_SELF_SIGNED:
	case IMAP_CERT_NOT_YET_VALID: return "certificate verify failed: ";
	case IMAP_CERT_EXPIRED: return "certificate verify failed: certificate has expired: ";
	case IMAP_CERT_WRONG_HOST: return "hostname verification failed: ";
	case IMAP_STARTTLS_MISSING: return "STARTTLS is not offered: ";
	case IMAP_NOT_TLS: return "wrong version number: ";
	case IMAP_TIMED_OUT: return "timeout: ";
	default: return "";
	}
}

static const char *explain(const struct imap_failure *f, struct arena *a)
{
	if (f->from_server) {
		bool has_code = f->code[0] == '\0' || strcasestr(f->text, f->code) != NULL;
		const char *code = has_code ? "" : arena_printf(a, "[%s] ", f->code);
		return arena_printf(a, "%s%s%s", known_words(f->cause), code, f->text);
	}
	const char *detail = f->text_len > 0 ? arena_printf(a, " (%s)", f->text) : "";
	return arena_printf(a, "%s%s%s", known_words(f->cause), imap_cause_text(f->cause), detail);
}

const char *link_why(const struct link *l, struct arena *a)
{
	if (l->session == NULL)
		return "not connected";
	return explain(imap_session_failure(l->session), a);
}

static void drop(struct link *l)
{
	stop_watch(l->pair * 2 + l->side, -1);
	imap_session_close(&l->session);
}

static enum err connect_session(struct link *l, struct imap_failure *f, struct imap_peer *peer)
{
	const struct imap_options options = {
	    .endpoint =
		{
		    .host = l->options->host,
		    .address = l->options->address,
		    .port = (uint16_t)l->options->port,
		    .security = l->options->security,
		    .verify = l->options->verify,
		    .ca_file = l->options->ca_file,
		    .keepalive = true,
		},
	    .connect_ms = CONNECT_MS < (int64_t)l->options->timeout_s * 1000
			      ? CONNECT_MS
			      : (int64_t)l->options->timeout_s * 1000,
	    .silence_ms = (int64_t)l->options->timeout_s * 1000,
	};
	if (!l->beside)
		stop_opening(true);
	return imap_session_open(&options, &l->session, f, peer);
}

static bool is_starttls_failure(const struct link *l, enum imap_cause cause)
{
	return l->options->security == IMAP_SECURITY_STARTTLS && cause >= IMAP_NOT_TLS &&
	       cause <= IMAP_CA_FILE_BAD && cause != IMAP_IS_TLS;
}

static void report_refusal(struct link *l, const struct imap_failure *f)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct side_options *o = l->options;
	if (is_starttls_failure(l, f->cause))
		report_error(l->report, ERROR_TLS,
		    "%s failure: Can not go to tls encryption on host%u [%s]: Unable to start TLS: %s",
		    link_name(l), l->side + 1, o->host, explain(f, a));
	else
		report_error(l->report, l->side == 0 ? ERROR_CONNECTION_HOST1 : ERROR_CONNECTION_HOST2,
		    "%s failure: can not open imap connection on host%u [%s] with user [%s]: Unable to "
		    "connect to %s: %s",
		    link_name(l), l->side + 1, o->host, o->user, o->host, explain(f, a));
}

/*
 * From here on a round trip tells of a line across towns, which carries less than zlib makes; nearer servers
 * are kept from the work.
 */
#define FAR_MS 10

/* After a login.  What is refused is done without. */
static enum err compress(struct link *l)
{
	enum compress_mode mode = l->report->options->compress;
	if (mode == COMPRESS_OFF || (mode == COMPRESS_AUTO && !l->far) ||
	    !imap_session_can(l->session, "COMPRESS=DEFLATE"))
		return ERR_OK;
	enum err e = imap_compress(l->session);
	if (e == ERR_OK && !l->beside)
		out("%s: COMPRESS=DEFLATE is used", link_name(l));
	return imap_session_alive(l->session) ? ERR_OK : e;
}

/* The token as it is now, where it has been renewed since the run began; false: what the run began with
 * counts. */
static bool renewed_token(const struct link *l, struct buf *token)
{
	const struct side_options *o = l->options;

	if (!secret_is_renewed(o))
		return false;
	if (secret_read(o, token) == ERR_OK && token->len > 0)
		return true;
	out("%s: the file of --oauthaccesstoken%u can not be read any more: its token of before is used",
	    link_name(l), l->side + 1);
	return false;
}

static enum err login(struct link *l)
{
	const struct side_options *o = l->options;
	struct buf token = BUF_INIT;
	struct imap_credentials c = {
	    .mechanism = o->mechanism,
	    .user = o->user,
	    .auth_user = o->auth_user,
	    .secret = l->secret,
	    .secret_len = l->secret_len,
	    .token = o->token_file != NULL,
	    .host = o->host,
	    .port = o->port,
	};

	if (renewed_token(l, &token)) {
		c.secret = token.data;
		c.secret_len = token.len;
	}
	enum err e = imap_authenticate(l->session, &c);
	buf_wipe(&token);
	return e;
}

/* Of an attempt that failed before a mechanism was chosen, too. */
static const char *mechanism_tried(const struct link *l)
{
	return l->mechanism != IMAP_AUTH_AUTOMATIC ? imap_mechanism_name(l->mechanism) : "LOGIN";
}

static void report_login(struct link *l, const struct imap_failure *f)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct side_options *o = l->options;

	if (f->cause == IMAP_MECHANISM_MISSING)
		out("%s: %s says it has NO CAPABILITY for AUTHENTICATE %s", link_name(l), o->host,
		    mechanism_tried(l));
	report_error(l->report, l->side == 0 ? ERROR_AUTH_USER1 : ERROR_AUTH_USER2,
	    "%s failure: Error login on [%s] with user [%s] auth [%s]: %s", link_name(l), o->host, o->user,
	    mechanism_tried(l), explain(f, a));
}

/* Waits, longer each time; false when the server has had as much patience as there is. */
static bool be_patient(struct link *l, unsigned max, const char *why)
{
	if (l->busy >= max || stop_signal() != 0)
		return false;
	unsigned pause_s = 1U << l->busy++;
	out("%s: asks for patience: %s; waiting %u s", link_name(l), why, pause_s);
	stop_pause(pause_s);
	return stop_signal() == 0;
}

/* Connected and logged in, or *failure says why not; *refused_r: the login was what failed. */
static enum err open_once(struct link *l, struct imap_failure *failure, bool *refused_r)
{
	struct imap_peer peer = {0};

	*refused_r = false;
	enum err e = connect_session(l, failure, &peer);
	if (e != ERR_OK) {
		stop_opening(false);
		return e;
	}
	out("%s IP address: %s %s %s", link_name(l), peer.address, peer.tls_version, peer.tls_cipher);
	e = login(l);
	if (e == ERR_OK)
		stop_watch(l->pair * 2 + l->side, imap_stream_fd(imap_session_stream(l->session)));
	stop_opening(false);
	if (e == ERR_OK)
		return ERR_OK;
	*failure = *imap_session_failure(l->session);
	l->mechanism = imap_session_mechanism(l->session);
	/* else nobody said that the password was wrong */
	*refused_r =
	    failure->cause != IMAP_CLOSED && failure->cause != IMAP_TIMED_OUT && failure->cause != IMAP_BUSY;
	drop(l);
	return e;
}

enum err link_open(struct link *l)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct side_options *o = l->options;
	struct imap_failure failure = {0};
	bool refused = false;

	out("%s: connecting and login on host%u [%s] port [%u] with user [%s]", link_name(l), l->side + 1,
	    o->host, o->port, o->user);
	enum err e = open_once(l, &failure, &refused);
	while (e != ERR_OK && failure.cause == IMAP_BUSY &&
	       be_patient(l, LINK_OPEN_BUSY_MAX, explain(&failure, a)))
		e = open_once(l, &failure, &refused);
	if (e != ERR_OK) {
		if (refused)
			report_login(l, &failure);
		else
			report_refusal(l, &failure);
		return e;
	}
	l->mechanism = imap_session_mechanism(l->session);
	out("%s: success login on [%s] with user [%s] auth [%s]", link_name(l), o->host, o->user,
	    mechanism_tried(l));
	out("%s capability once authenticated: %s", link_name(l), imap_session_capabilities(l->session));
	(void)!imap_id(l->session, "mailconvoy-sync", PACKAGE_VERSION);
	l->far = imap_round_trip_ms(l->session) >= FAR_MS;
	/* a connection that breaks here is opened again by its first command */
	(void)!compress(l);
	return ERR_OK;
}

enum err link_open_more(struct link *l)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct imap_failure failure = {0};

	enum err e = connect_session(l, &failure, NULL);
	if (e == ERR_OK) {
		e = login(l);
		if (e == ERR_OK)
			e = compress(l);
		if (e != ERR_OK)
			failure = *imap_session_failure(l->session);
	}
	if (e != ERR_OK) {
		out("%s: no connection %u: %s", link_name(l), l->pair + 1, explain(&failure, a));
		drop(l);
		return e;
	}
	stop_watch(l->pair * 2 + l->side, imap_stream_fd(imap_session_stream(l->session)));
	return ERR_OK;
}

/* Of a login that failed: BAD is a refusal by servers that know no better. */
static bool is_refusal(const struct imap_failure *f)
{
	return f->cause == IMAP_PASSWORD_REFUSED || f->cause == IMAP_TOKEN_REFUSED ||
	       f->cause == IMAP_MECHANISM_MISSING || f->cause == IMAP_SERVER_UNPROVEN ||
	       (f->cause == IMAP_PROTOCOL_ERROR && f->from_server);
}

/* Open, log in and select again what was selected; says why not, and *busy_r: the server may come round. */
static enum err reopen(struct link *l, bool *busy_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct imap_failure failure = {0};
	uint32_t uidvalidity = l->mailbox.uidvalidity;

	enum err e = connect_session(l, &failure, NULL);
	bool logging_in = e == ERR_OK;
	if (e == ERR_OK) {
		e = login(l);
		if (e == ERR_OK)
			e = compress(l);
		if (e != ERR_OK)
			failure = *imap_session_failure(l->session);
	}
	if (!l->beside)
		stop_opening(false);
	if (e != ERR_OK) {
		out("%s: reconnection failed: %s", link_name(l), explain(&failure, a));
		drop(l);
		*busy_r = failure.cause == IMAP_BUSY;
		/* whoever is refused once would lock the account by asking again */
		if (logging_in && is_refusal(&failure))
			l->reconnections = LINK_RECONNECTIONS_MAX;
		return ERR_CLOSED;
	}
	stop_watch(l->pair * 2 + l->side, imap_stream_fd(imap_session_stream(l->session)));
	/* a signal that came before could not find it */
	if (stop_signal() != 0)
		return ERR_CLOSED;
	if (l->selected == NULL)
		return ERR_OK;
	e = imap_select(l->session, l->selected, l->read_only, &l->mailbox);
	if (e != ERR_OK) {
		out("%s: folder [%s] can not be selected again: %s", link_name(l), l->selected,
		    link_why(l, a));
		return imap_session_alive(l->session) ? ERR_LOST : ERR_CLOSED;
	}
	if (l->mailbox.uidvalidity != uidvalidity || uidvalidity == 0) {
		out("%s: folder [%s] has other UIDs than before", link_name(l), l->selected);
		return ERR_LOST;
	}
	return ERR_OK;
}

enum err link_revive(struct link *l)
{
	if (stop_signal() != 0)
		return ERR_CLOSED;
	if (l->session != NULL && imap_session_alive(l->session))
		return ERR_OK;
	bool busy = l->session != NULL && imap_session_failure(l->session)->cause == IMAP_BUSY;
	while (stop_signal() == 0) {
		AUTO_ARENA struct arena *a = arena_new();
		bool waited = busy && be_patient(l, LINK_BUSY_MAX, link_why(l, a));
		if (!waited && l->reconnections >= LINK_RECONNECTIONS_MAX)
			return ERR_CLOSED;
		l->reconnections += !waited;
		l->report->reconnections[l->side]++;
		out("%s: connection lost: %s; reconnecting (%u/%d)", link_name(l), link_why(l, a),
		    l->reconnections, LINK_RECONNECTIONS_MAX);
		drop(l);
		/* A server that is being restarted is given a moment; a signal ends the wait. */
		if (!waited)
			stop_pause((l->reconnections - 1) * 2);
		busy = false;
		enum err e = stop_signal() != 0 ? ERR_CLOSED : reopen(l, &busy);
		if (e != ERR_CLOSED)
			return e;
	}
	return ERR_CLOSED;
}

enum err link_again(struct link *l, enum err e)
{
	AUTO_ARENA struct arena *a = arena_new();
	if (l->session == NULL || !imap_session_alive(l->session))
		return link_revive(l);
	if (imap_session_failure(l->session)->cause != IMAP_BUSY ||
	    !be_patient(l, LINK_BUSY_MAX, link_why(l, a)))
		return e;
	return ERR_OK;
}

void link_worked(struct link *l)
{
	l->reconnections = 0;
	l->busy = 0;
}

enum err link_select(struct link *l, const char *folder, bool read_only)
{
	mem_free_str(&l->selected);
	l->selected = NULL;
	for (;;) {
		enum err e =
		    l->session == NULL ? ERR_CLOSED : imap_select(l->session, folder, read_only, &l->mailbox);
		if (e == ERR_OK) {
			l->selected = mem_strdup(folder);
			l->read_only = read_only;
			link_worked(l);
			return ERR_OK;
		}
		e = link_again(l, e);
		if (e != ERR_OK)
			return e;
	}
}

void link_unselect(struct link *l)
{
	mem_free_str(&l->selected);
	l->selected = NULL;
}

enum err link_select_ahead(struct link *l, const char *folder, bool read_only)
{
	link_unselect(l);
	return l->session == NULL ? ERR_CLOSED : imap_select_send(l->session, folder, read_only);
}

enum err link_select_arrived(struct link *l, const char *folder, bool read_only)
{
	enum err e = l->session == NULL ? ERR_CLOSED : imap_select_wait(l->session, &l->mailbox);
	if (e != ERR_OK)
		return e;
	l->selected = mem_strdup(folder);
	l->read_only = read_only;
	link_worked(l);
	return ERR_OK;
}

enum err link_select_both(const struct link_choice choices[2])
{
	bool sent[2] = {false, false};
	enum err e = ERR_OK;

	for (unsigned i = 0; i < 2; i++)
		sent[i] =
		    link_select_ahead(choices[i].link, choices[i].folder, choices[i].read_only) == ERR_OK;
	for (unsigned i = 0; i < 2; i++) {
		if (sent[i])
			(void)!link_select_arrived(choices[i].link, choices[i].folder, choices[i].read_only);
	}
	for (unsigned i = 0; i < 2 && e == ERR_OK; i++) {
		if (choices[i].link->selected == NULL)
			e = link_select(choices[i].link, choices[i].folder, choices[i].read_only);
	}
	return e;
}

void link_close(struct link *l)
{
	stop_watch(l->pair * 2 + l->side, -1);
	if (l->session != NULL && imap_session_alive(l->session) && stop_signal() == 0) {
		out("Disconnecting from host%u %s user%u %s", l->side + 1, l->options->host, l->side + 1,
		    l->options->user);
		imap_session_logout(&l->session);
	}
	imap_session_close(&l->session);
	mem_free_str(&l->selected);
}
