#include "imap/mutf7.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/utf8.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool is_direct(unsigned char c)
{
	return c >= 0x20 && c <= 0x7E;
}

static void add_utf8(struct buf *out, uint32_t u)
{
	if (u < 0x80) {
		buf_addc(out, (char)u);
	} else if (u < 0x800) {
		buf_addc(out, (char)(0xC0 | u >> 6));
		buf_addc(out, (char)(0x80 | (u & 0x3F)));
	} else if (u < 0x10000) {
		buf_addc(out, (char)(0xE0 | u >> 12));
		buf_addc(out, (char)(0x80 | (u >> 6 & 0x3F)));
		buf_addc(out, (char)(0x80 | (u & 0x3F)));
	} else {
		buf_addc(out, (char)(0xF0 | u >> 18));
		buf_addc(out, (char)(0x80 | (u >> 12 & 0x3F)));
		buf_addc(out, (char)(0x80 | (u >> 6 & 0x3F)));
		buf_addc(out, (char)(0x80 | (u & 0x3F)));
	}
}

/* One UTF-16 unit; *high is a pending high surrogate or 0.  False for what a strict encoder never writes. */
static bool add_unit(struct buf *out, uint32_t unit, uint32_t *high)
{
	if (*high != 0) {
		if (unit < 0xDC00 || unit > 0xDFFF)
			return false;
		add_utf8(out, 0x10000 + ((*high - 0xD800) << 10) + (unit - 0xDC00));
		*high = 0;
		return true;
	}
	if (unit >= 0xDC00 && unit <= 0xDFFF)
		return false;
	if (unit >= 0xD800 && unit <= 0xDBFF) {
		*high = unit;
		return true;
	}
	if (unit < 0x80 && is_direct((unsigned char)unit))
		return false;
	add_utf8(out, unit);
	return true;
}

/* The base64 run in[0..len) between "&" and "-", len > 0. */
static bool decode_run(const char *in, size_t len, struct buf *out)
{
	uint32_t bits = 0, high = 0;
	unsigned count = 0;

	for (size_t i = 0; i < len; i++) {
		const char *at = in[i] != '\0' ? strchr(alphabet, in[i]) : NULL;
		if (at == NULL)
			return false;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		count += 6;
		if (count >= 16) {
			count -= 16;
			if (!add_unit(out, bits >> count & 0xFFFF, &high))
				return false;
			bits &= (1u << count) - 1;
		}
	}
	/* a whole sextet left over, or padding bits that are not zero, would not encode back */
	return high == 0 && count < 6 && bits == 0;
}

enum err mutf7_decode(const char *in, size_t len, struct buf *out)
{
	size_t start = out->len, i = 0, shift_end = SIZE_MAX;

	while (i < len) {
		unsigned char c = (unsigned char)in[i];
		if (!is_direct(c))
			goto invalid;
		if (c != '&') {
			buf_addc(out, (char)c);
			i++;
			continue;
		}
		const char *end = memchr(in + i + 1, '-', len - i - 1);
		if (end == NULL)
			goto invalid;
		size_t n = (size_t)(end - in) - i - 1;
		if (n == 0) {
			buf_addc(out, '&');
		} else {
			/* one run could have held both: two spellings of one name */
			if (shift_end == i || !decode_run(in + i + 1, n, out))
				goto invalid;
			shift_end = i + n + 2;
		}
		i += n + 2;
	}
	return ERR_OK;
invalid:
	buf_truncate(out, start);
	return ERR_INVALID;
}

struct encoder {
	struct buf *out;
	uint32_t bits;
	unsigned count;
	bool shifted;
};

static void put_unit(struct encoder *e, uint32_t unit)
{
	if (!e->shifted) {
		buf_addc(e->out, '&');
		e->shifted = true;
		e->bits = 0;
		e->count = 0;
	}
	e->bits = e->bits << 16 | unit;
	e->count += 16;
	while (e->count >= 6) {
		e->count -= 6;
		buf_addc(e->out, alphabet[e->bits >> e->count & 0x3F]);
	}
	e->bits &= (1u << e->count) - 1;
}

static void unshift(struct encoder *e)
{
	if (!e->shifted)
		return;
	if (e->count > 0)
		buf_addc(e->out, alphabet[e->bits << (6 - e->count) & 0x3F]);
	buf_addc(e->out, '-');
	e->shifted = false;
}

static uint32_t code_point(const char *s, size_t n)
{
	const unsigned char *b = (const unsigned char *)s;

	switch (n) {
	case 1: return b[0];
	case 2: return (b[0] & 0x1Fu) << 6 | (b[1] & 0x3Fu);
	case 3: return (b[0] & 0x0Fu) << 12 | (b[1] & 0x3Fu) << 6 | (b[2] & 0x3Fu);
	default: return (b[0] & 0x07u) << 18 | (b[1] & 0x3Fu) << 12 | (b[2] & 0x3Fu) << 6 | (b[3] & 0x3Fu);
	}
}

enum err mutf7_encode(const char *in, size_t len, struct buf *out)
{
	struct encoder e = {.out = out};
	size_t start = out->len;

	for (size_t i = 0; i < len;) {
		size_t n = utf8_sequence(in + i, len - i);
		if (n == 0) {
			buf_truncate(out, start);
			return ERR_INVALID;
		}
		uint32_t u = code_point(in + i, n);
		i += n;
		if (u < 0x80 && is_direct((unsigned char)u)) {
			unshift(&e);
			buf_adds(out, u == '&' ? "&-" : (char[]){(char)u, '\0'});
		} else if (u >= 0x10000) {
			put_unit(&e, 0xD800 + ((u - 0x10000) >> 10));
			put_unit(&e, 0xDC00 + ((u - 0x10000) & 0x3FF));
		} else {
			put_unit(&e, u);
		}
	}
	unshift(&e);
	return ERR_OK;
}

void mutf7_display(const char *raw, size_t len, struct buf *out)
{
	if (mutf7_decode(raw, len, out) == ERR_OK)
		return;
	if (utf8_valid(raw, len)) {
		buf_add(out, raw, len);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)raw[i] < 0x80)
			buf_addc(out, raw[i]);
		else
			buf_adds(out, "\xEF\xBF\xBD");
	}
}
