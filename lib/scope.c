#include "lib/scope.h"

#include <string.h>

#include "lib/buf.h"

static const char *const names[SCOPE_COUNT] = {
    "jobs:read", "jobs:write", "servers:write", "accounts:write", "sso:create"};

const char *scope_name(unsigned bit)
{
	for (unsigned i = 0; i < SCOPE_COUNT; i++)
		if (bit == 1u << i)
			return names[i];
	return NULL;
}

const char *scope_list(struct arena *a, unsigned mask)
{
	AUTO_BUF struct buf b = BUF_INIT;

	for (unsigned i = 0; i < SCOPE_COUNT; i++)
		if (mask & (1u << i))
			buf_addf(&b, "%s%s", b.len > 0 ? " " : "", names[i]);
	return b.len > 0 ? arena_strndup(a, b.data, b.len) : "";
}

enum err scope_parse(const char *text, unsigned *mask_r)
{
	unsigned mask = 0;

	while (*text != '\0') {
		size_t n = strcspn(text, " ");
		unsigned i;

		for (i = 0; i < SCOPE_COUNT; i++)
			if (strlen(names[i]) == n && strncmp(names[i], text, n) == 0)
				break;
		if (i == SCOPE_COUNT)
			return ERR_INVALID;
		mask |= 1u << i;
		text += n + (text[n] == ' ');
	}
	*mask_r = mask;
	return mask != 0 ? ERR_OK : ERR_INVALID;
}
