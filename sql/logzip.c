#include "sql/logzip.h"

#include <string.h>
#include <zlib.h>

/* Logs compress about as well at the fast levels, and the worker has two children to look after. */
enum { LEVEL = 3 };

enum log_encoding logzip_pack(const void *bytes, size_t len, struct buf *out)
{
	uLongf packed_len = compressBound(len);

	buf_clear(out);
	buf_reserve(out, packed_len);
	if (compress2((Bytef *)out->data, &packed_len, bytes, len, LEVEL) == Z_OK && packed_len < len) {
		out->len = packed_len;
		out->data[out->len] = '\0';
		return LOG_ZLIB;
	}
	buf_clear(out);
	buf_add(out, bytes, len);
	return LOG_PLAIN;
}

enum err logzip_unpack(enum log_encoding encoding, const void *bytes, size_t len, void *room, size_t raw_len)
{
	uLongf got = raw_len;

	switch (encoding) {
	case LOG_PLAIN:
		if (len != raw_len)
			return ERR_PROTOCOL;
		memcpy(room, bytes, len);
		return ERR_OK;
	case LOG_ZLIB:
		if (uncompress(room, &got, bytes, len) != Z_OK || got != raw_len)
			return ERR_PROTOCOL;
		return ERR_OK;
	}
	return ERR_PROTOCOL;
}
