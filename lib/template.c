#include "lib/template.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/mem.h"
#include "lib/template_ast.h"

/* A compiled file, and by what we know whether it is still that file. */
struct entry {
	struct entry *next;
	char *file;
	char *indent;
	struct arena *arena;
	struct node *root;
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};

struct templates {
	char *search_path;
	json_object *memory;
	struct entry *entries;
	struct buf why;
	struct entry *retired; /* replaced while a page that uses them may be under way */
};

static struct templates *new_set(const char *search_path, json_object *memory)
{
	struct templates *ts = mem_alloc(sizeof(*ts));

	ts->search_path = mem_strdup(search_path);
	ts->memory = memory;
	ts->why = (struct buf)BUF_INIT;
	return ts;
}

struct templates *templates_new(const char *search_path)
{
	return new_set(search_path, NULL);
}

struct templates *templates_new_memory(json_object *sources)
{
	return new_set("", json_object_get(sources));
}

static void entries_free(struct entry **list)
{
	while (*list != NULL) {
		struct entry *en = *list;

		*list = en->next;
		arena_free(&en->arena);
		free(en->file);
		free(en->indent);
		free(en);
	}
}

void templates_free(struct templates **tsp)
{
	struct templates *ts = *tsp;

	if (ts == NULL)
		return;
	entries_free(&ts->entries);
	entries_free(&ts->retired);
	json_object_put(ts->memory);
	buf_free(&ts->why);
	free(ts->search_path);
	free(ts);
	*tsp = NULL;
}

const char *template_error(const struct templates *ts)
{
	return ts->why.data;
}

static bool name_ok(const char *s)
{
	if (s[0] == '\0' || s[0] == '/' || strstr(s, "..") != NULL || strlen(s) > 200)
		return false;
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./")] == '\0';
}

/* Open the first of file along the search path. */
static int open_along_path(const struct templates *ts, const char *file, struct stat *st)
{
	const char *dir = ts->search_path;

	while (*dir != '\0') {
		size_t len = strcspn(dir, ":");
		AUTO_BUF struct buf path = BUF_INIT;
		int fd;

		buf_add(&path, dir, len);
		buf_addf(&path, "/%s", file);
		fd = len > 0 ? open(path.data, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
		if (fd >= 0 && fstat(fd, st) == 0 && S_ISREG(st->st_mode))
			return fd;
		if (fd >= 0)
			(void)close(fd);
		dir += len + (dir[len] == ':');
	}
	return -1;
}

static enum err read_source(int fd, struct buf *out)
{
	char chunk[8192];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		buf_add(out, chunk, (size_t)n);
		if (out->len > TEMPLATE_SOURCE_MAX_BYTES)
			return ERR_TOO_BIG;
	}
	return n < 0 ? ERR_IO : ERR_OK;
}

static bool fresh(const struct entry *en, const struct stat *st)
{
	return en->dev == st->st_dev && en->ino == st->st_ino && en->size == st->st_size &&
	       en->mtime.tv_sec == st->st_mtim.tv_sec && en->mtime.tv_nsec == st->st_mtim.tv_nsec;
}

static struct entry **entry_slot(struct templates *ts, const char *file, const char *indent)
{
	struct entry **at = &ts->entries;

	while (*at != NULL && (strcmp((*at)->file, file) != 0 || strcmp((*at)->indent, indent) != 0))
		at = &(*at)->next;
	return at;
}

static enum err compile(struct templates *ts, const char *file, const char *indent, const char *source,
    size_t len, const struct stat *st, struct entry **slot)
{
	struct entry *en = mem_alloc(sizeof(*en));
	AUTO_BUF struct buf why = BUF_INIT;
	enum err e;

	en->arena = arena_new();
	e = template_parse(en->arena, source, len, indent, &en->root, &why);
	en->file = mem_strdup(file);
	en->indent = mem_strdup(indent);
	en->dev = st->st_dev;
	en->ino = st->st_ino;
	en->size = st->st_size;
	en->mtime = st->st_mtim;
	if (e != ERR_OK) {
		buf_addf(&ts->why, "%s, %s", file, why.data);
		entries_free(&en);
		return e;
	}
	if (*slot != NULL) {
		struct entry *old = *slot;

		en->next = old->next;
		old->next = ts->retired;
		ts->retired = old;
	}
	*slot = en;
	return ERR_OK;
}

static enum err from_memory(struct templates *ts, const char *file, const char *indent, struct entry **slot)
{
	static const struct stat unchanged;
	json_object *source;

	if (*slot != NULL)
		return ERR_OK;
	/* The specification: a partial that does not exist is empty. */
	if (!json_object_object_get_ex(ts->memory, file, &source))
		return compile(ts, file, indent, "", 0, &unchanged, slot);
	return compile(ts, file, indent, json_object_get_string(source),
	    (size_t)json_object_get_string_len(source), &unchanged, slot);
}

static enum err from_file(struct templates *ts, const char *file, const char *indent, struct entry **slot)
{
	AUTO_BUF struct buf source = BUF_INIT;
	struct stat st;
	enum err e = ERR_OK;
	int fd;

	fd = name_ok(file) ? open_along_path(ts, file, &st) : -1;
	if (fd < 0) {
		buf_addf(&ts->why, "no template %s in %s", file, ts->search_path);
		return ERR_NOT_FOUND;
	}
	if (*slot == NULL || !fresh(*slot, &st)) {
		e = read_source(fd, &source);
		if (e == ERR_OK)
			e = compile(ts, file, indent, source.data, source.len, &st, slot);
		else
			buf_addf(&ts->why, "%s: %s", file, err_text(e));
	}
	(void)close(fd);
	return e;
}

static enum err get_entry(
    struct templates *ts, const char *file, const char *indent, const struct entry **entry_r)
{
	struct entry **slot = entry_slot(ts, file, indent);
	enum err e =
	    ts->memory != NULL ? from_memory(ts, file, indent, slot) : from_file(ts, file, indent, slot);

	*entry_r = *slot;
	return e;
}

/* A partial without an extension has that of the file that names it. */
static enum err fetch(void *closure, const char *from_file, const char *name, const char *indent,
    const struct node **root_r, const char **file_r)
{
	struct templates *ts = closure;
	AUTO_BUF struct buf file = BUF_INIT;
	const char *dot = strrchr(from_file, '.');
	const struct entry *en;
	enum err e;

	buf_adds(&file, name);
	if (ts->memory == NULL && dot != NULL && strchr(name, '.') == NULL)
		buf_adds(&file, dot);
	e = get_entry(ts, file.data, indent, &en);
	if (e != ERR_OK)
		return e;
	*root_r = en->root;
	*file_r = en->file;
	return ERR_OK;
}

enum err template_render(struct templates *ts, const char *file, json_object *model, struct buf *out)
{
	const struct entry *en;
	enum err e;

	buf_clear(&ts->why);
	entries_free(&ts->retired);
	e = get_entry(ts, file, "", &en);
	if (e != ERR_OK)
		return e;
	return template_walk(en->root, en->file, model, fetch, ts, out, &ts->why);
}
