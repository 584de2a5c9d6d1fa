#include "lib/secretfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err open_checked(const char *path, int *fd_r, struct buf *why)
{
	struct stat st;
	/* O_NONBLOCK: a FIFO in its place must not hang us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0) {
		int saved = errno;

		buf_addf(why, "cannot open %s: %s", path,
		    saved == ELOOP ? "it is a symbolic link" : strerror(saved));
		return saved == ENOENT                     ? ERR_NOT_FOUND
		       : saved == EACCES || saved == ELOOP ? ERR_DENIED
							   : ERR_IO;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		buf_addf(why, "%s is not a regular file", path);
	} else if ((st.st_mode & 077) != 0) {
		buf_addf(why, "%s holds a secret and others may read it: run chmod 0400 %s", path, path);
	} else {
		*fd_r = fd;
		return ERR_OK;
	}
	(void)close(fd);
	return ERR_DENIED;
}

enum err secretfile_read(const char *path, size_t max_bytes, struct buf *out, struct buf *why)
{
	size_t before = out->len;
	enum err e;
	int fd;

	e = open_checked(path, &fd, why);
	if (e != ERR_OK)
		return e;
	buf_reserve(out, max_bytes + 1); /* once, so that no copy is left behind by growing */
	while (out->len - before <= max_bytes) {
		ssize_t n = read(fd, out->data + out->len, max_bytes + 1 - (out->len - before));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			buf_addf(why, "cannot read %s: %s", path, strerror(errno));
			e = ERR_IO;
		}
		if (n <= 0)
			break;
		out->len += (size_t)n;
		out->data[out->len] = '\0';
	}
	(void)close(fd);
	if (e == ERR_OK && out->len - before > max_bytes) {
		buf_addf(why, "%s is larger than %zu bytes", path, max_bytes);
		e = ERR_TOO_BIG;
	}
	return e;
}

enum err secretfile_read_line(const char *path, size_t max_bytes, struct buf *out, struct buf *why)
{
	size_t before = out->len;
	char *end;
	enum err e = secretfile_read(path, max_bytes, out, why);

	if (e != ERR_OK)
		return e;
	end = memchr(out->data + before, '\n', out->len - before);
	if (end != NULL)
		buf_truncate(out, (size_t)(end - out->data));
	if (out->len == before) {
		buf_addf(why, "the first line of %s is empty: write the secret there", path);
		return ERR_INVALID;
	}
	return ERR_OK;
}

enum err secretfile_write(const char *path, unsigned mode, const void *bytes, size_t len, struct buf *why)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
	enum err e = ERR_OK;

	if (fd < 0) {
		e = errno == EEXIST ? ERR_CONFLICT : ERR_IO;
	} else {
		if (fchmod(fd, (mode_t)mode) != 0 || write(fd, bytes, len) != (ssize_t)len || fsync(fd) != 0)
			e = ERR_IO;
		if (close(fd) != 0)
			e = ERR_IO;
	}
	if (e != ERR_OK)
		buf_addf(why, "cannot write %s: %s", path, strerror(errno));
	if (fd >= 0 && e != ERR_OK)
		(void)unlink(path);
	return e;
}
