#include "lib/conf.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <confuse.h>

#include "lib/conf_check.h"
#include "lib/conf_text.h"
#include "lib/mem.h"
#include "lib/parse.h"

const char conf_default_path[] = MCV_CONF_DIR "/mailconvoy.conf";
const char conf_default_sso_socket[] = MCV_RUN_DIR "/sso.sock";

enum conf_type { CONF_STR = 1, CONF_INT, CONF_BOOL, CONF_LIST };
enum { LIST_MAX = 32 };

struct setting {
	const char *name;
	enum conf_type type;
	size_t offset;
	const char *text;           /* CONF_STR */
	long number, min, max;      /* CONF_INT; CONF_BOOL uses number */
	const char *list[LIST_MAX]; /* CONF_LIST */
	const char *doc;
};

#define AT(field) .name = #field, .offset = offsetof(struct conf, field)
#define STR(field, value, help) \
	{ \
		AT(field), .type = CONF_STR, .text = (value), .doc = (help) \
	}
#define INT(field, value, lo, hi, help) \
	{ \
		AT(field), .type = CONF_INT, .number = (value), .min = (lo), .max = (hi), .doc = (help) \
	}

static const struct setting settings[] = {
    STR(base_url, "http://127.0.0.1:8080",
	"The address people use, without a path; links in mails begin with it. With https the session "
	"cookie is Secure and __Host-."),
    STR(database_socket, "/run/mysqld/mysqld.sock",
	"MariaDB's Unix socket; used unless database_host is set."),
    STR(database_host, "", "MariaDB over TCP; TLS with a verified certificate is then required."),
    INT(database_port, 3306, 1, 65535, "Port of database_host."),
    STR(database_name, "mailconvoy", "The database."),
    STR(database_user, "",
	"Database user; empty means the name of the system user the program runs as (unix_socket "
	"authentication)."),
    STR(database_password_file, "",
	"File (mode 0600 or 0400) holding the database password, if there is one."),
    STR(database_ca_file, "", "CA certificates to verify database_host with; empty means the system's."),
    STR(public_key_file, MCV_CONF_DIR "/sealing.pub",
	"Key that seals mailbox passwords; all the web process has."),
    STR(private_key_file, MCV_CONF_DIR "/sealing.key",
	"Key that opens them; mode 0400, owned by the worker's user. Losing it loses every stored password."),
    STR(second_factor_key_file, MCV_CONF_DIR "/second-factor.key",
	"Key that the secrets of second factors are stored under; mode 0400, owned by the web's user. Losing "
	"it loses "
	"every second factor."),
    STR(template_path, MCV_CONF_DIR "/templates:" MCV_DATA_DIR "/templates",
	"Where templates are looked for, in this order."),
    STR(static_dir, MCV_DATA_DIR "/static", "Style sheets and scripts, served by nginx."),
    STR(sql_dir, MCV_DATA_DIR "/sql", "The schema migrations."),
    STR(state_dir, MCV_STATE_DIR, "The worker's directory; each run gets one of its own below it."),
    STR(run_dir, MCV_RUN_DIR, "Sockets."),
    STR(sso_socket, MCV_RUN_DIR "/sso.sock",
	"Where control panels on this machine get sign-in links, once mailconvoy-sso.socket is enabled; "
	"empty: off."),
    STR(sync_program, "", "Program that moves mail; empty means imapsync on PATH, else the built-in engine."),
    STR(engine_program, MCV_BIN_DIR "/mailconvoy-sync", "The built-in engine."),
    STR(verify, "size",
	"What a worker compares after each real run, whichever program copied: size (identity and size of "
	"every "
	"message, contents where these leave a doubt), content (the SHA-256 of every message) or off."),
    STR(ca_file, "", "CA certificates to verify IMAP servers with; empty means the system's."),
    STR(smtp_host, "", "The relay that takes notifications by mail; empty means that nobody gets any."),
    INT(smtp_port, 0, 0, 65535, "Its port; 0 means 587 for starttls, 465 for tls and 25 for none."),
    STR(smtp_security, "starttls",
	"starttls, tls (from the first byte) or none; the certificate is always verified, name and all."),
    STR(smtp_user, "", "User to sign in to the relay as, if it wants that; never without TLS."),
    STR(smtp_password_file, "",
	"File with that user's password: mode 0400, owned by the worker's user; the web must not read it."),
    STR(smtp_ca_file, "", "CA certificates to verify the relay with; empty means the system's."),
    STR(mail_from, "", "Sender of the notifications; required with smtp_host."),
    STR(notify_batch, "summary",
	"A batch sends one mail when its last job ends (summary), one for each job (each) or none (off)."),
    INT(notify_suppress_s, 60, 0, 86400,
	"No mail to somebody who looked at the jobs list within so many seconds; 0 means always mail."),
    INT(notify_hourly_max, 200, 0, 1000000,
	"Most notifications for one account within an hour; the others wait. 0 means no limit."),
    {AT(mail_log_links), .type = CONF_BOOL, .number = 0,
	.doc = "Give the mail about a job a link to its log that works for a week without signing in."},
    INT(poll_ms, 500, 50, 60000, "How often an idle worker looks for queued jobs, in milliseconds."),
    INT(lease_s, 60, 3, 3600, "How long a worker owns a job without renewing, in seconds."),
    INT(renew_s, 10, 1, 1200, "How often it renews, in seconds."),
    INT(fence_s, 40, 2, 3000,
	"After so many seconds without a renewal a worker ends its own runs; plus "
	"kill_grace_s must stay below lease_s."),
    INT(kill_grace_s, 10, 1, 300, "Seconds between SIGTERM and SIGKILL."),
    INT(run_wall_s, 86400, 1, 2592000, "Longest duration of one run, in seconds."),
    INT(run_silence_s, 1800, 1, 86400, "Longest time a run may print nothing, in seconds."),
    INT(run_memory_mb, 2048, 64, 1048576, "Address space of one run, in MiB."),
    INT(log_head_mb, 16, 1, 65536, "First part of a run's log that is kept, in MiB."),
    INT(log_tail_mb, 48, 1, 65536, "Last part of a run's log that is kept when it is longer, in MiB."),
    INT(credential_days, 30, 0, 36500,
	"Stored passwords of a job are removed so many days after its end; a rerun then asks for them. 0 "
	"keeps "
	"them."),
    INT(log_days, 0, 0, 36500, "Logs are removed so many days after the end of the job; 0 keeps them."),
    INT(job_days, 0, 0, 36500,
	"Jobs are deleted, with their logs, so many days after their end; 0 keeps them."),
    INT(session_idle_s, 7200, 60, 2592000, "A session ends after so many seconds without a request."),
    INT(session_max_s, 86400, 60, 31536000,
	"A session ends so many seconds after signing in, whatever happens."),
    INT(login_window_s, 900, 10, 86400, "Failed sign-ins are counted over so many seconds."),
    INT(login_max_per_user, 10, 1, 10000, "Failed sign-ins for one user and address before they must wait."),
    INT(login_max_per_address, 50, 1, 100000, "Failed sign-ins from one address before it must wait."),
    INT(probe_timeout_s, 15, 1, 300, "Deadline of a server test, in seconds."),
    INT(probe_max_per_minute, 10, 1, 10000, "Server tests one account may run in a minute."),
    INT(api_max_per_minute, 600, 1, 100000, "Requests one API token may make in a minute."),
    {AT(deny_networks), .type = CONF_LIST,
	.list = {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	    "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3", "::/128", "::1/128",
	    "64:ff9b:1::/48", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"},
	.doc = "Networks that members (not administrators) may not reach with servers of their own."},
    {AT(member_ports), .type = CONF_LIST, .list = {"143", "993"},
	.doc = "Ports, or ranges as in \"1024-65535\", of the servers that members (not administrators) may "
	       "name; shared servers may have any."},
    {AT(trusted_proxies), .type = CONF_LIST, .list = {"127.0.0.1", "::1"},
	.doc = "Addresses of web servers whose X-Forwarded-For is believed."},
    {AT(panel_origins), .type = CONF_LIST,
	.doc = "Origins of control panels that may show every account's pages in a frame, as "
	       "https://panel.example.org:2222; an account may have more of its own. None: no frames."},
    {AT(sso_trusted_users), .type = CONF_LIST,
	.doc = "System users, by name or number, who may get links for others' accounts at sso_socket, as "
	       "root may."},
    {AT(debug), .type = CONF_BOOL, .number = 0, .doc = "Log more."},
};

enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

/* libconfuse reports through a callback that has no closure. */
static struct buf *parse_why;
static const char *parse_path;

static void on_parse_error(cfg_t *cfg, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

static void on_parse_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	if (parse_why == NULL || parse_why->len > 0)
		return;
	buf_addf(parse_why, "%s, line %d: ", parse_path, cfg->line);
	buf_vaddf(parse_why, fmt, ap);
	buf_adds(parse_why, " (every setting: mailconvoyctl conf sample)");
}

static const struct setting *setting_named(const char *name)
{
	for (size_t i = 0; i < SETTINGS; i++)
		if (strcmp(settings[i].name, name) == 0)
			return &settings[i];
	return NULL;
}

static int check_range(cfg_t *cfg, cfg_opt_t *opt)
{
	const struct setting *s = setting_named(cfg_opt_name(opt));
	long value = cfg_opt_getnint(opt, 0);

	if (s == NULL || (value >= s->min && value <= s->max))
		return 0;
	cfg_error(cfg, "%s = %ld is out of range: write a whole number from %ld to %ld", s->name, value,
	    s->min, s->max);
	return -1;
}

/* libconfuse wants list defaults as "{a, b}". */
static char *list_default(const struct setting *s)
{
	struct buf b = BUF_INIT;

	buf_addc(&b, '{');
	for (size_t i = 0; i < LIST_MAX && s->list[i] != NULL; i++)
		buf_addf(&b, "%s\"%s\"", i ? ", " : "", s->list[i]);
	buf_addc(&b, '}');
	return buf_steal(&b);
}

static void options_free(cfg_opt_t *opts, char **defaults)
{
	free(opts);
	for (size_t i = 0; i < SETTINGS; i++)
		free(defaults[i]);
	free(defaults);
}

static cfg_opt_t *options_new(char **defaults)
{
	cfg_opt_t *opts = mem_array(SETTINGS + 1, sizeof(*opts));

	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *s = &settings[i];

		switch (s->type) {
		case CONF_STR: opts[i] = (cfg_opt_t)CFG_STR(s->name, s->text, CFGF_NONE); break;
		case CONF_INT: opts[i] = (cfg_opt_t)CFG_INT(s->name, s->number, CFGF_NONE); break;
		case CONF_BOOL:
			opts[i] = (cfg_opt_t)CFG_BOOL(s->name, s->number ? cfg_true : cfg_false, CFGF_NONE);
			break;
		case CONF_LIST:
			defaults[i] = list_default(s);
			opts[i] = (cfg_opt_t)CFG_STR_LIST(s->name, defaults[i], CFGF_NONE);
			break;
		}
	}
	opts[SETTINGS] = (cfg_opt_t)CFG_END();
	return opts;
}

static void *field(struct conf *conf, const struct setting *s)
{
	return (char *)conf + s->offset;
}

static void take_values(struct conf *conf, cfg_t *cfg)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *s = &settings[i];
		const char *text;
		struct conf_list *list;

		switch (s->type) {
		case CONF_STR:
			text = cfg_getstr(cfg, s->name);
			*(char **)field(conf, s) = mem_strdup(text ? text : "");
			break;
		case CONF_INT: *(long *)field(conf, s) = cfg_getint(cfg, s->name); break;
		case CONF_BOOL: *(bool *)field(conf, s) = cfg_getbool(cfg, s->name) == cfg_true; break;
		case CONF_LIST:
			list = field(conf, s);
			list->count = cfg_size(cfg, s->name);
			list->items = mem_array(list->count, sizeof(char *));
			for (size_t n = 0; n < list->count; n++)
				list->items[n] = mem_strdup(cfg_getnstr(cfg, s->name, (unsigned)n));
			break;
		}
	}
}

enum err conf_load(const char *path, struct conf **conf_r, struct buf *why)
{
	char **defaults;
	cfg_opt_t *opts;
	cfg_t *cfg;
	struct conf *conf;
	AUTO_BUF struct buf text = BUF_INIT;
	enum err e;
	int rc;

	e = conf_text_read(path, &text, why);
	if (e != ERR_OK)
		return e;
	defaults = mem_array(SETTINGS, sizeof(*defaults));
	opts = options_new(defaults);
	cfg = cfg_init(opts, CFGF_NONE);
	parse_why = why;
	parse_path = path;
	cfg_set_error_function(cfg, on_parse_error);
	for (size_t i = 0; i < SETTINGS; i++)
		if (settings[i].type == CONF_INT)
			cfg_set_validate_func(cfg, settings[i].name, check_range);
	rc = cfg_parse_buf(cfg, text.data);
	parse_why = NULL;
	conf = mem_alloc(sizeof(*conf));
	if (rc != CFG_SUCCESS) {
		if (why->len == 0)
			buf_addf(why, "cannot understand %s", path);
		e = ERR_INVALID;
	} else {
		take_values(conf, cfg);
		e = conf_check(path, conf, why);
	}
	cfg_free(cfg);
	options_free(opts, defaults);
	if (e != ERR_OK)
		conf_free(&conf);
	else
		*conf_r = conf;
	return e;
}

void conf_free(struct conf **confp)
{
	struct conf *conf = *confp;

	if (conf == NULL)
		return;
	for (size_t i = 0; i < SETTINGS; i++) {
		if (settings[i].type == CONF_STR) {
			free(*(char **)field(conf, &settings[i]));
		} else if (settings[i].type == CONF_LIST) {
			struct conf_list *list = field(conf, &settings[i]);

			for (size_t n = 0; n < list->count; n++)
				free(list->items[n]);
			free(list->items);
		}
	}
	free(conf);
	*confp = NULL;
}

static void print_quoted(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', out);
		fputc(*s, out);
	}
	fputc('"', out);
}

static void print_list(FILE *out, const char *const *items, size_t count)
{
	fputc('{', out);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			fputs(", ", out);
		print_quoted(out, items[i]);
	}
	fputc('}', out);
}

void conf_print_sample(FILE *out)
{
	fputs("# mailconvoy.conf: see mailconvoy.conf(5). Each setting is shown at its default.\n", out);
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *s = &settings[i];
		size_t n = 0;

		fprintf(out, "\n# %s\n#%s = ", s->doc, s->name);
		switch (s->type) {
		case CONF_STR: print_quoted(out, s->text); break;
		case CONF_INT: fprintf(out, "%ld", s->number); break;
		case CONF_BOOL: fputs(s->number ? "true" : "false", out); break;
		case CONF_LIST:
			while (n < LIST_MAX && s->list[n] != NULL)
				n++;
			print_list(out, s->list, n);
			break;
		}
		fputc('\n', out);
	}
}

void conf_print(const struct conf *conf, FILE *out)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct setting *s = &settings[i];
		const char *at = (const char *)conf + s->offset;
		const struct conf_list *list = (const void *)at;

		fprintf(out, "%s = ", s->name);
		switch (s->type) {
		case CONF_STR: print_quoted(out, *(char *const *)(const void *)at); break;
		case CONF_INT: fprintf(out, "%ld", *(const long *)(const void *)at); break;
		case CONF_BOOL: fputs(*(const bool *)at ? "true" : "false", out); break;
		case CONF_LIST: print_list(out, (const char *const *)list->items, list->count); break;
		}
		fputc('\n', out);
	}
}
