#include "config.h"

#include "worker/jobdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/log.h"
#include "worker/keeper.h"

enum { DEPTH_MAX = 32, ROOM_MIN_BYTES = 1 << 20, ROOM_MIN_FILES = 16 };

static bool make(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

const char *jobdir_of_worker(struct arena *a, const char *state_dir, uint64_t worker_id)
{
	return arena_printf(a, "%s/jobs/w%" PRIu64, state_dir, worker_id);
}

enum err jobdir_make(struct arena *a, const char *state_dir, uint64_t worker_id, const struct queue_token *t,
    const char **path_r)
{
	char hex[2 * JOB_TOKEN_BYTES + 1];
	const char *parent = jobdir_of_worker(a, state_dir, worker_id);
	const char *path;

	for (size_t i = 0; i < JOB_TOKEN_BYTES; i++) {
		hex[2 * i] = "0123456789abcdef"[t->bytes[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[t->bytes[i] & 15];
	}
	hex[2 * JOB_TOKEN_BYTES] = '\0';
	path = arena_printf(a, "%s/%" PRIu64 "-%.16s", parent, t->job_id, hex);
	if (!make(arena_printf(a, "%s/jobs", state_dir)) || !make(parent) || mkdir(path, 0700) != 0)
		return ERR_IO;
	*path_r = path;
	return ERR_OK;
}

bool jobdir_has_room(const char *state_dir)
{
	struct statvfs s;

	/* what cannot be looked at is told when the directory is made */
	if (statvfs(state_dir, &s) != 0)
		return true;
	return s.f_bavail >= ROOM_MIN_BYTES / s.f_frsize && (s.f_files == 0 || s.f_favail >= ROOM_MIN_FILES);
}

static void empty(int dir_fd, int depth)
{
	DIR *dir = fdopendir(dir_fd);
	struct dirent *entry;

	if (dir == NULL) {
		(void)close(dir_fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		int fd;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) == 0 || depth > DEPTH_MAX)
			continue;
		fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			empty(fd, depth + 1);
		(void)unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	}
	(void)closedir(dir);
}

void jobdir_remove(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		if (errno != ENOENT)
			log_warn("%s", path);
		return;
	}
	empty(fd, 0);
	if (rmdir(path) != 0 && errno != ENOENT)
		log_warn("could not remove %s", path);
}

bool jobdir_is_held(const char *state_dir, uint64_t worker_id)
{
	AUTO_ARENA struct arena *a = arena_new();
	const char *path = jobdir_of_worker(a, state_dir, worker_id);
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool held = false;

	if (dir == NULL)
		return false;
	while (!held && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			held = keeper_holds(arena_printf(a, "%s/%s", path, entry->d_name));
	(void)closedir(dir);
	return held;
}
