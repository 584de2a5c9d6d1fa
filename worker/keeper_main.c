#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "worker/keeper.h"
#include "worker/keeper_wire.h"
#include "worker/proctree.h"
#include "worker/spawn.h"
#include "worker/vet.h"

/* How often the tree is killed again while any of it is left. */
enum { KILL_AGAIN_MS = 50, MEMORY_MS = 1000, NICE = 5 };

/* Among what the kernel kills first when memory runs out; never the worker or the database instead. */
#define OOM_SCORE "500"

struct keeping {
	pid_t child;
	bool child_gone;
	bool ending;       /* TERM was sent */
	mono_time kill_at; /* when ending: KILL from here on */
	mono_time fence;
	mono_time memory_at; /* next look at memory */
	uint64_t memory_bytes;
	unsigned grace_s;
	int signal_fd;
	int control_fd; /* -1 once the worker is gone */
};

static void tell(enum keeper_event kind, int64_t value)
{
	const struct keeper_message m = {.kind = (int32_t)kind, .value = value};

	/* nobody reads any more: the control pipe tells so too */
	if (write(KEEPER_FD_STATUS, &m, sizeof(m)) != (ssize_t)sizeof(m))
		errno = 0;
}

static void end_run(struct keeping *k, unsigned grace_s)
{
	mono_time at = mono_after(mono_now(), (int64_t)grace_s * 1000);

	if (k->ending) {
		if (mono_diff_ms(at, k->kill_at) > 0)
			k->kill_at = at; /* a shorter grace counts, a longer does not */
		return;
	}
	k->ending = true;
	k->kill_at = at;
	if (!k->child_gone)
		(void)kill(-k->child, SIGTERM);
	(void)proctree_kill(getpid(), SIGTERM);
}

static void kill_run(const struct keeping *k)
{
	if (!k->child_gone)
		(void)kill(-k->child, SIGKILL);
	(void)proctree_kill(getpid(), SIGKILL);
}

/* True when nothing is left below. */
static bool reap(struct keeping *k)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) != 0) {
		if (pid < 0)
			return errno == ECHILD;
		if (pid != k->child)
			continue;
		k->child_gone = true;
		tell(KEEPER_EXITED, status);
		end_run(k, KEEPER_SHORT_GRACE_S < k->grace_s ? KEEPER_SHORT_GRACE_S : k->grace_s);
	}
	return false;
}

static void obey(struct keeping *k)
{
	struct keeper_message m;
	ssize_t n = read(k->control_fd, &m, sizeof(m));

	if (n == (ssize_t)sizeof(m) && m.kind == ORDER_FENCE)
		k->fence.ms = m.value;
	else if (n == (ssize_t)sizeof(m))
		end_run(k, k->grace_s);
	else if (n >= 0 || errno != EINTR) {
		/* the worker is gone; its successor waits for our lock */
		(void)close(k->control_fd);
		k->control_fd = -1;
		end_run(k, KEEPER_SHORT_GRACE_S < k->grace_s ? KEEPER_SHORT_GRACE_S : k->grace_s);
	}
}

static int timeout_ms(const struct keeping *k)
{
	int left;

	if (!k->ending) {
		left = mono_left_ms(k->fence);
		return k->memory_bytes != 0 && left > MEMORY_MS ? MEMORY_MS : left;
	}
	left = mono_left_ms(k->kill_at);
	return left > KILL_AGAIN_MS ? left : KILL_AGAIN_MS;
}

/* The worker cannot see into its keepers, which hold passwords, where /proc is hidden: so they look
 * themselves. */
static void check_memory(struct keeping *k)
{
	if (k->memory_bytes == 0 || k->ending || mono_left_ms(k->memory_at) > 0)
		return;
	k->memory_at = mono_after(mono_now(), MEMORY_MS);
	if (proctree_memory(getpid()) <= k->memory_bytes)
		return;
	tell(KEEPER_TOO_FAT, 0);
	end_run(k, k->grace_s);
}

static void read_signals(struct keeping *k)
{
	struct signalfd_siginfo si;

	while (read(k->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		if (si.ssi_signo == SIGTERM) {
			tell(KEEPER_TERMINATED, 0);
			end_run(k, k->grace_s);
		}
}

/* Until nothing is left. */
static void watch(struct keeping *k)
{
	while (!reap(k)) {
		struct pollfd fds[] = {
		    {.fd = k->signal_fd, .events = POLLIN},
		    {.fd = k->control_fd, .events = POLLIN},
		};

		if (k->ending && mono_left_ms(k->kill_at) == 0)
			kill_run(k);
		(void)poll(fds, 2, timeout_ms(k));
		if (fds[0].revents != 0)
			read_signals(k);
		if (fds[1].revents != 0)
			obey(k);
		check_memory(k);
		if (!k->ending && mono_left_ms(k->fence) == 0) {
			tell(KEEPER_FENCED, 0);
			end_run(k, k->grace_s);
		}
	}
	read_signals(k); /* the program may have heard of it sooner than we */
}

static int watch_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGPIPE);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void prefer_for_oom(pid_t child)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)child);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, OOM_SCORE, strlen(OOM_SCORE)) < 0)
		errno = 0; /* a container may forbid it: the memory limit still holds */
	(void)close(fd);
}

static enum err start(char **argv, pid_t *child_r)
{
	const struct spawn sp = {
	    .path = argv[KEEPER_ARG_PROGRAM],
	    .argv = argv + KEEPER_ARG_PROGRAM,
	    .envp = environ,
	    .fds =
		{
		    {.ours = KEEPER_FD_OUTPUT, .theirs = STDOUT_FILENO},
		    {.ours = KEEPER_FD_OUTPUT, .theirs = STDERR_FILENO},
		    {.ours = KEEPER_PASSFILE_SOURCE, .theirs = KEEPER_PASSFILE_SOURCE},
		    {.ours = KEEPER_PASSFILE_DESTINATION, .theirs = KEEPER_PASSFILE_DESTINATION},
		},
	    .fd_count = 4,
	    .address_space_bytes = strtoull(argv[KEEPER_ARG_SPACE], NULL, 10),
	    .file_bytes = strtoull(argv[KEEPER_ARG_FILE], NULL, 10),
	    .nice = NICE,
	    .die_with_parent = 1,
	};

	return spawn(&sp, child_r);
}

/*
 * Asked after we have the lock: a worker's successor that found no lock may have declared the run over, and
 * then its worker was dead already.
 */
static bool is_worker_gone(void)
{
	struct pollfd control = {.fd = KEEPER_FD_CONTROL};

	return poll(&control, 1, 0) > 0 && (control.revents & (POLLHUP | POLLERR)) != 0;
}

/* The program's word that begins so, or NULL. */
static char **find_word(char **argv, const char *beginning)
{
	for (char **word = argv + KEEPER_ARG_PROGRAM; *word != NULL; word++)
		if (strncmp(*word, beginning, strlen(beginning)) == 0)
			return word;
	return NULL;
}

/*
 * What was vetted is what the program connects to: it would ask for the name again, and get another answer
 * from a name server that wants it so.  The certificate is checked for the name all the same (argv.h).
 */
static enum err vet_side(char **argv, int side)
{
	static char hosts[2][sizeof("--host1=") + VET_ADDRESS_MAX];
	const char *name = argv[KEEPER_ARG_VET + side], *host = side == 0 ? "--host1=" : "--host2=";
	const char *port = side == 0 ? "--port1=" : "--port2=";
	char **host_word = find_word(argv, host), **port_word = find_word(argv, port);
	char address[VET_ADDRESS_MAX];
	enum err e;

	if (name[0] == '\0')
		return ERR_OK;
	if (host_word == NULL || port_word == NULL || strcmp(*host_word + strlen(host), name) != 0)
		return ERR_DENIED;
	e = vet_host(name, *port_word + strlen(port), argv[KEEPER_ARG_DENY], address);
	if (e != ERR_OK)
		return e;
	(void)snprintf(hosts[side], sizeof(hosts[side]), "%s%s", host, address);
	*host_word = hosts[side];
	return ERR_OK;
}

/* Here and not in the worker, whose leases would wait for the name servers with it. */
static bool hosts_are_allowed(char **argv)
{
	for (int side = 0; side < 2; side++) {
		enum err e = vet_side(argv, side);

		if (e != ERR_OK) {
			tell(e == ERR_NOT_FOUND ? KEEPER_NO_NAME : KEEPER_DENIED, side);
			return false;
		}
	}
	return true;
}

void keeper_main(char **argv)
{
	struct keeping k = {
	    .fence = {.ms = strtoll(argv[KEEPER_ARG_FENCE], NULL, 10)},
	    .grace_s = (unsigned)strtoul(argv[KEEPER_ARG_GRACE], NULL, 10),
	    .control_fd = KEEPER_FD_CONTROL,
	    .memory_at = mono_now(),
	    .memory_bytes = strtoull(argv[KEEPER_ARG_MEMORY], NULL, 10),
	};
	int lock = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_NAME, "mailconvoy-keep");
	k.signal_fd = watch_signals();
	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0 || k.signal_fd < 0) {
		tell(KEEPER_NOT_STARTED, errno);
		_exit(0);
	}
	if (!hosts_are_allowed(argv))
		_exit(0);
	if (mono_left_ms(k.fence) == 0) {
		tell(KEEPER_FENCED, 0);
		_exit(0);
	}
	if (is_worker_gone())
		_exit(0);
	if (start(argv, &k.child) != ERR_OK) {
		tell(KEEPER_NOT_STARTED, errno);
		_exit(0);
	}
	(void)close(KEEPER_FD_OUTPUT);
	(void)close(KEEPER_PASSFILE_SOURCE);
	(void)close(KEEPER_PASSFILE_DESTINATION);
	prefer_for_oom(k.child);
	tell(KEEPER_STARTED, k.child);
	watch(&k);
	_exit(0); /* nothing of ours to flush or to free */
}
