#include "worker/proctree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A tree deeper or wider than this is a fork bomb: what is beyond is met again on the next round. */
enum { DEPTH_MAX = 64, LISTED_MAX = 4096 };

struct walk {
	int sig; /* 0: add up memory instead */
	unsigned count;
	uint64_t bytes;
	pid_t *list; /* not NULL: only list children here */
	size_t list_max;
};

/* The first size - 1 bytes of a file of /proc, NUL-terminated; false when it is gone. */
static bool read_small(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return false;
	while (len + 1 < size && (n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	(void)close(fd);
	text[len] = '\0';
	return true;
}

static uint64_t memory_of(pid_t pid)
{
	char path[64];
	char text[128];
	unsigned long pages = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	if (!read_small(path, text, sizeof(text)) || sscanf(text, "%*u %lu", &pages) != 1)
		return 0;
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void walk_children(pid_t pid, int depth, struct walk *w);

static void visit(pid_t pid, int depth, struct walk *w)
{
	if (pid <= 1 || w->count >= LISTED_MAX)
		return;
	if (w->list != NULL) {
		if (w->count < w->list_max)
			w->list[w->count++] = pid;
		return;
	}
	w->count++;
	/* a parent is signalled before its children are listed again by the caller's next round, so that what
	 * it forks meanwhile is caught then */
	if (w->sig != 0)
		(void)kill(pid, w->sig);
	else
		w->bytes += memory_of(pid);
	walk_children(pid, depth + 1, w);
}

static void walk_thread(const char *path, int depth, struct walk *w)
{
	char list[4096];
	char *at = list;
	char *end;

	if (!read_small(path, list, sizeof(list)))
		return;
	for (;;) {
		long pid = strtol(at, &end, 10);

		if (end == at || *end == '\0')
			return; /* the last number may be cut: a whole one is followed by a space */
		visit((pid_t)pid, depth, w);
		at = end;
	}
}

static void walk_children(pid_t pid, int depth, struct walk *w)
{
	char path[300];
	struct dirent *entry;
	DIR *tasks;

	if (depth > DEPTH_MAX)
		return;
	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	if (tasks == NULL)
		return;
	while ((entry = readdir(tasks)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%d/task/%.20s/children", (int)pid, entry->d_name);
		walk_thread(path, depth, w);
	}
	(void)closedir(tasks);
}

unsigned proctree_kill(pid_t root, int sig)
{
	struct walk w = {.sig = sig};

	walk_children(root, 0, &w);
	return w.count;
}

uint64_t proctree_memory(pid_t root)
{
	struct walk w = {.sig = 0};

	walk_children(root, 0, &w);
	return w.bytes;
}

size_t proctree_children(pid_t root, pid_t *list, size_t max)
{
	struct walk w = {.list = list, .list_max = max};

	walk_children(root, 0, &w);
	return w.count;
}
