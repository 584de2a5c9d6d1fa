#include "fcgi/multipart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/utf8.h"

enum { BOUNDARY_MAX_BYTES = 70, NAME_MAX_BYTES = 100 };

enum state { PREAMBLE = 1, BEHIND_DELIMITER, HEAD, BODY, EPILOGUE };

struct multipart {
	struct arena *arena;
	const char *const *file_names;
	size_t files_max_bytes; /* of all together */
	size_t files_bytes;
	char delimiter[4 + BOUNDARY_MAX_BYTES + 1]; /* CR LF "--" boundary */
	size_t delimiter_len;

	enum state state;
	struct buf work; /* what is not decided yet: at most a piece and a delimiter, or a head */
	unsigned parts;

	const char *name;          /* of the part being read */
	struct request_file *file; /* NULL: it is a value */
	struct buf value;
	size_t values_bytes;

	struct params values;
	struct request_file files[REQUEST_FILES_MAX];
	unsigned file_count;
};

/* The value of a parameter of a header (RFC 9110 section 5.6.6) into out, of size bytes; false: none that
 * fits.
 */
static bool header_param(const char *s, const char *name, char *out, size_t size)
{
	size_t n = strlen(name), used = 0;
	bool quoted;

	for (;;) {
		/* to the next ';' that stands outside quotation marks */
		for (quoted = false; *s != '\0' && (quoted || *s != ';'); s++) {
			if (*s == '"')
				quoted = !quoted;
			else if (quoted && *s == '\\' && s[1] != '\0')
				s++;
		}
		if (*s == '\0')
			return false;
		s += 1 + strspn(s + 1, " \t");
		if (strncasecmp(s, name, n) == 0 && s[n] == '=')
			break;
	}
	s += n + 1;
	quoted = *s == '"';
	for (s += quoted; *s != '\0' && (quoted ? *s != '"' : strchr("; \t", *s) == NULL); s++) {
		if (quoted && *s == '\\' && s[1] != '\0')
			s++;
		if (used + 1 >= size)
			return false;
		out[used++] = *s;
	}
	out[used] = '\0';
	return !quoted || *s == '"';
}

enum err multipart_new(struct arena *a, const char *content_type, const char *const *files,
    size_t files_max_bytes, struct multipart **mp_r)
{
	static const char type[] = "multipart/form-data";
	/* RFC 2046 section 5.1.1 */
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'()+_,-./:=? ";
	char boundary[BOUNDARY_MAX_BYTES + 1];
	struct multipart *mp;
	size_t len;

	if (content_type == NULL || strncasecmp(content_type, type, sizeof(type) - 1) != 0 ||
	    strchr("; \t", content_type[sizeof(type) - 1]) == NULL ||
	    !header_param(content_type, "boundary", boundary, sizeof(boundary)))
		return ERR_INVALID;
	len = strlen(boundary);
	if (len == 0 || boundary[strspn(boundary, allowed)] != '\0' || boundary[len - 1] == ' ')
		return ERR_INVALID;
	mp = mem_alloc(sizeof(*mp));
	mp->arena = a;
	mp->file_names = files;
	mp->files_max_bytes = files_max_bytes;
	memcpy(mp->delimiter, "\r\n--", 4);
	memcpy(mp->delimiter + 4, boundary, len + 1);
	mp->delimiter_len = 4 + len;
	mp->state = PREAMBLE;
	mp->work = (struct buf)BUF_INIT;
	mp->value = (struct buf)BUF_INIT;
	/* at once: growing would leave copies of passwords behind */
	buf_reserve(&mp->work, MULTIPART_FEED_MAX_BYTES + MULTIPART_HEAD_MAX_BYTES + sizeof(mp->delimiter));
	buf_reserve(&mp->value, MULTIPART_VALUES_MAX_BYTES + 1);
	/* the first delimiter may stand at the very beginning, without the line break that belongs to it */
	buf_add(&mp->work, "\r\n", 2);
	*mp_r = mp;
	return ERR_OK;
}

void multipart_free(struct multipart **mp)
{
	if (*mp == NULL)
		return;
	for (unsigned i = 0; i < (*mp)->file_count; i++)
		(void)close((*mp)->files[i].fd);
	buf_wipe(&(*mp)->work);
	buf_wipe(&(*mp)->value);
	free(*mp);
	*mp = NULL;
}

static enum err begin_file(struct multipart *mp, const char *name)
{
	for (unsigned i = 0; i < mp->file_count; i++)
		if (strcmp(mp->files[i].name, name) == 0)
			return ERR_INVALID;
	if (mp->file_count == REQUEST_FILES_MAX)
		return ERR_TOO_BIG;
	mp->file = &mp->files[mp->file_count];
	*mp->file = (struct request_file){.name = name, .fd = memfd_create("upload", MFD_CLOEXEC)};
	if (mp->file->fd < 0)
		return ERR_IO;
	mp->file_count++;
	return ERR_OK;
}

/* The len bytes of a part's headers, each ended by CR LF. */
static enum err begin_part(struct multipart *mp, const char *head, size_t len)
{
	char name[NAME_MAX_BYTES + 1], *lines = arena_strndup(mp->arena, head, len), *next;
	bool named = false;

	if (memchr(head, '\0', len) != NULL || !utf8_valid(head, len))
		return ERR_INVALID;
	for (char *line = lines; *line != '\0'; line = next) {
		char *end = strstr(line, "\r\n");

		if (end == NULL)
			return ERR_INVALID;
		*end = '\0';
		next = end + 2;
		if (strncasecmp(line, "content-disposition:", 20) == 0) {
			const char *value = line + 20 + strspn(line + 20, " \t");

			if (named || strncasecmp(value, "form-data", 9) != 0 ||
			    !header_param(value, "name", name, sizeof(name)))
				return ERR_INVALID;
			named = true;
		} else if (strncasecmp(line, "content-transfer-encoding:", 26) == 0) {
			/* RFC 7578 section 4.7: there is none that would have to be undone */
			const char *value = line + 26 + strspn(line + 26, " \t");

			if (strcasecmp(value, "binary") != 0 && strcasecmp(value, "8bit") != 0 &&
			    strcasecmp(value, "7bit") != 0)
				return ERR_INVALID;
		}
	}
	if (!named || name[0] == '\0')
		return ERR_INVALID;
	if (++mp->parts > MULTIPART_PARTS_MAX)
		return ERR_TOO_BIG;
	mp->name = arena_strdup(mp->arena, name);
	mp->file = NULL;
	buf_clear(&mp->value);
	for (const char *const *f = mp->file_names; *f != NULL; f++)
		if (strcmp(*f, name) == 0)
			return begin_file(mp, mp->name);
	return ERR_OK;
}

static enum err add_to_file(struct multipart *mp, const char *bytes, size_t len)
{
	struct request_file *f = mp->file;

	if (f->is_too_big)
		return ERR_OK;
	if (len > mp->files_max_bytes - mp->files_bytes) {
		f->is_too_big = true;
		mp->files_bytes -= f->size;
		f->size = 0;
		return ftruncate(f->fd, 0) == 0 ? ERR_OK : ERR_IO;
	}
	while (len > 0) {
		ssize_t n = write(f->fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_IO;
		f->size += (uint64_t)n;
		mp->files_bytes += (size_t)n;
		bytes += n;
		len -= (size_t)n;
	}
	return ERR_OK;
}

static enum err add_to_part(struct multipart *mp, const char *bytes, size_t len)
{
	if (mp->state == PREAMBLE)
		return ERR_OK;
	if (mp->file != NULL)
		return add_to_file(mp, bytes, len);
	mp->values_bytes += len;
	if (mp->values_bytes > MULTIPART_VALUES_MAX_BYTES)
		return ERR_TOO_BIG;
	buf_add(&mp->value, bytes, len);
	return ERR_OK;
}

static enum err end_part(struct multipart *mp)
{
	if (mp->state == PREAMBLE || mp->file != NULL)
		return ERR_OK;
	if (memchr(mp->value.data, '\0', mp->value.len) != NULL || !utf8_valid(mp->value.data, mp->value.len))
		return ERR_INVALID;
	return params_add(
	    &mp->values, mp->arena, mp->name, arena_strndup(mp->arena, mp->value.data, mp->value.len));
}

/* Outside of heads: up to the next delimiter.  *more_r: there may be something to do with what is left. */
static enum err step_text(struct multipart *mp, bool *more_r)
{
	const char *found = memmem(mp->work.data, mp->work.len, mp->delimiter, mp->delimiter_len);
	size_t keep = mp->delimiter_len - 1, ready;
	enum err e;

	*more_r = found != NULL;
	if (found != NULL)
		ready = (size_t)(found - mp->work.data);
	else
		ready = mp->work.len > keep ? mp->work.len - keep : 0;
	e = add_to_part(mp, mp->work.data, ready);
	if (e == ERR_OK && found != NULL) {
		e = end_part(mp);
		ready += mp->delimiter_len;
		mp->state = BEHIND_DELIMITER;
	}
	buf_consume(&mp->work, ready);
	return e;
}

/* RFC 2046 section 5.1.1: "--" and the end of it all, or blanks and a line break. */
static enum err step_behind(struct multipart *mp, bool *more_r)
{
	const char *s = mp->work.data;
	size_t blanks;

	*more_r = false;
	if (mp->work.len < 2)
		return ERR_OK;
	if (s[0] == '-' && s[1] == '-') {
		mp->state = EPILOGUE;
		return ERR_OK;
	}
	blanks = strspn(s, " \t");
	if (blanks > MULTIPART_HEAD_MAX_BYTES)
		return ERR_INVALID;
	if (mp->work.len < blanks + 2)
		return ERR_OK;
	if (s[blanks] != '\r' || s[blanks + 1] != '\n')
		return ERR_INVALID;
	/* the line break stays: with it, an empty head ends like any other */
	buf_consume(&mp->work, blanks);
	mp->state = HEAD;
	*more_r = true;
	return ERR_OK;
}

static enum err step_head(struct multipart *mp, bool *more_r)
{
	const char *end = memmem(mp->work.data, mp->work.len, "\r\n\r\n", 4);
	size_t len;
	enum err e;

	*more_r = end != NULL;
	if (end == NULL)
		return mp->work.len > MULTIPART_HEAD_MAX_BYTES ? ERR_TOO_BIG : ERR_OK;
	len = (size_t)(end - mp->work.data);
	if (len > MULTIPART_HEAD_MAX_BYTES)
		return ERR_TOO_BIG;
	/* without the line break in front, with the one at the end */
	e = len > 0 ? begin_part(mp, mp->work.data + 2, len) : ERR_INVALID;
	buf_consume(&mp->work, len + 4);
	mp->state = BODY;
	return e;
}

enum err multipart_feed(struct multipart *mp, const char *bytes, size_t len)
{
	bool more = true;
	enum err e = ERR_OK;

	if (mp->state == EPILOGUE)
		return ERR_OK;
	buf_add(&mp->work, bytes, len);
	while (e == ERR_OK && more) {
		switch (mp->state) {
		case PREAMBLE:
		case BODY: e = step_text(mp, &more); break;
		case BEHIND_DELIMITER: e = step_behind(mp, &more); break;
		case HEAD: e = step_head(mp, &more); break;
		case EPILOGUE: more = false; break;
		}
	}
	return e;
}

enum err multipart_end(struct multipart *mp)
{
	return mp->state == EPILOGUE ? ERR_OK : ERR_INVALID;
}

void multipart_take(
    struct multipart *mp, struct params *values_r, struct request_file *files_r, unsigned *file_count_r)
{
	*values_r = mp->values;
	memcpy(files_r, mp->files, sizeof(mp->files));
	*file_count_r = mp->file_count;
	mp->file_count = 0;
}
