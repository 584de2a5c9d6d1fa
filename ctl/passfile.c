#include "ctl/passfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/*
 * Byte by byte, so that what stands behind the line is left for the next reader.  How many bytes, at most
 * PASSFILE_MAX_BYTES + 1; -1: errno says why.
 */
static ssize_t read_first_line(int fd, char *line)
{
	ssize_t len = 0, n;
	char c;

	while (len <= PASSFILE_MAX_BYTES) {
		n = read(fd, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0 || c == '\n')
			break;
		line[len++] = c;
	}
	explicit_bzero(&c, 1);
	if (len > 0 && len <= PASSFILE_MAX_BYTES && line[len - 1] == '\r')
		line[--len] = '\0';
	return len;
}

static enum ctl_exit read_path(const char *path, char *line, size_t *len_r)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), saved;
	ssize_t len = fd >= 0 ? read_first_line(fd, line) : -1;

	saved = errno;
	if (fd >= 0 && !is_stdin)
		(void)close(fd);
	if (len < 0) {
		ctl_complain("cannot read %s: %s", path, strerror(saved));
		return CTL_NO_INPUT;
	}
	*len_r = (size_t)len;
	return CTL_OK;
}

enum ctl_exit passfile_read(struct ctl *ctl, const char *path, const char *whom, const char **password_r)
{
	char *line;
	size_t len = 0;
	enum ctl_exit code;

	if (path != NULL) {
		line = arena_alloc(ctl->a, PASSFILE_MAX_BYTES + 2);
		code = read_path(path, line, &len);
		if (code != CTL_OK)
			return code;
	} else if (!isatty(STDIN_FILENO)) {
		ctl_complain("the password of %s cannot be asked for, there is no terminal: name a file that "
			     "holds it",
		    whom);
		return CTL_USAGE;
	} else {
		line = ctl_ask_secret(
		    ctl, arena_printf(ctl->a, "Password of %s: ", whom), PASSFILE_MAX_BYTES + 1);
		len = line != NULL ? strlen(line) : 0;
	}
	if (len == 0 || len > PASSFILE_MAX_BYTES || strlen(line) != len) {
		ctl_complain(
		    "the password of %s must have 1 to %d bytes, on one line", whom, PASSFILE_MAX_BYTES);
		return CTL_REFUSED;
	}
	*password_r = line;
	return CTL_OK;
}
