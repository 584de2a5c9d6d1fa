#include "fcgi/range.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Digits at *s, which is moved behind them; false when there are none or too many. */
static bool digits(const char **s, uint64_t *n_r)
{
	size_t n = strspn(*s, "0123456789");

	if (n == 0 || n > 18)
		return false;
	*n_r = strtoull(*s, NULL, 10);
	*s += n;
	return true;
}

enum range_kind range_parse(const char *header, uint64_t size, struct range *range_r)
{
	uint64_t first, last;
	const char *s = header;

	if (s == NULL || strncasecmp(s, "bytes=", 6) != 0)
		return RANGE_WHOLE;
	s += 6;
	if (*s == '-') {
		s++;
		if (!digits(&s, &last) || *s != '\0')
			return RANGE_WHOLE;
		if (last == 0 || size == 0)
			return RANGE_BEYOND;
		range_r->length = last < size ? last : size;
		range_r->first = size - range_r->length;
		return RANGE_PART;
	}
	if (!digits(&s, &first) || *s++ != '-')
		return RANGE_WHOLE;
	last = size == 0 ? 0 : size - 1;
	if (*s != '\0' && (!digits(&s, &last) || *s != '\0' || last < first))
		return RANGE_WHOLE;
	if (first >= size)
		return RANGE_BEYOND;
	if (last >= size)
		last = size - 1;
	range_r->first = first;
	range_r->length = last - first + 1;
	return RANGE_PART;
}
