#include "worker/mail.h"

#include <stdio.h>
#include <string.h>

#include <auth-client.h>
#include <libesmtp.h>

#include "lib/mime.h"

enum { CONNECT_MS = 20000, WHOLE_MS = 120000, WAIT_MS = 60000, HOSTPORT_BYTES = 32 };

/* What was last said, for the explanation; never what was sent after AUTH. */
struct transcript {
	char verb[5];
	char reply[200];
	char login_reply[200]; /* the last one to AUTH */
};

struct body {
	const struct buf *data;
	bool is_read;
};

/* One call hands over all of it; len NULL: begin again. */
static const char *give_body(void **ctx, int *len, void *arg)
{
	struct body *b = arg;

	(void)ctx;
	if (len == NULL) {
		b->is_read = false;
		return NULL;
	}
	*len = b->is_read ? 0 : (int)b->data->len;
	if (b->is_read)
		return NULL;
	b->is_read = true;
	return b->data->data;
}

static void listen_in(const char *bytes, int len, int writing, void *arg)
{
	struct transcript *t = arg;

	if (writing == SMTP_CB_READING && len > 3)
		(void)snprintf(t->reply, sizeof(t->reply), "%.*s", len < 190 ? len : 190, bytes);
	else if (writing == SMTP_CB_WRITING && len >= 4 && strncmp(bytes, "AUTH", 4) == 0)
		(void)snprintf(t->verb, sizeof(t->verb), "AUTH");
	else if (writing == SMTP_CB_WRITING && len >= 4 &&
		 (strncmp(bytes, "MAIL", 4) == 0 || strncmp(bytes, "QUIT", 4) == 0))
		(void)snprintf(t->verb, sizeof(t->verb), "%.4s", bytes);
	t->reply[strcspn(t->reply, "\r\n")] = '\0';
	if (writing == SMTP_CB_READING && strcmp(t->verb, "AUTH") == 0)
		(void)snprintf(t->login_reply, sizeof(t->login_reply), "%s", t->reply);
}

static int give_login(auth_client_request_t request, char **result, int fields, void *arg)
{
	const struct mail_account *account = arg;

	for (int i = 0; i < fields; i++) {
		if (request[i].flags & AUTH_USER)
			result[i] = (char *)account->user;
		else if (request[i].flags & AUTH_PASS)
			result[i] = (char *)account->password;
		else
			result[i] = NULL;
	}
	return 1;
}

static void tell(struct mail_report *r, enum mail_result result, const char *what, const smtp_status_t *st)
{
	r->result = result;
	if (st != NULL && st->code != 0)
		(void)snprintf(
		    r->text, sizeof(r->text), "%s: %d %.180s", what, st->code, st->text ? st->text : "");
	else
		(void)snprintf(r->text, sizeof(r->text), "%s", what);
	r->text[strcspn(r->text, "\r\n")] = '\0';
}

static int class_of(const smtp_status_t *st)
{
	return st != NULL ? st->code / 100 : 0;
}

/* A sender is refused for want of a sign-in: the administrator's to mend, not this mail's fault. */
static bool wants_login(const smtp_status_t *st)
{
	return st != NULL && (st->code == 530 || st->code == 534 || st->code == 535 || st->code == 538);
}

static void judge(struct mail_report *r, smtp_message_t message, smtp_recipient_t recipient,
    const struct transcript *t, const char *line_failure)
{
	const smtp_status_t *sender = smtp_reverse_path_status(message);
	const smtp_status_t *to = smtp_recipient_status(recipient);
	const smtp_status_t *done = smtp_message_transfer_status(message);

	r->is_relay = class_of(to) == 0;
	if (class_of(to) == 0 && t->login_reply[0] == '5')
		(void)snprintf(r->text, sizeof(r->text), "The relay refused smtp_user and its password: %s",
		    t->login_reply);
	else if (class_of(done) == 2 && done->code == 250 && class_of(to) == 2)
		tell(r, MAIL_SENT, "The relay took it", done);
	else if (class_of(to) == 5)
		tell(r, MAIL_REFUSED, "The relay refused the recipient", to);
	else if (class_of(to) == 2 && class_of(done) == 5)
		tell(r, MAIL_REFUSED, "The relay refused the mail", done);
	else if (class_of(sender) == 5 && !wants_login(sender))
		tell(r, MAIL_REFUSED, "The relay refused the sender", sender);
	else if (class_of(sender) == 5)
		tell(r, MAIL_LATER, "The relay wants a sign-in (smtp_user, smtp_password_file)", sender);
	else if (class_of(to) == 4)
		tell(r, MAIL_LATER, "The relay does not take the recipient now", to);
	else if (class_of(sender) == 4)
		tell(r, MAIL_LATER, "The relay does not take the sender now", sender);
	else if (line_failure[0] != '\0')
		tell(r, MAIL_LATER, line_failure, NULL);
	else if (class_of(done) == 4)
		tell(r, MAIL_LATER, "The relay does not take the mail now", done);
	else
		(void)snprintf(r->text, sizeof(r->text), "The relay ended the conversation%s%s",
		    t->reply[0] != '\0' ? ": " : "", t->reply);
}

static void talk(struct mail_line *line, const struct mail_relay *relay, const struct mail_account *account,
    const char *from, const char *to, const struct buf *data, struct mail_report *r)
{
	static const int waits[] = {
	    Timeout_GREETING, Timeout_ENVELOPE, Timeout_DATA, Timeout_TRANSFER, Timeout_DATA2};
	char hostport[HOSTPORT_BYTES];
	struct transcript t = {.verb = ""};
	struct body body = {.data = data};
	auth_context_t auth = NULL;
	smtp_session_t session = smtp_create_session();
	smtp_message_t message = session != NULL ? smtp_add_message(session) : NULL;
	smtp_recipient_t recipient = message != NULL ? smtp_add_recipient(message, to) : NULL;
	bool ok = recipient != NULL;

	(void)snprintf(hostport, sizeof(hostport), "127.0.0.1:%u", (unsigned)mail_line_port(line));
	ok = ok && smtp_set_server(session, hostport) && smtp_set_hostname(session, relay->hello) &&
	     smtp_set_reverse_path(message, from) && smtp_set_messagecb(message, give_body, &body) &&
	     smtp_set_monitorcb(session, listen_in, &t, 0) &&
	     smtp_starttls_enable(session, Starttls_DISABLED); /* the line has done it */
	for (size_t i = 0; ok && i < sizeof(waits) / sizeof(waits[0]); i++)
		(void)smtp_set_timeout(session, waits[i] | Timeout_OVERRIDE_RFC2822_MINIMUM, WAIT_MS);
	if (ok && account->user[0] != '\0' && relay->security != IMAP_SECURITY_NONE) {
		auth = auth_create_context();
		ok = auth != NULL && auth_set_mechanism_flags(auth, AUTH_PLUGIN_PLAIN, 0) &&
		     auth_set_interact_cb(auth, give_login, (void *)account) &&
		     smtp_auth_set_context(session, auth);
	}
	if (!ok) {
		tell(r, MAIL_LATER, "libesmtp could not be set up", NULL);
	} else {
		(void)smtp_start_session(session); /* says 1 of failures, too: the statuses tell */
		mail_line_stop(line);
		judge(r, message, recipient, &t, mail_line_failure(line));
	}
	if (session != NULL)
		(void)smtp_destroy_session(session);
	if (auth != NULL)
		(void)auth_destroy_context(auth);
}

void mail_send(const struct mail_relay *relay, const struct mail_account *account, const char *from,
    const char *to, const struct buf *data, struct mail_report *report_r)
{
	AUTO_BUF struct buf why = BUF_INIT;
	struct mail_line *line = NULL;

	*report_r = (struct mail_report){.result = MAIL_LATER, .is_relay = true};
	if (!mime_address_fits(from) || !mime_address_fits(to)) {
		report_r->is_relay = false;
		tell(report_r, MAIL_REFUSED, "The address cannot be written in SMTP", NULL);
		return;
	}
	auth_client_init();
	if (mail_line_open(relay, CONNECT_MS, mono_after(mono_now(), WHOLE_MS), &line, &why) != ERR_OK)
		(void)snprintf(report_r->text, sizeof(report_r->text), "%s", why.data);
	else
		talk(line, relay, account, from, to, data, report_r);
	mail_line_close(&line);
	auth_client_exit();
	for (char *p = report_r->text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7F)
			*p = ' ';
}
