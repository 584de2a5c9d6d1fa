#include "fcgi/tail.h"

#include <string.h>

#include "lib/utf8.h"

#define REPLACEMENT "\xEF\xBF\xBD"

/* Bytes of the invalid sequence at s that one replacement stands for. */
static size_t bad_bytes(const char *s, size_t len)
{
	size_t k = len < 3 ? len : 3;

	while (k > 1 && !utf8_incomplete(s, k))
		k--;
	return k;
}

size_t tail_text(const char *raw, size_t len, enum tail_end end, struct buf *text)
{
	size_t i = 0, n, plain;

	while (i < len) {
		for (plain = i; plain < len && (n = utf8_sequence(raw + plain, len - plain)) > 0; plain += n)
			;
		buf_add(text, raw + i, plain - i);
		i = plain;
		if (i == len)
			break;
		if (utf8_incomplete(raw + i, len - i)) {
			if (end == TAIL_MORE_LATER || (end == TAIL_CUT && i > 0))
				break;
			buf_adds(text, REPLACEMENT);
			return len;
		}
		buf_adds(text, REPLACEMENT);
		i += bad_bytes(raw + i, len - i);
	}
	return i;
}

/* U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069, U+061C: a name could hide what a line says. */
static bool turns_direction(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;

	if (n == 2)
		return u[0] == 0xD8 && u[1] == 0x9C;
	if (n != 3 || u[0] != 0xE2)
		return false;
	return (u[1] == 0x80 && (u[2] == 0x8E || u[2] == 0x8F || (u[2] >= 0xAA && u[2] <= 0xAE))) ||
	       (u[1] == 0x81 && u[2] >= 0xA6 && u[2] <= 0xA9);
}

void tail_visible(const char *s, size_t len, struct buf *out)
{
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = utf8_sequence(s + i, len - i);
		if (n == 0)
			n = 1;
		if (n == 1 && s[i] == '\r' && i + 1 < len && s[i + 1] == '\n')
			continue;
		if (n == 1 && (s[i] == '\n' || s[i] == '\t'))
			buf_addc(out, s[i]);
		else if (n == 1 && (unsigned char)s[i] < 0x20)
			buf_addf(out, "\xE2\x90%c", (char)(0x80 + s[i]));
		else if (n == 1 && s[i] == 0x7F)
			buf_adds(out, "\xE2\x90\xA1");
		else if (utf8_is_control(s + i, n) || turns_direction(s + i, n))
			buf_adds(out, REPLACEMENT);
		else
			buf_add(out, s + i, n);
	}
}
