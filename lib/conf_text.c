#include "lib/conf_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static enum err read_all(const char *path, struct buf *text, struct buf *why)
{
	FILE *f = fopen(path, "re");
	char chunk[4096];
	enum err e = ERR_OK;
	size_t n;

	if (f == NULL) {
		int saved = errno;

		buf_addf(why, "cannot read %s: %s", path, strerror(saved));
		return saved == ENOENT ? ERR_NOT_FOUND : saved == EACCES ? ERR_DENIED : ERR_IO;
	}
	while (text->len <= CONF_TEXT_MAX_BYTES && (n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(text, chunk, n);
	if (ferror(f)) {
		buf_addf(why, "cannot read %s: %s", path, strerror(errno));
		e = ERR_IO;
	} else if (text->len > CONF_TEXT_MAX_BYTES) {
		buf_addf(
		    why, "%s is larger than %d bytes: it is no configuration", path, CONF_TEXT_MAX_BYTES);
		e = ERR_TOO_BIG;
	} else if (memchr(text->data, '\0', text->len) != NULL) {
		buf_addf(why, "%s contains a NUL byte: it is no text", path);
		e = ERR_INVALID;
	}
	(void)fclose(f);
	return e;
}

/* Where the comment or string that begins at s ends; s itself if neither does. */
static char *end_of(char *s)
{
	char *end;

	switch (*s) {
	case '#': return s + strcspn(s, "\n");
	case '/':
		if (s[1] == '/')
			return s + strcspn(s, "\n");
		if (s[1] != '*')
			return s;
		end = strstr(s + 2, "*/");
		return end ? end + 2 : s;
	case '"':
	case '\'':
		for (end = s + 1; *end != '\0' && *end != *s; end++)
			if (*end == '\\' && end[1] != '\0')
				end++;
		return *end != '\0' ? end + 1 : end;
	default: return s;
	}
}

static void blank_comments(char *s)
{
	while (*s != '\0') {
		char *end = end_of(s);

		if (end == s)
			end = s + 1;
		else if (*s == '#' || *s == '/')
			for (char *c = s; c < end; c++)
				if (*c != '\n')
					*c = ' ';
		s = end;
	}
}

enum err conf_text_read(const char *path, struct buf *text, struct buf *why)
{
	enum err e = read_all(path, text, why);

	if (e == ERR_OK)
		blank_comments(text->data);
	return e;
}
