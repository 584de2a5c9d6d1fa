#include "config.h"

#include "engine/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/output.h"

static enum err read_first_line(const char *path, size_t max, struct buf *secret)
{
	char chunk[512];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return ERR_NOT_FOUND;
	/* at once: no realloc() may leave a part of it behind */
	buf_reserve(secret, max + 1);
	/* of one that is too long, one byte too many: a part of it must not be tried */
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 || (n < 0 && errno == EINTR)) {
		size_t room = max + 1 - secret->len;
		if (n > 0)
			buf_add(secret, chunk, (size_t)n < room ? (size_t)n : room);
	}
	explicit_bzero(chunk, sizeof(chunk));
	(void)close(fd);
	char *newline = memchr(secret->data, '\n', secret->len);
	if (newline != NULL) {
		explicit_bzero(newline, (size_t)(secret->data + secret->len - newline));
		buf_truncate(secret, (size_t)(newline - secret->data));
	}
	return n < 0 ? ERR_IO : ERR_OK;
}

enum err secret_read(const struct side_options *side, struct buf *secret)
{
	bool token = side->token_file != NULL;
	enum err e = read_first_line(token ? side->token_file : side->passfile,
	    token ? SECRET_TOKEN_MAX : SECRET_PASSWORD_MAX, secret);

	if (e == ERR_OK)
		out_secret(secret->data, secret->len);
	return e;
}

bool secret_is_renewed(const struct side_options *side)
{
	struct stat st;

	return side->token_file != NULL && stat(side->token_file, &st) == 0 && S_ISREG(st.st_mode);
}
