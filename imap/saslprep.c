#include "config.h"

#include "imap/saslprep.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <stringprep.h>

#include "lib/mem.h"

void saslprep_add(const char *text, size_t len, struct buf *out)
{
	bool as_it_is = true;
	char *prepared = NULL;

	for (size_t i = 0; i < len; i++)
		as_it_is = as_it_is && (unsigned char)text[i] < 0x80;
	if (as_it_is || memchr(text, '\0', len) != NULL) {
		buf_add(out, text, len);
		return;
	}
	char *copy = mem_strndup(text, len);
	if (stringprep_profile(copy, &prepared, "SASLprep", 0) == STRINGPREP_OK) {
		buf_adds(out, prepared);
		explicit_bzero(prepared, strlen(prepared));
		free(prepared);
	} else {
		buf_add(out, text, len);
	}
	explicit_bzero(copy, len);
	free(copy);
}
