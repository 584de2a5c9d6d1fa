#include "lib/utf8.h"

/* RFC 3629 section 4: the permitted second bytes depend on the first. */
static size_t shape(unsigned char lead, unsigned char *lo, unsigned char *hi)
{
	*lo = 0x80;
	*hi = 0xBF;
	if (lead < 0x80)
		return 1;
	if (lead >= 0xC2 && lead <= 0xDF)
		return 2;
	if (lead >= 0xE0 && lead <= 0xEF) {
		if (lead == 0xE0)
			*lo = 0xA0;
		if (lead == 0xED)
			*hi = 0x9F;
		return 3;
	}
	if (lead >= 0xF0 && lead <= 0xF4) {
		if (lead == 0xF0)
			*lo = 0x90;
		if (lead == 0xF4)
			*hi = 0x8F;
		return 4;
	}
	return 0;
}

/* How many of the len bytes at s fit the sequence its first byte announces; *need_r is that sequence's
 * length. */
static size_t match(const char *s, size_t len, size_t *need_r)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned char lo, hi;
	size_t n;

	*need_r = 0;
	if (len == 0)
		return 0;
	*need_r = shape(u[0], &lo, &hi);
	if (*need_r == 0)
		return 0;
	for (n = 1; n < *need_r && n < len; n++) {
		if (u[n] < lo || u[n] > hi)
			break;
		lo = 0x80;
		hi = 0xBF;
	}
	return n;
}

size_t utf8_sequence(const char *s, size_t len)
{
	size_t need, n = match(s, len, &need);

	return n == need ? need : 0;
}

bool utf8_incomplete(const char *s, size_t len)
{
	size_t need, n = match(s, len, &need);

	return n > 0 && n == len && n < need;
}

bool utf8_valid(const char *s, size_t len)
{
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = utf8_sequence(s + i, len - i);
		if (n == 0)
			return false;
	}
	return true;
}

bool utf8_is_control(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;

	if (n == 1)
		return u[0] < 0x20 || u[0] == 0x7F;
	return n == 2 && u[0] == 0xC2 && u[1] < 0xA0;
}

unsigned utf8_code(const char *s, size_t n)
{
	static const unsigned char lead[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	unsigned code = (unsigned char)s[0] & lead[n];

	for (size_t i = 1; i < n; i++)
		code = code << 6 | ((unsigned char)s[i] & 0x3F);
	return code;
}

bool utf8_is_hidden(const char *s, size_t n)
{
	static const struct {
		unsigned first, last;
	} ranges[] = {{0x00AD, 0x00AD}, {0x034F, 0x034F}, {0x061C, 0x061C}, {0x115F, 0x1160},
	    {0x17B4, 0x17B5}, {0x180B, 0x180F}, {0x200B, 0x200B}, {0x200E, 0x200F}, {0x2028, 0x202E},
	    {0x2060, 0x206F}, {0x3164, 0x3164}, {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB},
	    {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}};
	unsigned code = utf8_code(s, n);

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}
