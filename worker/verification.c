#include "worker/verification.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

enum { FOLDERS_MAX_BYTES = 4 * 1024 * 1024 };

void verification_init(struct verification *v, const struct conf *conf, bool dry_run)
{
	*v = (struct verification){
	    .mode = dry_run || strcmp(conf->verify, "off") == 0 ? NULL : conf->verify,
	    .folders = BUF_INIT,
	};
	verified_init(&v->found);
}

void verification_free(struct verification *v)
{
	buf_free(&v->folders);
}

void verification_line(void *ctx, const char *line, size_t len)
{
	static const char label[] = "Folder ";
	struct verification *v = ctx;

	if (len < sizeof(label) || memcmp(line, label, sizeof(label) - 1) != 0 ||
	    v->folders.len + len >= FOLDERS_MAX_BYTES)
		return;
	buf_add(&v->folders, line, len);
	buf_addc(&v->folders, '\n');
}

bool verification_begin(struct verification *v, const struct outcome_input *copy)
{
	if (v->mode == NULL || v->begun || !outcome_is_worth_verifying(copy))
		return false;
	v->begun = true;
	v->copied = *copy->progress;
	v->copied.on_line = NULL;
	v->copy = *copy;
	v->copy.progress = &v->copied;
	return true;
}

const char *verification_folder_map(const struct verification *v, struct arena *a, const char *job_dir)
{
	const char *path = arena_printf(a, "%s/folders", job_dir);
	int fd;

	if (v->folders.len == 0)
		return NULL;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && write(fd, v->folders.data, v->folders.len) == (ssize_t)v->folders.len &&
	    close(fd) == 0)
		return path;
	log_warn("%s", path);
	if (fd >= 0)
		(void)close(fd);
	return NULL;
}
