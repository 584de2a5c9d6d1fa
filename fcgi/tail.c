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
