#include "config.h"

#include "worker/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child tells of its failure, in one write. */
struct report {
	int errnum;
	int at_exec; /* else before */
};

/* Descriptors are first moved above these numbers, so that no target overwrites a source still needed. */
enum { FD_PARKING = 64 };

static void limit(int what, uint64_t value)
{
	struct rlimit rl;

	if (getrlimit((__rlimit_resource_t)what, &rl) != 0)
		return;
	if (rl.rlim_max == RLIM_INFINITY || rl.rlim_max > value)
		rl.rlim_max = value;
	rl.rlim_cur = rl.rlim_max;
	(void)setrlimit((__rlimit_resource_t)what, &rl);
}

static void default_signals(void)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &sa, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool keep(int fd, const struct spawn *sp)
{
	for (unsigned i = 0; i < sp->fd_count; i++)
		if (sp->fds[i].theirs == fd)
			return true;
	return fd <= STDERR_FILENO;
}

/* Closes everything but what was handed over and report_fd, whose close-on-exec flag ends it later. */
static void close_rest(const struct spawn *sp, int report_fd)
{
	int highest = report_fd;

	for (int fd = 0; fd < highest; fd++)
		if (!keep(fd, sp))
			(void)close(fd);
	(void)close_range((unsigned)highest + 1, ~0U, 0);
}

static bool place_descriptors(const struct spawn *sp, int *report_fd)
{
	int parked[SPAWN_FDS_MAX];
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0)
		return false;
	for (unsigned i = 0; i < sp->fd_count; i++) {
		parked[i] = fcntl(sp->fds[i].ours, F_DUPFD_CLOEXEC, FD_PARKING);
		if (parked[i] < 0)
			return false;
	}
	*report_fd = fcntl(*report_fd, F_DUPFD_CLOEXEC, FD_PARKING);
	if (*report_fd < 0)
		return false;
	for (unsigned i = 0; i < sp->fd_count; i++)
		if (dup2(parked[i], sp->fds[i].theirs) < 0)
			return false;
	close_rest(sp, *report_fd);
	return true;
}

/* Async-signal-safe calls only, from here to exec. */
static void be_child(const struct spawn *sp, int report_fd, pid_t parent) __attribute__((noreturn));

static void be_child(const struct spawn *sp, int report_fd, pid_t parent)
{
	struct report r = {0};

	(void)setsid();
	(void)umask(077);
	if (sp->cwd != NULL && chdir(sp->cwd) != 0)
		goto fail;
	if (!place_descriptors(sp, &report_fd))
		goto fail;
	default_signals();
	limit(RLIMIT_CORE, 0);
	if (sp->address_space_bytes != 0)
		limit(RLIMIT_AS, sp->address_space_bytes);
	if (sp->file_bytes != 0)
		limit(RLIMIT_FSIZE, sp->file_bytes);
	if (sp->nice != 0 && nice(sp->nice) == -1)
		errno = 0;
	if (sp->die_with_parent) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(127); /* it died before the line above took effect */
	}
	(void)execve(sp->path, sp->argv, sp->envp);
	r.at_exec = 1;
fail:
	r.errnum = errno;
	if (write(report_fd, &r, sizeof(r)) != (ssize_t)sizeof(r))
		_exit(126);
	_exit(127);
}

static enum err read_report(int fd, pid_t pid, pid_t *pid_r)
{
	struct report r;
	ssize_t n;

	do
		n = read(fd, &r, sizeof(r));
	while (n < 0 && errno == EINTR);
	if (n == 0) {
		*pid_r = pid; /* exec closed the pipe */
		return ERR_OK;
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	errno = n == (ssize_t)sizeof(r) ? r.errnum : EIO;
	return n == (ssize_t)sizeof(r) && r.at_exec ? ERR_NOT_FOUND : ERR_IO;
}

enum err spawn(const struct spawn *sp, pid_t *pid_r)
{
	pid_t parent = getpid();
	int report[2];
	sigset_t all;
	sigset_t before;
	enum err e;
	pid_t pid;

	if (sp->fd_count > SPAWN_FDS_MAX) {
		errno = EINVAL;
		return ERR_IO;
	}
	if (pipe2(report, O_CLOEXEC) != 0)
		return ERR_IO;
	/* no handler of ours may run in the child before it has reset them */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		be_child(sp, report[1], parent);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	(void)close(report[1]);
	if (pid < 0) {
		(void)close(report[0]);
		return ERR_IO;
	}
	e = read_report(report[0], pid, pid_r);
	(void)close(report[0]);
	return e;
}
