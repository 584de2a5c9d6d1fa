#include "config.h"

#include "imap/deflate.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "imap/stream.h"
#include "lib/mem.h"

/* Bytes of ours: mail in English shrinks to a third at the first level, at a rate no line of interest has. */
#define LEVEL 1
#define WINDOW_BITS (-MAX_WBITS) /* raw: neither header nor checksum */
#define MEMORY_LEVEL 8

struct imap_deflate {
	z_stream out;
	z_stream in;
	bool unflushed; /* added since the last flush */
	bool more;      /* the last take filled all the room it had */
	bool ended;     /* the server ended its stream */
	char got[IMAP_STREAM_BUFFER];
};

struct imap_deflate *imap_deflate_new(void)
{
	struct imap_deflate *d = mem_alloc(sizeof(*d));

	if (deflateInit2(&d->out, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(d);
		return NULL;
	}
	if (inflateInit2(&d->in, WINDOW_BITS) != Z_OK) {
		(void)deflateEnd(&d->out);
		free(d);
		return NULL;
	}
	return d;
}

void imap_deflate_free(struct imap_deflate **dp)
{
	struct imap_deflate *d = *dp;

	if (d == NULL)
		return;
	*dp = NULL;
	(void)deflateEnd(&d->out);
	(void)inflateEnd(&d->in);
	explicit_bzero(d->got, sizeof(d->got));
	free(d);
}

static enum err run(struct imap_deflate *d, int how, struct buf *out)
{
	unsigned char chunk[16384];

	do {
		d->out.next_out = chunk;
		d->out.avail_out = sizeof(chunk);
		int n = deflate(&d->out, how);
		if (n != Z_OK && n != Z_BUF_ERROR)
			return ERR_INTERNAL;
		buf_add(out, chunk, sizeof(chunk) - d->out.avail_out);
	} while (d->out.avail_out == 0);
	return d->out.avail_in == 0 ? ERR_OK : ERR_INTERNAL;
}

enum err imap_deflate_add(struct imap_deflate *d, const void *bytes, size_t len, struct buf *out)
{
	if (len == 0)
		return ERR_OK;
	d->unflushed = true;
	d->out.next_in = (z_const Bytef *)bytes;
	d->out.avail_in = (uInt)len;
	return run(d, Z_NO_FLUSH, out);
}

enum err imap_deflate_flush(struct imap_deflate *d, struct buf *out)
{
	if (!d->unflushed)
		return ERR_OK;
	d->unflushed = false;
	d->out.next_in = NULL;
	d->out.avail_in = 0;
	return run(d, Z_SYNC_FLUSH, out);
}

char *imap_deflate_room(struct imap_deflate *d, size_t *room_r)
{
	*room_r = sizeof(d->got);
	return d->got;
}

void imap_deflate_got(struct imap_deflate *d, size_t len)
{
	d->in.next_in = (z_const Bytef *)d->got;
	d->in.avail_in = (uInt)len;
}

ssize_t imap_deflate_take(struct imap_deflate *d, char *to, size_t room, struct imap_failure *f)
{
	int n;

	if (d->ended) {
		(void)imap_fail(f, IMAP_CLOSED, "the server ended the compressed stream");
		return -1;
	}
	if (!imap_deflate_pending(d))
		return 0;
	d->in.next_out = (Bytef *)to;
	d->in.avail_out = (uInt)room;
	n = inflate(&d->in, Z_SYNC_FLUSH);
	d->more = d->in.avail_out == 0;
	d->ended = n == Z_STREAM_END;
	if (n != Z_OK && n != Z_BUF_ERROR && n != Z_STREAM_END) {
		(void)imap_fail(f, IMAP_PROTOCOL_ERROR, "what came is not what deflate makes");
		return -1;
	}
	size_t made = room - d->in.avail_out;
	if (made == 0 && d->ended)
		return imap_deflate_take(d, to, room, f);
	return (ssize_t)made;
}

bool imap_deflate_pending(const struct imap_deflate *d)
{
	return d->in.avail_in > 0 || d->more || d->ended;
}
