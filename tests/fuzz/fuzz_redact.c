/*
 * The redactor: the first line is the secret, the rest is the stream.  However the stream is
 * cut, the result is the same, and a secret of four bytes or more is not in it.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "lib/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char mask[] = "********";

static void run(
    const char *secret, size_t secret_len, const char *s, size_t len, size_t step, struct buf *out)
{
	struct redact *r = redact_new();

	redact_add(r, secret, secret_len);
	for (size_t i = 0; i < len; i += step)
		redact_feed(r, s + i, len - i < step ? len - i : step, out);
	redact_end(r, out);
	redact_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *secret = (const char *)data, *nl = memchr(data, '\n', size);
	size_t secret_len, len;
	AUTO_BUF struct buf whole = BUF_INIT;

	if (nl == NULL)
		return 0;
	secret_len = (size_t)(nl - secret);
	len = size - secret_len - 1;
	run(secret, secret_len, nl + 1, len, len > 0 ? len : 1, &whole);
	for (size_t step = 1; step < 8; step++) {
		AUTO_BUF struct buf pieces = BUF_INIT;

		run(secret, secret_len, nl + 1, len, step, &pieces);
		assert(pieces.len == whole.len && memcmp(pieces.data, whole.data, whole.len) == 0);
	}
	/* A secret made of stars could arise from a mask and what stands beside it. */
	if (secret_len >= REDACT_SHORT_BYTES && memchr(secret, mask[0], secret_len) == NULL)
		assert(memmem(whole.data, whole.len, secret, secret_len) == NULL);
	return 0;
}
