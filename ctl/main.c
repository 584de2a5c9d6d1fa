#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/log.h"
#include "sql/connect.h"
#include "sql/migrate.h"
#include "sql/store_audit.h"

static const struct verb {
	const char *name;
	const char *words;
	const char *help;
	ctl_verb_fn *run;
	bool needs_conf;
} verbs[] = {
    {"setup", "[--email ADDRESS]", "prepare the database, keys and the first administrator", verb_setup,
	true},
    {"doctor", "", "look for what is wrong and say how to mend it", verb_doctor, true},
    {"db", "migrate|status", "bring the schema up to date, or show its state", verb_db, true},
    {"user", "add|invite|link|role|passwd|list …", "who may sign in", verb_user, true},
    {"account", "add|limit|suspend|resume|close|list …", "customers, and what they are allowed", verb_account,
	true},
    {"token", "create|revoke|list …", "what scripts sign their requests with", verb_token, true},
    {"sso-link", "--local …", "a link that signs in who asks, or whom root names", verb_sso_link, false},
    {"job", "add|list|show|tail|cancel|rerun|confirm-deletion|delete …", "migrations, asked of the panel",
	verb_job, false},
    {"import", "FILE [--check] …", "queue the rows of a CSV file", verb_import, false},
    {"batch", "list|report …", "how batches stand", verb_batch, false},
    {"passwords", "remove JOB…|--ended-before DAYS", "remove stored mailbox passwords now", verb_passwords,
	true},
    {"slots", "[N]", "how many migrations may run at once", verb_slots, true},
    {"check", "", "verify that jobs, slots, leases and logs agree", verb_check, true},
    {"mail", "test ADDRESS", "send a notification, and say why if it fails", verb_mail, true},
    {"key", "generate", "make the key pair that seals mailbox passwords", verb_key, true},
    {"conf", "sample|show", "print a sample configuration, or the one in force", verb_conf, false},
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static void usage(FILE *out)
{
	fputs("usage: mailconvoyctl [-c FILE] VERB …\n\n", out);
	for (size_t i = 0; i < VERBS; i++)
		fprintf(out, "  %-9s %-42s %s\n", verbs[i].name, verbs[i].words, verbs[i].help);
	fprintf(out, "\n  -c FILE     configuration, instead of %s\n  --version   print the version\n",
	    conf_default_path);
}

void ctl_complain(const char *fmt, ...)
{
	va_list ap;

	fputs("mailconvoyctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static bool reader_left;

bool ctl_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	reader_left = reader_left || errno == EPIPE;
	return false;
}

static enum ctl_exit exit_for(enum err e)
{
	switch (e) {
	case ERR_OK: return CTL_OK;
	case ERR_INVALID:
	case ERR_TOO_BIG:
	case ERR_NOT_FOUND: return CTL_REFUSED;
	case ERR_CONFLICT: return CTL_CONFLICT;
	case ERR_INTERNAL: return CTL_INTERNAL;
	default: return CTL_UNAVAILABLE;
	}
}

enum ctl_exit ctl_failed(const struct ctl *ctl, const char *what, enum err e)
{
	const char *more = ctl->db != NULL ? db_error(ctl->db) : "";

	ctl_complain("%s: %s%s%s", what, err_text(e), *more ? ": " : "", more);
	return exit_for(e);
}

enum ctl_exit ctl_connect(struct ctl *ctl, bool any_schema)
{
	AUTO_BUF struct buf why = BUF_INIT;
	const char *text;
	enum err e;

	if (ctl->db == NULL) {
		e = connect_database(ctl->conf, &ctl->db, &why);
		if (e != ERR_OK) {
			ctl_complain("%s", why.data);
			return CTL_UNAVAILABLE;
		}
	}
	if (any_schema)
		return CTL_OK;
	e = migrate_check(ctl->db, ctl->a, &text);
	if (e == ERR_CONFLICT) {
		ctl_complain("%s", text);
		return CTL_CONFLICT;
	}
	return e == ERR_OK ? CTL_OK : ctl_failed(ctl, "cannot read the schema's version", e);
}

const struct viewer ctl_viewer = {.role = ROLE_ADMIN};

void ctl_audit(struct ctl *ctl, const char *action, const char *object, const char *detail)
{
	const struct audit entry = {
	    .address = "mailconvoyctl", .action = action, .object = object, .detail = detail};
	enum err e = store_audit_add(ctl->db, &entry);

	if (e != ERR_OK)
		(void)ctl_failed(ctl, "audit log", e);
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < VERBS; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static int run(struct ctl *ctl, const struct verb *v, int count, char **words)
{
	AUTO_BUF struct buf why = BUF_INIT;
	enum ctl_exit code;

	if (v->needs_conf && conf_load(ctl->conf_path, &ctl->conf, &why) != ERR_OK) {
		ctl_complain("%s", why.data);
		ctl_complain("mailconvoyctl conf sample prints a configuration to begin with");
		return CTL_CONFIG;
	}
	code = v->run(ctl, count, words);
	db_close(&ctl->db);
	conf_free(&ctl->conf);
	if (!ctl_flush() && !reader_left && code == CTL_OK) {
		ctl_complain("cannot write to standard output");
		return CTL_UNAVAILABLE;
	}
	return code;
}

int main(int argc, char **argv)
{
	const struct rlimit none = {0, 0};
	struct ctl ctl = {.conf_path = conf_default_path};
	const struct verb *v;
	int at = 1, code;

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)umask(022);
	(void)signal(SIGPIPE, SIG_IGN);
	log_init("mailconvoyctl", 0);
	if (at + 1 < argc && strcmp(argv[at], "-c") == 0) {
		ctl.conf_path = argv[at + 1];
		at += 2;
	}
	if (at < argc && (strcmp(argv[at], "--version") == 0 || strcmp(argv[at], "version") == 0)) {
		puts("mailconvoyctl " PACKAGE_VERSION);
		return CTL_OK;
	}
	if (at < argc && (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "help") == 0)) {
		usage(stdout);
		return CTL_OK;
	}
	v = at < argc ? find_verb(argv[at]) : NULL;
	if (v == NULL) {
		usage(stderr);
		return CTL_USAGE;
	}
	ctl.a = arena_new_clean();
	code = run(&ctl, v, argc - at - 1, argv + at + 1);
	arena_free(&ctl.a);
	return code;
}
