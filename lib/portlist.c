#include "lib/portlist.h"

#include <stdint.h>
#include <string.h>

#include "lib/parse.h"

enum { PORT_MAX = 65535, NUMBER_MAX_BYTES = 5 };

static enum err read_item(const char *item, uint64_t *low_r, uint64_t *high_r)
{
	char low[NUMBER_MAX_BYTES + 1] = "";
	const char *dash = strchr(item, '-');
	size_t len = dash != NULL ? (size_t)(dash - item) : strlen(item);

	if (len > NUMBER_MAX_BYTES)
		return ERR_INVALID;
	memcpy(low, item, len);
	if (parse_u64(low, 1, PORT_MAX, low_r) != ERR_OK)
		return ERR_INVALID;
	*high_r = *low_r;
	return dash != NULL ? parse_u64(dash + 1, *low_r, PORT_MAX, high_r) : ERR_OK;
}

enum err portlist_check(const char *const *items, size_t count, size_t *bad_r)
{
	uint64_t low, high;

	for (size_t i = 0; i < count; i++)
		if (read_item(items[i], &low, &high) != ERR_OK) {
			*bad_r = i;
			return ERR_INVALID;
		}
	return ERR_OK;
}

bool portlist_has(const char *const *items, size_t count, unsigned port)
{
	uint64_t low, high;

	for (size_t i = 0; i < count; i++)
		if (read_item(items[i], &low, &high) == ERR_OK && port >= low && port <= high)
			return true;
	return false;
}
