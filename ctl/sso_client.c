#include "ctl/sso_client.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_MAX_BYTES = 8192, PATIENCE_S = 30 };

static int dial(const char *path)
{
	const struct timeval limit = {.tv_sec = PATIENCE_S};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd, saved;

	if ((size_t)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path) >= sizeof(un.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)(const void *)&un, sizeof(un)) == 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

/* Until the end of the line; false, with errno, where there is none. */
static bool read_line(int fd, char *line, size_t size)
{
	size_t len = 0;
	ssize_t got;

	while (memchr(line, '\n', len) == NULL) {
		got = recv(fd, line + len, size - 1 - len, 0);
		if (got <= 0) {
			if (got == 0)
				errno = EPROTO;
			return false;
		}
		len += (size_t)got;
	}
	line[len] = '\0';
	return true;
}

struct json_object *sso_client_ask(const char *path, struct json_object *asked)
{
	const char *text = json_object_to_json_string_ext(asked, JSON_C_TO_STRING_PLAIN);
	char line[ANSWER_MAX_BYTES];
	struct json_object *said = NULL;
	int fd = dial(path), saved;

	if (fd < 0)
		return NULL;
	/* who is refused at the door is told so before this is read */
	(void)send(fd, text, strlen(text), MSG_NOSIGNAL);
	(void)send(fd, "\n", 1, MSG_NOSIGNAL);
	if (read_line(fd, line, sizeof(line))) {
		said = json_tokener_parse(line);
		if (!json_object_is_type(said, json_type_object)) {
			json_object_put(said);
			said = NULL;
			errno = EPROTO;
		}
	}
	saved = errno;
	explicit_bzero(line, sizeof(line));
	(void)close(fd);
	errno = saved;
	return said;
}

const char *sso_client_word(const struct json_object *said, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(said, name, &value) && json_object_is_type(value, json_type_string)
		   ? json_object_get_string(value)
		   : NULL;
}
