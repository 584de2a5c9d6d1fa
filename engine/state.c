#include "config.h"

#include "engine/state.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "lib/mem.h"
#include "engine/state_codec.h"
#include "engine/state_file.h"

static const char magic[] = "mailconvoy-state 1\n";

#define MAGIC_LEN (sizeof(magic) - 1)
#define DIGEST_LEN FILE_DIGEST_LEN
#define CHUNK_ROWS 1024

/* One pair of folders, and where its rows are. */
struct entry {
	char *from;
	char *to;
	struct state_folder folder;
	int fd; /* the old file's or the spool's */
	off_t rows[2];
	bool wanted; /* somebody asked for it or saved it */
};

struct state {
	pthread_mutex_t lock;
	char *path;
	uint8_t binding[DIGEST_LEN];
	bool keep; /* the file is not ours to replace */
	int old;   /* -1: none that is of use */
	int spool; /* an unlinked file in the same directory; -1: none yet */
	off_t spooled;
	struct entry *entries;
	uint32_t count;
	uint32_t cap;
};

static enum err make_binding(const struct options *o, uint8_t *digest_r)
{
	AUTO_BUF struct buf all = BUF_INIT;
	unsigned len = 0;

	for (unsigned side = 0; side < 2; side++) {
		const struct side_options *s = &o->side[side];
		buf_add(&all, s->host, strlen(s->host) + 1);
		buf_add(&all, s->user, strlen(s->user) + 1);
	}
	return EVP_Digest(all.data, all.len, digest_r, &len, EVP_sha256(), NULL) == 1 ? ERR_OK : ERR_CRYPTO;
}

/* ---- the index ---- */

static struct entry *find(struct state *st, const char *from, const char *to)
{
	for (uint32_t i = 0; i < st->count; i++) {
		if (strcmp(st->entries[i].from, from) == 0 && strcmp(st->entries[i].to, to) == 0)
			return &st->entries[i];
	}
	return NULL;
}

/* Takes the two names. */
static struct entry *add(struct state *st, char *from, char *to)
{
	if (st->count == st->cap) {
		st->cap = st->cap == 0 ? 64 : 2 * st->cap;
		st->entries = mem_resize(st->entries, st->cap, sizeof(*st->entries));
	}
	struct entry *e = &st->entries[st->count++];
	*e = (struct entry){.from = from, .to = to, .fd = -1};
	return e;
}

static void drop_last(struct state *st)
{
	struct entry *e = &st->entries[--st->count];
	free(e->from);
	free(e->to);
}

static void drop_all(struct state *st)
{
	while (st->count > 0)
		drop_last(st);
	if (st->old >= 0)
		(void)close(st->old);
	st->old = -1;
}

/* ---- opening ---- */

static char *read_name(int fd, off_t *at, off_t end)
{
	uint8_t len[2];
	if (*at + 2 > end || !file_read_at(fd, len, sizeof(len), *at))
		return NULL;
	size_t n = (size_t)codec_get(len, 2);
	char *name = mem_alloc(n + 1);
	*at += 2;
	if (*at + (off_t)n > end || !file_read_at(fd, name, n, *at) || strlen(name) != n) {
		free(name);
		return NULL;
	}
	*at += (off_t)n;
	return name;
}

/* One folder of the file; *at moves behind its rows. */
static bool read_entry(struct state *st, off_t *at, off_t end)
{
	uint8_t head[CODEC_FOLDER_LEN];
	char *from = read_name(st->old, at, end);
	char *to = from != NULL ? read_name(st->old, at, end) : NULL;

	if (to == NULL) {
		free(from);
		return false;
	}
	struct entry *e = add(st, from, to);
	if (*at + (off_t)sizeof(head) > end || !file_read_at(st->old, head, sizeof(head), *at))
		return false;
	codec_get_folder(head, &e->folder);
	*at += (off_t)sizeof(head);
	e->fd = st->old;
	for (unsigned side = 0; side < 2; side++) {
		e->rows[side] = *at;
		*at += (off_t)e->folder.sides[side].count * CODEC_ROW_LEN;
		if (*at > end)
			return false;
	}
	return true;
}

static bool read_index(struct state *st, off_t size)
{
	uint8_t count[4];
	off_t end = size - DIGEST_LEN;
	off_t at = MAGIC_LEN + DIGEST_LEN;

	if (!file_is_whole(st->old, size) || at + 4 > end || !file_read_at(st->old, count, sizeof(count), at))
		return false;
	at += 4;
	uint64_t folders = codec_get(count, 4);
	for (uint64_t i = 0; i < folders; i++) {
		if (i == STATE_FOLDERS_MAX || !read_entry(st, &at, end))
			return false;
	}
	return at == end;
}

/* Whether the file is one to be read; says why not. */
static bool is_ours(struct state *st, const struct stat *info, struct buf *said)
{
	uint8_t head[MAGIC_LEN + DIGEST_LEN];

	if (info->st_size == 0)
		return false;
	if (!S_ISREG(info->st_mode) || info->st_uid != geteuid() || (info->st_mode & 022) != 0 ||
	    !file_read_at(st->old, head, MAGIC_LEN, 0) || memcmp(head, magic, MAGIC_LEN) != 0) {
		st->keep = true;
		buf_addf(said,
		    "%s is not a state that this user alone can write: it is neither used nor replaced",
		    st->path);
		return false;
	}
	if (info->st_size < (off_t)sizeof(head) || !file_read_at(st->old, head, sizeof(head), 0)) {
		buf_addf(said, "%s is not whole: it is not used; everything is listed", st->path);
		return false;
	}
	if (memcmp(head + MAGIC_LEN, st->binding, DIGEST_LEN) != 0) {
		st->keep = true;
		buf_addf(said, "%s is that of other mailboxes: it is neither used nor replaced", st->path);
		return false;
	}
	return true;
}

void state_open(const char *path, const struct options *o, struct state **st_r, struct buf *said)
{
	struct state *st = mem_alloc(sizeof(*st));
	struct stat info;

	*st_r = st;
	(void)pthread_mutex_init(&st->lock, NULL);
	st->path = mem_strdup(path);
	st->spool = -1;
	st->old = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (st->old < 0 && errno == ENOENT && make_binding(o, st->binding) == ERR_OK)
		return;
	if (st->old < 0 || fstat(st->old, &info) != 0 || make_binding(o, st->binding) != ERR_OK) {
		st->keep = true;
		buf_addf(
		    said, "%s cannot be read (%s): it is neither used nor replaced", path, strerror(errno));
		drop_all(st);
		return;
	}
	if (!is_ours(st, &info, said)) {
		drop_all(st);
		return;
	}
	if (!read_index(st, info.st_size)) {
		drop_all(st);
		buf_addf(said, "%s is not whole: it is not used; everything is listed", path);
	}
}

void state_close(struct state **stp)
{
	struct state *st = *stp;
	if (st == NULL)
		return;
	*stp = NULL;
	drop_all(st);
	if (st->spool >= 0)
		(void)close(st->spool);
	(void)pthread_mutex_destroy(&st->lock);
	free(st->entries);
	free(st->path);
	free(st);
}

/* ---- looking and keeping ---- */

bool state_find(struct state *st, const char *from, const char *to, struct state_folder *folder_r)
{
	(void)pthread_mutex_lock(&st->lock);
	struct entry *e = find(st, from, to);
	if (e != NULL) {
		*folder_r = e->folder;
		e->wanted = true;
	}
	(void)pthread_mutex_unlock(&st->lock);
	return e != NULL;
}

enum err state_read(
    struct state *st, const char *from, const char *to, unsigned side, struct message_list *list_r)
{
	uint8_t chunk[CHUNK_ROWS * CODEC_ROW_LEN];
	struct entry e = {.fd = -1};

	*list_r = (struct message_list){0};
	(void)pthread_mutex_lock(&st->lock);
	const struct entry *found = find(st, from, to);
	if (found != NULL)
		e = *found;
	(void)pthread_mutex_unlock(&st->lock);
	if (e.fd < 0 || !e.folder.sides[side].listed)
		return ERR_NOT_FOUND;
	uint32_t count = e.folder.sides[side].count;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t in_chunk = i % CHUNK_ROWS;
		uint32_t left = count - i < CHUNK_ROWS ? count - i : CHUNK_ROWS;
		if (in_chunk == 0 && !file_read_at(e.fd, chunk, (size_t)left * CODEC_ROW_LEN,
					 e.rows[side] + (off_t)i * CODEC_ROW_LEN))
			return ERR_IO;
		codec_get_row(chunk + (size_t)in_chunk * CODEC_ROW_LEN, message_list_add(list_r, 0));
	}
	return ERR_OK;
}

static enum err spool_rows(struct state *st, const struct message_list *l)
{
	uint8_t chunk[CHUNK_ROWS * CODEC_ROW_LEN];
	size_t filled = 0;
	enum err e = ERR_OK;

	for (uint32_t i = 0; e == ERR_OK && i < l->count; i++) {
		codec_put_row(chunk + filled, &l->items[i]);
		filled += CODEC_ROW_LEN;
		if (filled < sizeof(chunk) && i + 1 < l->count)
			continue;
		e = file_write(st->spool, chunk, filled);
		st->spooled += (off_t)filled;
		filled = 0;
	}
	return e;
}

static enum err save_entry(struct state *st, struct entry *e, const struct message_list *const lists[2])
{
	AUTO_FREE char *name = NULL;

	if (st->spool < 0) {
		st->spool = file_open_beside(st->path, &name);
		if (st->spool >= 0)
			(void)unlink(name);
	}
	if (st->spool < 0)
		return ERR_IO;
	for (unsigned side = 0; side < 2; side++) {
		e->rows[side] = st->spooled;
		e->folder.sides[side].count = 0;
		if (!e->folder.sides[side].listed)
			continue;
		e->folder.sides[side].count = lists[side]->count;
		if (spool_rows(st, lists[side]) != ERR_OK)
			return ERR_IO;
	}
	e->fd = st->spool;
	return ERR_OK;
}

enum err state_save(struct state *st, const char *from, const char *to, const struct state_folder *folder,
    const struct message_list *const lists[2])
{
	enum err result = ERR_OK;

	if (st->keep || strlen(from) > UINT16_MAX || strlen(to) > UINT16_MAX)
		return ERR_OK;
	(void)pthread_mutex_lock(&st->lock);
	struct entry *e = find(st, from, to);
	if (e == NULL)
		e = add(st, mem_strdup(from), mem_strdup(to));
	e->folder = *folder;
	e->wanted = true;
	result = save_entry(st, e, lists);
	if (result != ERR_OK) {
		/* what is half written is in nobody's way, and nobody finds it */
		e->fd = -1;
		e->folder = (struct state_folder){0};
		if (st->spool >= 0)
			st->spooled = lseek(st->spool, 0, SEEK_END);
	}
	(void)pthread_mutex_unlock(&st->lock);
	return result;
}

/* ---- the new file ---- */

struct output {
	int fd;
	EVP_MD_CTX *md;
	enum err err;
};

static void put(struct output *o, const void *bytes, size_t len)
{
	if (o->err == ERR_OK && EVP_DigestUpdate(o->md, bytes, len) != 1)
		o->err = ERR_CRYPTO;
	if (o->err == ERR_OK)
		o->err = file_write(o->fd, bytes, len);
}

static void put_rows(struct output *o, const struct entry *e, unsigned side)
{
	uint8_t chunk[CHUNK_ROWS * CODEC_ROW_LEN];
	off_t left = (off_t)e->folder.sides[side].count * CODEC_ROW_LEN;
	for (off_t at = e->rows[side]; o->err == ERR_OK && left > 0;) {
		size_t n = left < (off_t)sizeof(chunk) ? (size_t)left : sizeof(chunk);
		if (!file_read_at(e->fd, chunk, n, at))
			o->err = ERR_IO;
		put(o, chunk, n);
		at += (off_t)n;
		left -= (off_t)n;
	}
}

static void put_entry(struct output *o, const struct entry *e)
{
	AUTO_BUF struct buf head = BUF_INIT;
	uint8_t folder[CODEC_FOLDER_LEN];
	const char *const names[2] = {e->from, e->to};

	for (unsigned i = 0; i < 2; i++) {
		uint8_t len[2];
		codec_put(len, strlen(names[i]), 2);
		buf_add(&head, len, sizeof(len));
		buf_adds(&head, names[i]);
	}
	codec_put_folder(folder, &e->folder);
	buf_add(&head, folder, sizeof(folder));
	put(o, head.data, head.len);
	put_rows(o, e, 0);
	put_rows(o, e, 1);
}

static void put_all(struct output *o, const struct state *st, bool all)
{
	uint8_t count[4];
	uint8_t digest[EVP_MAX_MD_SIZE];
	uint32_t wanted = 0;

	for (uint32_t i = 0; i < st->count; i++)
		wanted += st->entries[i].fd >= 0 && (st->entries[i].wanted || !all);
	put(o, magic, MAGIC_LEN);
	put(o, st->binding, DIGEST_LEN);
	codec_put(count, wanted, 4);
	put(o, count, sizeof(count));
	for (uint32_t i = 0; i < st->count; i++) {
		if (st->entries[i].fd >= 0 && (st->entries[i].wanted || !all))
			put_entry(o, &st->entries[i]);
	}
	if (o->err == ERR_OK && EVP_DigestFinal_ex(o->md, digest, NULL) != 1)
		o->err = ERR_CRYPTO;
	if (o->err == ERR_OK)
		o->err = file_write(o->fd, digest, DIGEST_LEN);
}

enum err state_commit(struct state *st, bool all)
{
	AUTO_FREE char *name = NULL;
	struct output o = {.fd = -1};

	if (st->keep)
		return ERR_OK;
	o.fd = file_open_beside(st->path, &name);
	if (o.fd < 0)
		return ERR_IO;
	o.md = EVP_MD_CTX_new();
	if (o.md == NULL || EVP_DigestInit_ex(o.md, EVP_sha256(), NULL) != 1)
		o.err = ERR_CRYPTO;
	put_all(&o, st, all);
	EVP_MD_CTX_free(o.md);
	if (o.err == ERR_OK && (fchmod(o.fd, 0600) != 0 || fsync(o.fd) != 0))
		o.err = ERR_IO;
	if (close(o.fd) != 0 && o.err == ERR_OK)
		o.err = ERR_IO;
	if (o.err == ERR_OK && rename(name, st->path) != 0)
		o.err = ERR_IO;
	if (o.err != ERR_OK)
		(void)unlink(name);
	else
		file_sync_directory(st->path);
	return o.err;
}
