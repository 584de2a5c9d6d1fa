/*
 * mailconvoy.conf: what an administrator sets once, read by the web, the worker and mailconvoyctl.
 *
 * One table in conf.c declares each setting with its type, limits, default and explanation; the parser
 * (libconfuse), the sample file and the manual's table come from it.  A setting that is unknown, of the wrong
 * type or out of range is refused at start with the file, the line and what to write instead.
 */
#ifndef MCV_LIB_CONF_H
#define MCV_LIB_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/buf.h"
#include "lib/err.h"

/* A list of strings; items[count] is not valid. */
struct conf_list {
	char **items;
	size_t count;
};

/* Strings are never NULL; "" means not set.  All belong to the struct until conf_free(). */
struct conf {
	char *base_url;
	char *database_socket;
	char *database_host;
	long database_port;
	char *database_name;
	char *database_user;
	char *database_password_file;
	char *database_ca_file;
	char *public_key_file;
	char *private_key_file;
	char *second_factor_key_file;
	char *template_path;
	char *static_dir;
	char *sql_dir;
	char *state_dir;
	char *run_dir;
	char *sso_socket; /* "": nobody is signed in from this machine */
	char *sync_program;
	char *engine_program;
	char *verify; /* "off", "size" or "content" */
	char *ca_file;
	char *smtp_host; /* "": notifications are off */
	long smtp_port;  /* 0: as smtp_security has it */
	char *smtp_security;
	char *smtp_user;
	char *smtp_password_file;
	char *smtp_ca_file;
	char *mail_from;
	char *notify_batch;
	long notify_suppress_s;
	long notify_hourly_max; /* 0: no limit */
	bool mail_log_links;
	long poll_ms;
	long lease_s;
	long renew_s;
	long fence_s;
	long kill_grace_s;
	long run_wall_s;
	long run_silence_s;
	long run_memory_mb;
	long log_head_mb;
	long log_tail_mb;
	long credential_days; /* 0: for ever, as the next two */
	long log_days;
	long job_days;
	long session_idle_s;
	long session_max_s;
	long login_window_s;
	long login_max_per_user;
	long login_max_per_address;
	long probe_timeout_s;
	long probe_max_per_minute;
	long api_max_per_minute;
	struct conf_list deny_networks;
	struct conf_list member_ports; /* lib/portlist.h */
	struct conf_list trusted_proxies;
	struct conf_list panel_origins;
	struct conf_list sso_trusted_users;
	bool debug;
};

/* What is compiled in: CONFDIR/mailconvoy.conf. */
extern const char conf_default_path[];

/* The same of sso_socket: what who may not read the configuration goes by. */
extern const char conf_default_sso_socket[];

/*
 * Read path into a new struct, freed with conf_free().  On failure why gets one sentence with file, line and
 * how to mend it.  ERR_OK, ERR_NOT_FOUND (no such file), ERR_DENIED (not readable), ERR_INVALID (refused
 * content), ERR_TOO_BIG, ERR_IO.
 */
enum err conf_load(const char *path, struct conf **conf_r, struct buf *why) MUST_CHECK;

/* Frees and sets *conf to NULL; *conf may be NULL. */
void conf_free(struct conf **conf);

/* The sample mailconvoy.conf: every setting explained, commented out at its default. */
void conf_print_sample(FILE *out);

/* The settings in force, one "key = value" a line; no setting holds a secret. */
void conf_print(const struct conf *conf, FILE *out);

#endif
