#include "worker/notify.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/log.h"
#include "lib/parse.h"
#include "lib/secretfile.h"
#include "lib/template.h"
#include "lib/token.h"
#include "sql/store_invite.h"
#include "worker/crash.h"
#include "worker/link.h"
#include "worker/mail.h"
#include "worker/notify_text.h"

enum {
	LEASE_S = 300,         /* more than a mail may take */
	RECORD_MS = 120000,    /* for so long the database is asked to take what became of a mail */
	RELAY_PAUSE_MS = 1000, /* times the failures in a row */
	RELAY_PAUSES = 30,
	BACKOFF_FIRST_S = 60,
	BACKOFF_MAX_S = 4 * 3600,
	PASSWORD_MAX = 1024,
	TOKEN_SHOWN_MAX = 16, /* hex digits in a row that are no token's */
	EXIT_USAGE = 64,
	EXIT_CONFIG = 78,
};

struct notifier {
	struct conf *conf;
	struct link db_link;
	struct templates *templates;
	unsigned failures; /* of the relay, in a row */
};

static volatile sig_atomic_t is_leaving;

static void on_term(int sig)
{
	(void)sig;
	is_leaving = 1;
}

struct outbox_policy notify_policy(const struct conf *conf)
{
	return (struct outbox_policy){
	    .is_on = conf->smtp_host[0] != '\0',
	    .batch = strcmp(conf->notify_batch, "each") == 0  ? OUTBOX_EACH
		     : strcmp(conf->notify_batch, "off") == 0 ? OUTBOX_OFF
							      : OUTBOX_SUMMARY,
	    .suppress_s = (unsigned)conf->notify_suppress_s,
	};
}

unsigned notify_backoff_s(unsigned attempts)
{
	unsigned s = BACKOFF_FIRST_S;

	while (attempts-- > 1 && s < BACKOFF_MAX_S)
		s *= 2;
	return s < BACKOFF_MAX_S ? s : BACKOFF_MAX_S;
}

/* Send one mail as the configuration says.  The password is read for each: it may have been changed. */
static void send_one(const struct conf *conf, const char *to, const struct buf *data, struct mail_report *r)
{
	static char host[256];
	AUTO_BUF struct buf why = BUF_INIT;
	struct buf password = BUF_INIT;
	struct mail_relay relay = {.host = conf->smtp_host,
	    .port = (uint16_t)conf->smtp_port,
	    .security = strcmp(conf->smtp_security, "tls") == 0    ? IMAP_SECURITY_TLS
			: strcmp(conf->smtp_security, "none") == 0 ? IMAP_SECURITY_NONE
								   : IMAP_SECURITY_STARTTLS,
	    .ca_file = conf->smtp_ca_file,
	    .hello = "localhost"};

	if (relay.port == 0)
		relay.port = relay.security == IMAP_SECURITY_TLS        ? 465
			     : relay.security == IMAP_SECURITY_STARTTLS ? 587
									: 25;
	if (gethostname(host, sizeof(host) - 1) == 0 && parse_is_hostname(host))
		relay.hello = host;
	if (conf->smtp_password_file[0] != '\0' &&
	    secretfile_read_line(conf->smtp_password_file, PASSWORD_MAX, &password, &why) != ERR_OK) {
		*r = (struct mail_report){.result = MAIL_LATER, .is_relay = true};
		(void)snprintf(r->text, sizeof(r->text), "%s", why.data);
	} else {
		mail_send(&relay, &(struct mail_account){conf->smtp_user, password.data}, conf->mail_from, to,
		    data, r);
	}
	buf_wipe(&password);
}

static void pause_ms(int ms)
{
	mono_time until = mono_after(mono_now(), ms);

	while (!is_leaving && mono_left_ms(until) > 0)
		(void)poll(NULL, 0, mono_left_ms(until));
}

bool notify_is_last_try(unsigned attempts, int64_t age_s)
{
	int64_t waited_s = 0;

	if (age_s + notify_backoff_s(attempts) <= NOTIFY_GIVE_UP_S)
		return false;
	while (attempts > 0 && waited_s <= NOTIFY_GIVE_UP_S)
		waited_s += notify_backoff_s(attempts--);
	return waited_s > NOTIFY_GIVE_UP_S;
}

/* What became of it; unwanted: why it is not sent at all, else NULL. */
static enum err record(
    struct db *db, const struct outbox_mail *m, const struct mail_report *r, const char *unwanted)
{
	if (unwanted != NULL)
		return store_outbox_suppressed(db, m, unwanted);
	if (r->result == MAIL_SENT)
		return store_outbox_sent(db, m);
	if (r->result == MAIL_REFUSED)
		return store_outbox_failed(db, m, r->text);
	if (!notify_is_last_try(m->attempts, m->age_s))
		return store_outbox_later(db, m, notify_backoff_s(m->attempts), r->text);
	return store_outbox_failed(db, m, r->text);
}

/* Until it is written, or others may have the mail: what was sent and not noted is sent again. */
static void record_surely(
    struct notifier *n, const struct outbox_mail *m, const struct mail_report *r, const char *unwanted)
{
	mono_time until = mono_after(mono_now(), RECORD_MS);
	enum err e = ERR_UNAVAILABLE;

	while (mono_left_ms(until) > 0) {
		struct db *db = link_db(&n->db_link);

		e = db != NULL ? link_note(&n->db_link, record(db, m, r, unwanted)) : ERR_UNAVAILABLE;
		/* lost: perhaps to ourselves, when an answer did not arrive */
		if (e == ERR_OK || e == ERR_LOST || is_leaving)
			break;
		pause_ms(200);
	}
	if (e != ERR_OK && e != ERR_LOST)
		log_warnx("notification %llu: %s", (unsigned long long)m->id, err_text(e));
}

/*
 * A new link for this try.  Only its hash is kept, so that a mail that is tried again has another.
 * ERR_DENIED: there may be none, and why_r says why.
 */
static enum err make_link(struct db *db, struct arena *a, const struct outbox_mail *m,
    struct notify_link *link_r, const char **why_r)
{
	char *token = arena_alloc(a, TOKEN_HEX_LEN + 1);
	unsigned char hash[TOKEN_HASH_BYTES];
	struct invite invite = {0};
	enum err e;

	token_new(token);
	token_hash(token, TOKEN_HEX_LEN, hash);
	e = store_invite_link(db, a, m, hash, &invite);
	*link_r = (struct notify_link){.token = token, .account_name = invite.account_name};
	*why_r = invite.refusal;
	return e;
}

/* A relay that refuses a mail for the address in it may repeat that: what could be of a token goes. */
static void hide_tokens(char *text)
{
	while (*text != '\0') {
		size_t len = strspn(text, "0123456789abcdefABCDEF");

		if (len >= TOKEN_SHOWN_MAX)
			memset(text, '*', len);
		text += len > 0 ? len : 1;
	}
}

/* The mail as bytes, as notify_text() says.  why_r, if it is set: why there is to be none. */
static enum err compose(
    struct notifier *n, struct arena *a, const struct outbox_mail *m, struct buf *data, const char **why_r)
{
	struct db *db = link_db(&n->db_link);
	struct notify_link link;
	enum err e = ERR_OK;

	if (db == NULL)
		return ERR_UNAVAILABLE;
	if (m->is_invite)
		e = make_link(db, a, m, &link, why_r);
	if (e == ERR_OK)
		e = notify_text(db, a, n->conf, n->templates, m, m->is_invite ? &link : NULL, data);
	return link_note(&n->db_link, e);
}

/* r_r, unwanted_r: as record() takes them.  ERR_LOST: nothing was made, and nothing is ours to say. */
static enum err try_once(struct notifier *n, struct arena *a, const struct outbox_mail *m,
    struct mail_report *r_r, const char **unwanted_r)
{
	struct buf data = BUF_INIT;
	struct mail_report r = {.result = MAIL_LATER};
	const char *unwanted = NULL;
	enum err e = compose(n, a, m, &data, &unwanted);

	if (unwanted != NULL) {
		(void)snprintf(r.text, sizeof(r.text), "not sent, %s", unwanted);
	} else if (e == ERR_OK) {
		send_one(n->conf, m->to, &data, &r);
		if (m->is_invite)
			hide_tokens(r.text);
		crash_point("after_send");
	} else {
		r.result = e == ERR_NOT_FOUND || e == ERR_INVALID ? MAIL_REFUSED : MAIL_LATER;
		(void)snprintf(r.text, sizeof(r.text), "%s",
		    e == ERR_INVALID     ? "The address cannot be written in SMTP"
		    : e == ERR_NOT_FOUND ? "What it is about is gone"
					 : "The mail could not be written");
	}
	buf_wipe(&data);
	*r_r = r;
	*unwanted_r = unwanted;
	return e == ERR_LOST ? e : ERR_OK;
}

static void deliver(struct notifier *n, struct arena *a, const struct outbox_mail *m)
{
	struct mail_report r;
	const char *unwanted;

	if (try_once(n, a, m, &r, &unwanted) != ERR_OK)
		return;
	if (r.result == MAIL_SENT)
		log_info("notification %llu: sent", (unsigned long long)m->id);
	else
		log_warnx(
		    "notification %llu, attempt %u: %s", (unsigned long long)m->id, m->attempts, r.text);
	record_surely(n, m, &r, unwanted);
	n->failures = r.result != MAIL_LATER || !r.is_relay ? 0 : n->failures + 1;
	if (n->failures > 0)
		pause_ms(RELAY_PAUSE_MS * (int)(n->failures < RELAY_PAUSES ? n->failures : RELAY_PAUSES));
}

static void serve(struct notifier *n)
{
	AUTO_ARENA struct arena *a = arena_new_clean();

	while (!is_leaving) {
		struct outbox_mail m;
		struct db *db = link_db(&n->db_link);
		enum err e = ERR_UNAVAILABLE;

		if (db != NULL)
			e = link_note(&n->db_link,
			    store_outbox_claim(db, a, LEASE_S, (unsigned)n->conf->notify_hourly_max, &m));

		if (e == ERR_OK)
			deliver(n, a, &m);
		else
			pause_ms((int)n->conf->poll_ms);
		arena_reset(a);
	}
}

static int test_mail(const struct conf *conf, const char *to)
{
	AUTO_BUF struct buf data = BUF_INIT;
	struct mail_report r;

	if (conf->smtp_host[0] == '\0') {
		puts("Notifications are off: smtp_host is not set in mailconvoy.conf.");
		return 1;
	}
	if (notify_text_test(conf, to, &data) != ERR_OK) {
		puts("The address cannot be written in SMTP.");
		return 1;
	}
	send_one(conf, to, &data, &r);
	printf("%s%s\n", r.result == MAIL_SENT ? "" : "Not sent. ", r.text);
	return r.result == MAIL_SENT ? 0 : 1;
}

static void protect(void)
{
	const struct rlimit none = {0, 0};
	struct sigaction term = {.sa_handler = on_term};

	(void)umask(077);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigaction(SIGTERM, &term, NULL);
#ifndef __SANITIZE_ADDRESS__ /* the leak check reads its own process */
	(void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

bool notify_is_asked_for(int argc, char **argv)
{
	return argc > 1 && (strcmp(argv[1], "--notifier") == 0 || strcmp(argv[1], "--mail-test") == 0);
}

int notify_main(int argc, char **argv)
{
	AUTO_BUF struct buf why = BUF_INIT;
	struct notifier n = {.conf = NULL};
	bool is_test = strcmp(argv[1], "--mail-test") == 0;
	int status = 0;

	if (argc != (is_test ? 5 : 4) || strcmp(argv[2], "-c") != 0)
		return EXIT_USAGE;
	log_init(is_test ? "mailconvoyctl" : "mailconvoy-notifier", 0);
	protect();
	if (conf_load(argv[3], &n.conf, &why) != ERR_OK) {
		log_warnx("%s", why.data);
		return EXIT_CONFIG;
	}
	if (is_test) {
		status = test_mail(n.conf, argv[4]);
	} else {
		log_init("mailconvoy-notifier", n.conf->debug);
		n.templates = templates_new(n.conf->template_path);
		if (link_open(&n.db_link, n.conf) != ERR_OK)
			status = EXIT_CONFIG;
		else
			serve(&n);
		link_close(&n.db_link);
		templates_free(&n.templates);
	}
	conf_free(&n.conf);
	return status;
}
