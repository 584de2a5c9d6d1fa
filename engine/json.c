#include "engine/json.h"

#include <string.h>

#include "lib/utf8.h"

/* The code point of a valid sequence of one or two bytes: no control character is longer. */
static unsigned code_point(const char *s, size_t n)
{
	unsigned first = (unsigned char)s[0];
	return n == 1 ? first : (first & 0x1F) << 6 | ((unsigned char)s[1] & 0x3F);
}

static void add_string(struct buf *b, const char *s)
{
	buf_addc(b, '"');
	for (size_t len = strlen(s); len > 0;) {
		size_t n = utf8_sequence(s, len);
		if (n == 0) {
			buf_adds(b, "\xEF\xBF\xBD");
			n = 1;
		} else if (utf8_is_control(s, n)) {
			buf_addf(b, "\\u%04X", code_point(s, n));
		} else {
			if (*s == '"' || *s == '\\')
				buf_addc(b, '\\');
			buf_add(b, s, n);
		}
		s += n;
		len -= n;
	}
	buf_addc(b, '"');
}

void json_begin(struct buf *b, const char *type)
{
	buf_addf(b, "{\"type\":\"%s\"", type);
}

void json_text(struct buf *b, const char *key, const char *text)
{
	buf_addf(b, ",\"%s\":", key);
	add_string(b, text);
}

void json_number(struct buf *b, const char *key, uint64_t n)
{
	buf_addf(b, ",\"%s\":%llu", key, (unsigned long long)n);
}

void json_bool(struct buf *b, const char *key, bool yes)
{
	buf_addf(b, ",\"%s\":%s", key, yes ? "true" : "false");
}

void json_end(struct buf *b)
{
	buf_addc(b, '}');
}
