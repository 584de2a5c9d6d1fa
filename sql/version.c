#include "sql/version.h"

#include <inttypes.h>
#include <string.h>

#include "lib/token.h"

enum { TEXT_VERSION_BYTES = 12 };

const char *version_of_moment(struct arena *a, int64_t updated_us)
{
	return arena_printf(a, "%" PRIx64, (uint64_t)updated_us);
}

const char *version_of_text(struct arena *a, const char *text)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	char *hex = arena_alloc(a, 2 * TEXT_VERSION_BYTES + 1);

	token_hash(text, strlen(text), hash);
	token_hex(hash, TEXT_VERSION_BYTES, hex);
	return hex;
}

bool version_fits(const char *wanted, const char *version)
{
	size_t len = strlen(version);

	while (wanted != NULL && *wanted != '\0') {
		size_t n = strcspn(wanted, " ");

		if (n == len && memcmp(wanted, version, n) == 0)
			return true;
		wanted += n + (wanted[n] == ' ');
	}
	return wanted == NULL;
}
