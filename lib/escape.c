#include "lib/escape.h"

#include <stdbool.h>
#include <string.h>

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static const char *html_entity(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return NULL;
	}
}

void escape_html(struct buf *out, const char *s, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		const char *entity = html_entity(s[i]);

		if (entity == NULL)
			continue;
		buf_add(out, s + from, i - from);
		buf_adds(out, entity);
		from = i + 1;
	}
	buf_add(out, s + from, len - from);
}

void escape_url(struct buf *out, const char *s, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < len; i++) {
		if (is_alphanumeric(s[i]) || s[i] == '-' || s[i] == '.' || s[i] == '_' || s[i] == '~') {
			buf_addc(out, s[i]);
		} else {
			buf_addc(out, '%');
			buf_addc(out, hex[(unsigned char)s[i] >> 4]);
			buf_addc(out, hex[(unsigned char)s[i] & 15]);
		}
	}
}

void escape_attachment(struct buf *out, const char *filename)
{
	bool lost = false;

	buf_adds(out, "attachment; filename=\"");
	for (const char *s = filename; *s != '\0'; s++) {
		bool plain = is_alphanumeric(*s) || *s == '.' || *s == '-' || *s == '_';

		buf_addc(out, plain ? *s : '_');
		lost = lost || !plain;
	}
	buf_addc(out, '"');
	if (lost) {
		buf_adds(out, "; filename*=UTF-8''");
		escape_url(out, filename, strlen(filename));
	}
}
