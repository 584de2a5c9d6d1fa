#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"

/* Where the worker's program is: beside this one, or in its own folder of a build. */
static bool find_worker(char *path, size_t size)
{
	static const char *const places[] = {"mailconvoy-worker", "../worker/mailconvoy-worker"};
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n <= 0)
		return false;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int len = snprintf(path, size, "%s/%s", self, places[i]);

		if (len > 0 && (size_t)len < size && access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* As the user who sends the notifications, who may be refused what root may read. */
static bool become_worker(void)
{
	const struct passwd *pw;

	if (!ctl_has_users())
		return true;
	pw = getpwnam(CTL_WORKER_USER);
	return pw != NULL && initgroups(pw->pw_name, pw->pw_gid) == 0 && setgid(pw->pw_gid) == 0 &&
	       setuid(pw->pw_uid) == 0;
}

enum ctl_exit verb_mail(struct ctl *ctl, int count, char **words)
{
	char path[PATH_MAX + 32];

	if (count != 2 || strcmp(words[0], "test") != 0) {
		ctl_complain("usage: mailconvoyctl mail test ADDRESS");
		return CTL_USAGE;
	}
	if (ctl->conf->smtp_host[0] == '\0') {
		ctl_complain("notifications are off: set smtp_host and mail_from in %s", ctl->conf_path);
		return CTL_PROBLEMS;
	}
	if (!find_worker(path, sizeof(path))) {
		ctl_complain(
		    "mailconvoy-worker, which sends the mails, is not installed beside this program");
		return CTL_UNAVAILABLE;
	}
	printf("Sending to %s through %s, %s.\n", words[1], ctl->conf->smtp_host, ctl->conf->smtp_security);
	if (fflush(stdout) != 0 || !become_worker()) {
		ctl_complain("cannot become " CTL_WORKER_USER ": %s", strerror(errno));
		return CTL_UNAVAILABLE;
	}
	/* libesmtp is the worker's: this process becomes it, and its answer ours. */
	(void)execv(path,
	    (char *[]){"mailconvoy-worker", "--mail-test", "-c", (char *)ctl->conf_path, words[1], NULL});
	ctl_complain("%s: %s", path, strerror(errno));
	return CTL_UNAVAILABLE;
}
