#include "fcgi/csv_write.h"

#include <stdbool.h>
#include <string.h>

static bool is_formula(const char *s)
{
	if (*s == '\t' || *s == '\r')
		return true;
	s += strspn(s, " \n");
	return *s != '\0' && strchr("=+-@\t\r", *s) != NULL;
}

void csv_write_field(struct buf *out, const char *s)
{
	bool guarded = is_formula(s), quoted = guarded || strpbrk(s, ",;\t\"\r\n ") != NULL;

	if (quoted)
		buf_addc(out, '"');
	if (guarded)
		buf_addc(out, '\'');
	for (; *s != '\0'; s++) {
		if (*s == '"')
			buf_addc(out, '"');
		buf_addc(out, *s);
	}
	if (quoted)
		buf_addc(out, '"');
}

const char *csv_without_guard(const char *s)
{
	return s[0] == '\'' && is_formula(s + 1) ? s + 1 : s;
}
