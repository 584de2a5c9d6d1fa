#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/password.h"
#include "sql/connect.h"
#include "sql/provision.h"
#include "sql/store_user.h"

/*
 * As root on a server of this machine, make the database; elsewhere the administrator has made it.  Leaves a
 * connection to the database behind.
 */
static enum ctl_exit prepare_database(struct ctl *ctl)
{
	const struct db_options options = {.socket = ctl->conf->database_socket};
	struct db *admin = NULL;
	enum err e = ERR_DENIED;

	if (geteuid() == 0 && ctl->conf->database_host[0] == '\0')
		e = db_open(&options, &admin);
	if (e == ERR_OK)
		e = provision_database(admin, ctl->conf->database_name);
	if (e == ERR_OK)
		printf("Database %s is there.\n", ctl->conf->database_name);
	else if (e != ERR_DENIED)
		ctl_complain("cannot make the database: %s: %s", err_text(e), admin ? db_error(admin) : "");
	db_close(&admin);
	return ctl_connect(ctl, true);
}

bool ctl_has_users(void)
{
	return geteuid() == 0 && getpwnam(CTL_WEB_USER) != NULL && getpwnam(CTL_WORKER_USER) != NULL;
}

bool ctl_grants_users(const struct ctl *ctl)
{
	return ctl_has_users() && ctl->conf->database_host[0] == '\0' && ctl->conf->database_user[0] == '\0';
}

/* The installed programs run as users of their own, known to MariaDB by their sockets. */
static enum ctl_exit grant_users(struct ctl *ctl)
{
	enum err e;

	if (!ctl_grants_users(ctl)) {
		if (geteuid() == 0 && !ctl_has_users())
			puts("There are no users " CTL_WEB_USER " and " CTL_WORKER_USER
			     " (systemd-sysusers makes them): nobody but you can use the database.");
		return CTL_OK;
	}
	e = provision_users(ctl->db, ctl->conf->database_name, CTL_WEB_USER, CTL_WORKER_USER);
	if (e != ERR_OK)
		return ctl_failed(ctl, "cannot give the database to mailconvoy's users", e);
	puts("Database users " CTL_WEB_USER " and " CTL_WORKER_USER " have what they need.");
	return CTL_OK;
}

static enum ctl_exit first_admin(struct ctl *ctl, const char *email)
{
	char password[21];
	struct user *list;
	size_t count;
	enum ctl_exit code;
	enum err e = store_user_list(ctl->db, ctl->a, 0, &list, &count);

	if (e != ERR_OK)
		return ctl_failed(ctl, "cannot list the users", e);
	for (size_t i = 0; i < count; i++)
		if (list[i].role == ROLE_ADMIN && list[i].disabled_at == 0) {
			printf("%s is administrator already.\n", list[i].email);
			return CTL_OK;
		}
	if (email == NULL) {
		ctl_complain("name the first administrator: mailconvoyctl setup --email ADDRESS");
		return CTL_USAGE;
	}
	password_random(password);
	code = ctl_user_create(ctl, email, true, NULL, password);
	if (code == CTL_OK)
		printf("First administrator: %s\nPassword, shown only now: %s\n", email, password);
	return code;
}

enum ctl_exit verb_setup(struct ctl *ctl, int count, char **words)
{
	const char *email = NULL;
	enum ctl_exit code, factors;

	if (count == 2 && strcmp(words[0], "--email") == 0) {
		email = words[1];
	} else if (count != 0) {
		ctl_complain("usage: mailconvoyctl setup [--email ADDRESS]");
		return CTL_USAGE;
	}
	code = prepare_database(ctl);
	if (code == CTL_OK)
		code = ctl_migrate(ctl);
	if (code == CTL_OK)
		code = grant_users(ctl);
	if (code == CTL_OK)
		code = ctl_key_generate(ctl);
	if (code == CTL_CONFLICT && access(ctl->conf->private_key_file, F_OK) == 0) {
		printf("Keys are there: %s\n", ctl->conf->public_key_file);
		code = CTL_OK;
	}
	factors = code == CTL_OK ? ctl_key_second_factor(ctl) : code;
	if (factors == CTL_CONFLICT && access(ctl->conf->second_factor_key_file, F_OK) == 0)
		factors = CTL_OK;
	/* a key that is missing keeps some from signing in, and nothing else from working */
	if (code == CTL_OK)
		code = first_admin(ctl, email);
	if (code == CTL_OK)
		printf("Sign in at %s/ once the web and the worker run.\n", ctl->conf->base_url);
	return code == CTL_OK ? factors : code;
}
