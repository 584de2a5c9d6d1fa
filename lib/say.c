#include "lib/say.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

const char *say_number(struct arena *a, uint64_t n)
{
	char digits[24], *out = arena_alloc(a, 32);
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, n), i, at = 0;

	for (i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	return out;
}

const char *say_plural(struct arena *a, uint64_t n, const char *noun)
{
	return arena_printf(a, "%s %s%s", say_number(a, n), noun, n == 1 ? "" : "s");
}

const char *say_size(struct arena *a, uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double v = (double)bytes;
	size_t u;

	if (bytes < 1024)
		return say_plural(a, bytes, "byte");
	v /= 1024;
	/* 1023.95 would print as "1024.0" of the smaller unit */
	for (u = 0; u < 5 && v >= 1023.95; u++)
		v /= 1024;
	return arena_printf(a, "%.1f %s", v, units[u]);
}
