#include "config.h"

#include "worker/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "worker/argv.h"
#include "worker/spawn.h"

enum { VERSION_WAIT_MS = 5000 };

const char *program_name(const struct program *p)
{
	const char *slash = p->path != NULL ? strrchr(p->path, '/') : NULL;

	return slash != NULL ? slash + 1 : "";
}

bool program_is_engine(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash != NULL ? slash + 1 : path, "mailconvoy-sync") == 0;
}

static bool is_executable(const char *path, struct stat *st)
{
	return path[0] == '/' && stat(path, st) == 0 && S_ISREG(st->st_mode) && access(path, X_OK) == 0;
}

static char *find_on_path(struct arena *a, const char *name, struct stat *st)
{
	const char *path = getenv("PATH");
	char *list = arena_strdup(a, path != NULL ? path : "/usr/local/bin:/usr/bin:/bin");
	char *rest = NULL;

	for (char *dir = strtok_r(list, ":", &rest); dir != NULL; dir = strtok_r(NULL, ":", &rest)) {
		char *candidate = arena_printf(a, "%s/%s", dir, name);

		if (is_executable(candidate, st))
			return candidate;
	}
	return NULL;
}

/* The first word with a digit in it of the first line: "2.229" and "mailconvoy-sync 0.1.0" both. */
static void keep_version(struct program *p, const char *text, size_t len)
{
	size_t i = 0;
	size_t out = 0;

	while (i < len && text[i] != '\n' && (text[i] < '0' || text[i] > '9'))
		i++;
	for (; i < len && out + 1 < PROGRAM_VERSION_MAX && text[i] > ' ' && text[i] < 0x7F; i++)
		p->version[out++] = text[i];
	p->version[out] = '\0';
}

static size_t read_answer(int fd, char *text, size_t size)
{
	mono_time deadline = mono_after(mono_now(), VERSION_WAIT_MS);
	size_t len = 0;

	while (len < size && mono_left_ms(deadline) > 0) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (poll(&p, 1, mono_left_ms(deadline)) <= 0)
			continue;
		n = read(fd, text + len, size - len);
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	return len;
}

static void ask_version(struct program *p, const char *work_dir)
{
	AUTO_ARENA struct arena *a = arena_new();
	char *argv[] = {p->path, arena_strdup(a, "--version"), NULL};
	struct spawn sp = {
	    .path = p->path, .argv = argv, .envp = argv_environment(a, work_dir), .cwd = work_dir};
	char text[512];
	int out[2];
	pid_t pid;

	p->version[0] = '\0';
	if (pipe2(out, O_CLOEXEC) != 0)
		return;
	sp.fds[0] = (struct spawn_fd){.ours = out[1], .theirs = STDOUT_FILENO};
	sp.fds[1] = (struct spawn_fd){.ours = out[1], .theirs = STDERR_FILENO};
	sp.fd_count = 2;
	if (spawn(&sp, &pid) == ERR_OK) {
		(void)close(out[1]);
		out[1] = -1;
		keep_version(p, text, read_answer(out[0], text, sizeof(text)));
		(void)kill(-pid, SIGKILL);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	(void)close(out[0]);
	if (out[1] >= 0)
		(void)close(out[1]);
}

/* path is executable; st is of it. */
static void take(struct program *p, const char *path, const struct stat *st, const char *work_dir)
{
	if (p->path != NULL && strcmp(p->path, path) == 0 && p->changed.tv_sec == st->st_mtim.tv_sec &&
	    p->changed.tv_nsec == st->st_mtim.tv_nsec)
		return;
	free(p->path);
	p->path = mem_strdup(path);
	p->changed = st->st_mtim;
	ask_version(p, work_dir);
	log_info("using %s, version %s", p->path, p->version[0] != '\0' ? p->version : "unknown");
}

enum err program_find(struct program *p, const struct conf *conf, const char *work_dir)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct stat st;
	const char *path;

	if (conf->sync_program[0] != '\0')
		path = is_executable(conf->sync_program, &st) ? conf->sync_program : NULL;
	else
		path = find_on_path(a, "imapsync", &st);
	if (path == NULL && conf->sync_program[0] == '\0' && is_executable(conf->engine_program, &st))
		path = conf->engine_program;
	if (path == NULL)
		return ERR_NOT_FOUND;
	take(p, path, &st, work_dir);
	return ERR_OK;
}

enum err program_find_engine(struct program *p, const struct conf *conf, const char *work_dir)
{
	struct stat st;

	if (!is_executable(conf->engine_program, &st))
		return ERR_NOT_FOUND;
	take(p, conf->engine_program, &st, work_dir);
	return ERR_OK;
}

void program_free(struct program *p)
{
	free(p->path);
	p->path = NULL;
}
