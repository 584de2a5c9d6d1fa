#include "engine/names.h"

#include <string.h>
#include <strings.h>

#include "imap/mutf7.h"
#include "lib/buf.h"

bool name_same(const char *a, const char *b)
{
	return strcmp(a, b) == 0 || (strcasecmp(a, "INBOX") == 0 && strcasecmp(b, "INBOX") == 0);
}

bool name_is(const char *raw, const char *given)
{
	AUTO_BUF struct buf read = BUF_INIT;

	if (name_same(raw, given))
		return true;
	return mutf7_decode(raw, strlen(raw), &read) == ERR_OK && strcmp(read.data, given) == 0;
}

const char *name_raw(const char *given, struct arena *a)
{
	AUTO_BUF struct buf raw = BUF_INIT;
	AUTO_BUF struct buf read = BUF_INIT;

	if (mutf7_decode(given, strlen(given), &read) == ERR_OK ||
	    mutf7_encode(given, strlen(given), &raw) != ERR_OK)
		return given;
	return arena_strndup(a, raw.data, raw.len);
}
