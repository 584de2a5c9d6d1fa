#include "lib/visible.h"

#include <stdbool.h>

#include "lib/utf8.h"

#define REPLACEMENT "\xEF\xBF\xBD"

static void add(const char *s, size_t len, bool is_line, struct buf *out)
{
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = utf8_sequence(s + i, len - i);
		if (n == 0)
			n = 1;
		if (n == 1 && !is_line && s[i] == '\r' && i + 1 < len && s[i + 1] == '\n')
			continue;
		if (n == 1 && !is_line && (s[i] == '\n' || s[i] == '\t'))
			buf_addc(out, s[i]);
		else if (n == 1 && (unsigned char)s[i] < 0x20)
			buf_addf(out, "\xE2\x90%c", (char)(0x80 + s[i]));
		else if (n == 1 && s[i] == 0x7F)
			buf_adds(out, "\xE2\x90\xA1");
		else if (utf8_is_control(s + i, n) || utf8_is_hidden(s + i, n))
			buf_adds(out, REPLACEMENT);
		else
			buf_add(out, s + i, n);
	}
}

void visible_text(const char *s, size_t len, struct buf *out)
{
	add(s, len, false, out);
}

void visible_line(const char *s, size_t len, struct buf *out)
{
	add(s, len, true, out);
}
