#include "ctl/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GROUPS_MAX = 64 };

/* Whether the user of this name may open path so (R_OK, W_OK, X_OK): tried as that user. */
static bool may(const char *user, const char *path, int how)
{
	const struct passwd *pw = getpwnam(user);
	gid_t groups[GROUPS_MAX];
	int count = getgroups(GROUPS_MAX, groups);
	bool yes;

	if (pw == NULL || count < 0)
		return true;
	yes = initgroups(user, pw->pw_gid) == 0 && setegid(pw->pw_gid) == 0 && seteuid(pw->pw_uid) == 0 &&
	      faccessat(AT_FDCWD, path, how, AT_EACCESS) == 0;
	/* A doctor who cannot be root again must not go on. */
	if (seteuid(0) != 0 || setegid(0) != 0 || setgroups((size_t)count, groups) != 0)
		abort();
	return yes;
}

static bool wants(const char *user, const char *path, int how, const char *mend)
{
	if (path[0] == '\0' || access(path, F_OK) != 0 || may(user, path, how))
		return true; /* what is not there is another line's matter */
	doctor_bad(mend, "%s cannot %s %s", user, (how & W_OK) != 0 ? "write to" : "read", path);
	return false;
}

/* Files that are named in the configuration, if only to leave the default. */
static bool look_for_named(const struct ctl *ctl)
{
	const char *const named[] = {ctl->conf->ca_file, ctl->conf->database_ca_file,
	    ctl->conf->database_password_file, ctl->conf->smtp_ca_file, ctl->conf->smtp_password_file};
	bool ok = true;

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (named[i][0] != '\0' && access(named[i], F_OK) != 0) {
			doctor_bad("Put it there, or take it out of the configuration.",
			    "the configuration names %s: %s", named[i], strerror(errno));
			ok = false;
		}
	return ok;
}

/* What both read. */
static bool look_at_shared(const struct ctl *ctl, const char *user)
{
	const struct conf *conf = ctl->conf;
	const char *mend = "chmod 0644 the file; the directories above it need 0755.";
	bool ok = wants(user, ctl->conf_path, R_OK, mend);

	ok = wants(user, conf->ca_file, R_OK, mend) && ok;
	ok = wants(user, conf->database_ca_file, R_OK, mend) && ok;
	return wants(user, conf->database_password_file, R_OK,
		   "Web and worker are two users: give each a configuration and a password file of its own "
		   "(mailconvoy.conf(5)).") &&
	       ok;
}

/* Each directory of a search path that is there. */
static bool look_at_templates(const struct ctl *ctl)
{
	const char *at = ctl->conf->template_path;
	bool ok = true;

	while (*at != '\0') {
		size_t len = strcspn(at, ":");
		const char *dir = arena_printf(ctl->a, "%.*s", (int)len, at);

		ok = wants(CTL_WEB_USER, dir, R_OK | X_OK,
			 "It was installed under a strict umask: chmod -R u=rwX,go=rX it.") &&
		     ok;
		at += len + (at[len] == ':');
	}
	return ok;
}

void doctor_files(const struct ctl *ctl)
{
	const struct conf *conf = ctl->conf;
	bool ok = look_for_named(ctl);

	if (!ctl_has_users())
		return;
	ok = look_at_shared(ctl, CTL_WEB_USER) && ok;
	ok = look_at_shared(ctl, CTL_WORKER_USER) && ok;
	ok = look_at_templates(ctl) && ok;
	ok = wants(CTL_WEB_USER, conf->public_key_file, R_OK, "chmod 0444 it.") && ok;
	ok = wants(CTL_WORKER_USER, conf->private_key_file, R_OK,
		 arena_printf(
		     ctl->a, "chown " CTL_WORKER_USER " %s, and chmod 0400 it.", conf->private_key_file)) &&
	     ok;
	ok = wants(CTL_WEB_USER, conf->second_factor_key_file, R_OK,
		 arena_printf(ctl->a, "chown " CTL_WEB_USER " %s, and chmod 0400 it.",
		     conf->second_factor_key_file)) &&
	     ok;
	ok = wants(CTL_WORKER_USER, conf->smtp_ca_file, R_OK, "chmod 0644 it.") && ok;
	ok = wants(CTL_WORKER_USER, conf->smtp_password_file, R_OK,
		 arena_printf(
		     ctl->a, "chown " CTL_WORKER_USER " %s, and chmod 0400 it.", conf->smtp_password_file)) &&
	     ok;
	ok = wants(CTL_WORKER_USER, conf->state_dir, R_OK | W_OK | X_OK,
		 arena_printf(
		     ctl->a, "chown -R " CTL_WORKER_USER " %s, and chmod 0700 it.", conf->state_dir)) &&
	     ok;
	if (access(conf->private_key_file, F_OK) == 0 && may(CTL_WEB_USER, conf->private_key_file, R_OK)) {
		doctor_bad(arena_printf(ctl->a, "chown " CTL_WORKER_USER " %s, and chmod 0400 it.",
			       conf->private_key_file),
		    CTL_WEB_USER " can read the private key: whoever breaks into the web has every "
				 "password");
		ok = false;
	}
	if (ok)
		doctor_good(CTL_WEB_USER " and " CTL_WORKER_USER " can open their files, and the web not "
					 "the private key");
}
