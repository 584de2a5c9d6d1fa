/*
 * Modified UTF-7: what decodes is UTF-8 and encodes to the same bytes; what encodes decodes to the same
 * bytes.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "imap/mutf7.h"
#include "lib/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct buf *b, const char *s, size_t len)
{
	assert(b->len == len && memcmp(b->data, s, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data;
	AUTO_BUF struct buf there = BUF_INIT, back = BUF_INIT, shown = BUF_INIT;
	enum err e;

	if (mutf7_decode(s, size, &there) == ERR_OK) {
		assert(utf8_valid(there.data, there.len));
		e = mutf7_encode(there.data, there.len, &back);
		assert(e == ERR_OK);
		same(&back, s, size);
	}
	buf_clear(&there);
	buf_clear(&back);
	e = mutf7_encode(s, size, &there);
	assert((e == ERR_OK) == utf8_valid(s, size));
	if (e == ERR_OK) {
		e = mutf7_decode(there.data, there.len, &back);
		assert(e == ERR_OK);
		same(&back, s, size);
	}
	mutf7_display(s, size, &shown);
	assert(utf8_valid(shown.data, shown.len));
	return 0;
}
