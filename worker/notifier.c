#include "worker/notifier.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "worker/spawn.h"

enum { FIRST_MS = 200, LONGEST_MS = 30000, STEADY_MS = 60000 };

static int64_t backoff_ms(unsigned deaths)
{
	int64_t ms = FIRST_MS;

	while (deaths-- > 1 && ms < LONGEST_MS)
		ms *= 2;
	return ms < LONGEST_MS ? ms : LONGEST_MS;
}

/* True when it does not run (any more). */
static bool reap(struct notifier_child *n)
{
	int status;
	pid_t pid;

	if (n->pid == 0)
		return true;
	pid = waitpid(n->pid, &status, WNOHANG);
	if (pid == 0 || (pid < 0 && errno == EINTR))
		return false;
	n->pid = 0;
	return true;
}

void notifier_tick(struct notifier_child *n)
{
	char *const argv[] = {"mailconvoy-worker", "--notifier", "-c", (char *)n->conf_path, NULL};
	const struct spawn sp = {
	    .path = "/proc/self/exe", .argv = argv, .envp = environ, .die_with_parent = 1};
	bool was_running = n->pid != 0;

	if (n->conf_path == NULL || !reap(n))
		return;
	if (was_running) {
		if (mono_diff_ms(n->started_at, mono_now()) > STEADY_MS)
			n->deaths = 0;
		n->deaths++;
		n->start_at = mono_after(mono_now(), backoff_ms(n->deaths));
		log_warnx("the notifier has ended; it is started again");
	}
	if (mono_left_ms(n->start_at) > 0)
		return;
	n->started_at = mono_now();
	if (spawn(&sp, &n->pid) != ERR_OK) {
		log_warn("the notifier cannot be started");
		n->pid = 0;
		n->deaths++;
		n->start_at = mono_after(mono_now(), backoff_ms(n->deaths));
	}
}

bool notifier_owns(const struct notifier_child *n, pid_t pid)
{
	return n->pid != 0 && n->pid == pid;
}

void notifier_end(struct notifier_child *n)
{
	n->conf_path = NULL;
	if (n->pid != 0)
		(void)kill(n->pid, SIGTERM);
}

bool notifier_is_gone(struct notifier_child *n, bool is_killed)
{
	if (reap(n))
		return true;
	if (!is_killed)
		return false;
	(void)kill(n->pid, SIGKILL);
	while (waitpid(n->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	n->pid = 0;
	return true;
}
