#include "config.h"

#include "worker/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/log.h"
#include "worker/keeper_wire.h"
#include "worker/proctree.h"
#include "worker/spawn.h"

enum { KEEPERS_MAX = 256, STRAYS_MAX = 64, STRAYS_MS = 1000, LOOK_AGAIN_MS = 10 };

/* The keepers that live: every other child of ours is what a killed keeper has left. */
static pid_t keepers[KEEPERS_MAX];
static size_t keeper_count;

/* Both ends of the pipes of one start, and the passfiles, closed by their role. */
struct pipes {
	int control[2];
	int status[2];
	int output[2];
	int password[2];
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void close_pair(int *pair)
{
	close_fd(&pair[0]);
	close_fd(&pair[1]);
}

static void close_pipes(struct pipes *p)
{
	close_pair(p->control);
	close_pair(p->status);
	close_pair(p->output);
	close_fd(&p->password[0]);
	close_fd(&p->password[1]);
}

static bool make_pipe(int *pair)
{
	if (pipe2(pair, O_CLOEXEC) == 0)
		return true;
	pair[0] = pair[1] = -1;
	return false;
}

static bool set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

/*
 * A file in memory and nowhere else: imapsync opens a passfile by its name and takes only a regular file,
 * which a pipe is not.
 */
static enum err make_passfile(int *fd_r, const struct keeper_secret *s)
{
	int fd;

	if (s->len > KEEPER_PASSWORD_MAX_BYTES)
		return ERR_TOO_BIG;
	fd = memfd_create("passfile", MFD_CLOEXEC);
	*fd_r = fd;
	if (fd < 0 || fchmod(fd, 0400) != 0 || write(fd, s->bytes, s->len) != (ssize_t)s->len ||
	    write(fd, "\n", 1) != 1 || lseek(fd, 0, SEEK_SET) != 0)
		return ERR_IO;
	return ERR_OK;
}

/* Shorter would not do: memory given back by a file is not wiped at once. */
static void wipe_passfile(int *fd)
{
	static const char zeros[KEEPER_PASSWORD_MAX_BYTES + 1];
	struct stat st;

	if (*fd >= 0 && (fstat(*fd, &st) != 0 || pwrite(*fd, zeros, (size_t)st.st_size, 0) != st.st_size ||
			    ftruncate(*fd, 0) != 0))
		log_warn("a passfile could not be wiped");
	close_fd(fd);
}

static enum err open_pipes(struct pipes *p, const struct keeper_plan *plan)
{
	enum err e;

	if (!make_pipe(p->control) || !make_pipe(p->status) || !make_pipe(p->output))
		return ERR_IO;
	if (!set_nonblocking(p->status[0]) || !set_nonblocking(p->output[0]) ||
	    !set_nonblocking(p->control[1]))
		return ERR_IO;
	e = make_passfile(&p->password[0], &plan->passwords[0]);
	return e != ERR_OK ? e : make_passfile(&p->password[1], &plan->passwords[1]);
}

static char *join_networks(struct arena *a, const struct conf_list *deny)
{
	char *all = arena_strdup(a, "");

	for (size_t i = 0; deny != NULL && i < deny->count; i++)
		all = arena_printf(a, "%s%s%s", all, i > 0 ? "," : "", deny->items[i]);
	return all;
}

static char **keeper_argv(struct arena *a, const struct keeper_plan *plan)
{
	size_t count = 0;
	char **argv;

	while (plan->argv[count] != NULL)
		count++;
	argv = arena_array(a, KEEPER_ARG_PROGRAM + count + 1, sizeof(char *));
	argv[0] = arena_strdup(a, "mailconvoy-worker");
	argv[KEEPER_ARG_FLAG] = arena_strdup(a, KEEPER_FLAG);
	argv[KEEPER_ARG_GRACE] = arena_printf(a, "%u", plan->kill_grace_s);
	argv[KEEPER_ARG_FENCE] = arena_printf(a, "%" PRId64, plan->fence.ms);
	argv[KEEPER_ARG_MEMORY] = arena_printf(a, "%" PRIu64, plan->memory_bytes);
	argv[KEEPER_ARG_SPACE] = arena_printf(a, "%" PRIu64, plan->address_space_bytes);
	argv[KEEPER_ARG_FILE] = arena_printf(a, "%" PRIu64, plan->file_bytes);
	argv[KEEPER_ARG_DENY] = join_networks(a, plan->deny);
	for (int side = 0; side < 2; side++)
		argv[KEEPER_ARG_VET + side] = arena_strdup(a, plan->vet[side] != NULL ? plan->vet[side] : "");
	memcpy(argv + KEEPER_ARG_PROGRAM, plan->argv, count * sizeof(char *));
	return argv;
}

static enum err spawn_keeper(const struct pipes *p, const struct keeper_plan *plan, pid_t *pid_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct spawn sp = {
	    .path = "/proc/self/exe",
	    .argv = keeper_argv(a, plan),
	    .envp = plan->envp,
	    .cwd = plan->job_dir,
	    .fds =
		{
		    {.ours = p->output[1], .theirs = KEEPER_FD_OUTPUT},
		    {.ours = STDERR_FILENO, .theirs = STDERR_FILENO},
		    {.ours = p->password[0], .theirs = KEEPER_PASSFILE_SOURCE},
		    {.ours = p->password[1], .theirs = KEEPER_PASSFILE_DESTINATION},
		    {.ours = p->control[0], .theirs = KEEPER_FD_CONTROL},
		    {.ours = p->status[1], .theirs = KEEPER_FD_STATUS},
		},
	    .fd_count = 6,
	};

	return spawn(&sp, pid_r) == ERR_OK ? ERR_OK : ERR_IO;
}

enum err keeper_start(const struct keeper_plan *plan, struct keeper *k_r)
{
	struct pipes p = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
	pid_t pid = 0;
	enum err e;
	int saved;

	if (keeper_count == KEEPERS_MAX) {
		errno = EAGAIN;
		return ERR_IO;
	}
	e = open_pipes(&p, plan);
	if (e == ERR_OK)
		e = spawn_keeper(&p, plan, &pid);
	if (e != ERR_OK) {
		saved = errno;
		close_pipes(&p);
		errno = saved;
		return e;
	}
	*k_r = (struct keeper){.pid = pid,
	    .child = 0,
	    .control_fd = p.control[1],
	    .status_fd = p.status[0],
	    .output_fd = p.output[0],
	    .passfile_fd = {p.password[0], p.password[1]}};
	p.control[1] = p.status[0] = p.output[0] = p.password[0] = p.password[1] = -1;
	close_pipes(&p);
	keepers[keeper_count++] = pid;
	return ERR_OK;
}

static void order(struct keeper *k, enum keeper_order kind, int64_t value)
{
	const struct keeper_message m = {.kind = (int32_t)kind, .value = value};

	/* full or broken: the keeper is ending or stuck, and its fence and its pipe's end act without us */
	if (k->control_fd >= 0 && write(k->control_fd, &m, sizeof(m)) != (ssize_t)sizeof(m))
		log_debug("keeper %d does not listen", (int)k->pid);
}

void keeper_forget_passwords(struct keeper *k)
{
	wipe_passfile(&k->passfile_fd[0]);
	wipe_passfile(&k->passfile_fd[1]);
}

void keeper_stop(struct keeper *k)
{
	order(k, ORDER_STOP, 0);
}

void keeper_fence(struct keeper *k, mono_time fence)
{
	order(k, ORDER_FENCE, fence.ms);
}

enum keeper_event keeper_next(struct keeper *k, int *value_r)
{
	struct keeper_message m;
	ssize_t n;

	if (k->status_fd < 0)
		return KEEPER_GONE;
	do
		n = read(k->status_fd, &m, sizeof(m));
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return KEEPER_NOTHING;
	if (n != (ssize_t)sizeof(m))
		return KEEPER_GONE;
	*value_r = (int)m.value;
	if (m.kind == KEEPER_STARTED)
		k->child = (pid_t)m.value;
	return (enum keeper_event)m.kind;
}

static bool is_keeper(pid_t pid)
{
	for (size_t i = 0; i < keeper_count; i++)
		if (keepers[i] == pid)
			return true;
	return false;
}

static void forget_keeper(pid_t pid)
{
	for (size_t i = 0; i < keeper_count; i++)
		if (keepers[i] == pid) {
			keepers[i] = keepers[--keeper_count];
			return;
		}
}

/* Sessions of their own escape a kill of the program's group, but not their new parent: us. */
static void kill_strays(void)
{
	mono_time deadline = mono_after(mono_now(), STRAYS_MS);
	pid_t list[STRAYS_MAX];
	size_t strays = 1;

	while (strays > 0 && mono_left_ms(deadline) > 0) {
		size_t count = proctree_children(getpid(), list, STRAYS_MAX);

		strays = 0;
		for (size_t i = 0; i < count; i++) {
			if (is_keeper(list[i]))
				continue;
			strays++;
			(void)kill(list[i], SIGKILL);
			(void)proctree_kill(list[i], SIGKILL);
			(void)waitpid(list[i], NULL, WNOHANG);
		}
		if (strays > 0)
			(void)poll(NULL, 0, LOOK_AGAIN_MS);
	}
	if (strays > 0)
		log_warnx("processes of a killed keeper do not end");
}

void keeper_close(struct keeper *k)
{
	int status = 0;

	if (k->pid > 0) {
		while (waitpid(k->pid, &status, 0) < 0 && errno == EINTR)
			continue;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
			log_warnx("keeper %d ended before its time (status %d)", (int)k->pid, status);
			if (k->child > 0)
				(void)kill(-k->child, SIGKILL);
			forget_keeper(k->pid);
			kill_strays();
		}
		forget_keeper(k->pid);
	}
	close_fd(&k->control_fd);
	close_fd(&k->status_fd);
	close_fd(&k->output_fd);
	keeper_forget_passwords(k);
	*k = (struct keeper)KEEPER_INIT;
}

bool keeper_is_asked_for(int argc, char **argv)
{
	return argc > KEEPER_ARG_PROGRAM && strcmp(argv[KEEPER_ARG_FLAG], KEEPER_FLAG) == 0;
}

bool keeper_holds(const char *job_dir)
{
	int fd = open(job_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool held;

	if (fd < 0)
		return false;
	held = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	(void)close(fd);
	return held;
}
