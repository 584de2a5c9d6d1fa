#include "engine/tap.h"

#include <string.h>

void tap_begin(struct tap *t)
{
	buf_clear(&t->header);
	t->over = false;
}

/* The length of the header in data, its empty line included; 0 where its end is not in there. */
static size_t header_length(const char *data, size_t len, size_t from)
{
	if (len > 0 && data[0] == '\n')
		return 1;
	if (len > 1 && data[0] == '\r' && data[1] == '\n')
		return 2;
	for (const char *end = data + len, *at = data + from; at < end; at++) {
		at = memchr(at, '\n', (size_t)(end - at));
		if (at == NULL)
			return 0;
		size_t left = (size_t)(end - at) - 1;
		if (left > 0 && at[1] == '\n')
			return (size_t)(at - data) + 2;
		if (left > 1 && at[1] == '\r' && at[2] == '\n')
			return (size_t)(at - data) + 3;
	}
	return 0;
}

void tap_piece(struct tap *t, const char *bytes, size_t len)
{
	struct buf *h = &t->header;
	size_t end;
	if (t->over)
		return;
	if (h->len == 0) {
		/* as a rule the first piece holds it all */
		end = header_length(bytes, len, 0);
		buf_add(h, bytes, end > 0 ? end : len);
	} else {
		size_t from = h->len > 2 ? h->len - 2 : 0;
		size_t room = TAP_HEADER_MAX - h->len;
		buf_add(h, bytes, len < room ? len : room);
		end = header_length(h->data, h->len, from);
		if (end > 0)
			buf_truncate(h, end);
	}
	t->over = end > 0 || h->len >= TAP_HEADER_MAX;
}

bool tap_identity(const struct tap *t, struct identity *id_r, struct identity *whole_r)
{
	const struct buf *h = &t->header;
	if (h->len >= TAP_HEADER_MAX || identity_from_header(whole_r, h->data, h->len) != ERR_OK)
		return false;
	enum err e = identity_from_fields(id_r, h->data, h->len);
	if (e == ERR_NOT_FOUND)
		*id_r = *whole_r;
	return e == ERR_OK || e == ERR_NOT_FOUND;
}

void tap_free(struct tap *t)
{
	buf_free(&t->header);
}
