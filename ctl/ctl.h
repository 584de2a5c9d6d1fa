/*
 * What every verb of mailconvoyctl gets, and the verbs.  Each verb is one file with one function; main.c has
 * the table.
 */
#ifndef MCV_CTL_CTL_H
#define MCV_CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/arena.h"
#include "lib/conf.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/viewer.h"

/* The users that an installation's web and worker run as, and that MariaDB knows them by. */
#define CTL_WEB_USER "mailconvoy-web"
#define CTL_WORKER_USER "mailconvoy-worker"

/* Exit codes, after sysexits(3); mailconvoyctl(8) lists them. */
enum ctl_exit {
	CTL_OK = 0,
	CTL_PROBLEMS = 1,     /* the question was answered, and the answer is not good */
	CTL_USAGE = 64,       /* called wrongly */
	CTL_REFUSED = 65,     /* a value given is not acceptable */
	CTL_NO_INPUT = 66,    /* a file given cannot be read */
	CTL_UNAVAILABLE = 69, /* the database, or the panel, cannot be used */
	CTL_INTERNAL = 70,    /* a bug */
	CTL_CONFLICT = 73,    /* it exists already, or its state forbids this */
	CTL_TRY_LATER = 75,   /* not now, or it is not known whether it was done */
	CTL_DENIED = 77,      /* known who asks, and they may not; or the token is not good */
	CTL_CONFIG = 78,      /* mailconvoy.conf is missing or refused */
};

struct ctl {
	const char *conf_path;
	struct conf *conf; /* NULL for verbs that work without */
	struct arena *a;
	struct db *db; /* NULL until ctl_connect() */
};

/* Whether we are root where both users exist: an installation, not a trial. */
bool ctl_has_users(void);

/* Whether MariaDB knows them by their sockets (database_host and database_user empty): setup's to arrange. */
bool ctl_grants_users(const struct ctl *ctl);

/*
 * Connect, and unless any_schema check that the schema is this program's.  CTL_OK, or the exit code after the
 * reason has been printed.
 */
enum ctl_exit ctl_connect(struct ctl *ctl, bool any_schema) MUST_CHECK;

/* Print "mailconvoyctl: …" to standard error. */
void ctl_complain(const char *fmt, ...) PRINTF_LIKE(1, 2);

/*
 * Hand on what was printed to standard output.  false: it cannot be; where its reader has gone that is no
 * fault, and the exit code stays what it is.
 */
bool ctl_flush(void);

/* Complain that what failed with e (and the database's text); the exit code for e. */
enum ctl_exit ctl_failed(const struct ctl *ctl, const char *what, enum err e);

/*
 * A password from the terminal (asked twice, without echo) or, when standard input is none, its first line;
 * in the ctl's arena.  NULL after a complaint.
 */
char *ctl_ask_password(struct ctl *ctl, const char *whose);

/* One line from the terminal without echo, at most max_bytes; in the ctl's arena, NULL at its end. */
char *ctl_ask_secret(struct ctl *ctl, const char *question, size_t max_bytes);

/* Whether "yes" is typed. */
bool ctl_confirm(const char *question);

/* The words after the verb; words[count] is NULL. */
typedef enum ctl_exit ctl_verb_fn(struct ctl *ctl, int count, char **words);

ctl_verb_fn verb_setup, verb_db, verb_user, verb_account, verb_token, verb_slots, verb_check, verb_doctor,
    verb_conf, verb_key, verb_mail, verb_passwords, verb_sso_link, verb_job, verb_import, verb_batch;

/* Shared by setup and user: make an admin or member; the exit code. */
enum ctl_exit ctl_user_create(
    struct ctl *ctl, const char *email, bool is_admin, const char *account, const char *password);

/* The installation itself, as the stores see who acts. */
extern const struct viewer ctl_viewer;

/* Note in the audit trail what was done; a failure is complained of. */
void ctl_audit(struct ctl *ctl, const char *action, const char *object, const char *detail);

/*
 * Shared by setup and key: make the key pair where conf says, or the public key of a private one that is
 * there; a private key of root's is given to the worker's user if there is one.
 */
enum ctl_exit ctl_key_generate(struct ctl *ctl);

/*
 * Shared by setup and key: make the key that second factors are stored under, and give one of root's to the
 * web's user if there is one.  CTL_CONFLICT: it is there, or there are second factors that a new one would
 * not open.
 */
enum ctl_exit ctl_key_second_factor(struct ctl *ctl);

/* Shared by setup and db: apply what is missing. */
enum ctl_exit ctl_migrate(struct ctl *ctl);

#endif
