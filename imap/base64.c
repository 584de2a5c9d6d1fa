#include "config.h"

#include "imap/base64.h"

#include <ctype.h>
#include <string.h>

#include <openssl/evp.h>

/* Room without a realloc() that leaves bytes behind. */
static void make_room(struct buf *b, size_t extra)
{
	struct buf bigger = BUF_INIT;

	if (b->cap > b->len + extra)
		return;
	buf_reserve(&bigger, 2 * (b->len + extra) + 64);
	buf_add(&bigger, b->data, b->len);
	buf_wipe(b);
	*b = bigger;
}

void base64_add(const void *bytes, size_t len, struct buf *out)
{
	make_room(out, (len + 2) / 3 * 4 + 1);
	int n = EVP_EncodeBlock((unsigned char *)out->data + out->len, bytes, (int)len);
	out->len += (size_t)n;
}

static size_t padding(const char *code, size_t len)
{
	size_t n = 0;

	while (n < 2 && n < len && code[len - 1 - n] == '=')
		n++;
	return n;
}

enum err base64_decode(const char *code, size_t len, struct buf *out)
{
	size_t pad = padding(code, len);

	if (len % 4 != 0)
		return ERR_INVALID;
	for (size_t i = 0; i < len - pad; i++)
		if (!isalnum((unsigned char)code[i]) && code[i] != '+' && code[i] != '/')
			return ERR_INVALID;
	if (len == 0)
		return ERR_OK;
	make_room(out, len / 4 * 3 + 1);
	int n = EVP_DecodeBlock((unsigned char *)out->data + out->len, (const unsigned char *)code, (int)len);
	if (n < (int)pad)
		return ERR_INVALID;
	out->len += (size_t)n - pad;
	out->data[out->len] = '\0';
	return ERR_OK;
}
