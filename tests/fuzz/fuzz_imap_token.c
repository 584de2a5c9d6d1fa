/*
 * The IMAP tokenizer: however the input is cut, the tokens are the same; no token is longer than the bound; a
 * literal hands out as many bytes as it announced.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "imap/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct imap_limits limits = {
    .token_max = 64, .response_max = 512, .literal_max = 300, .literals_max = 4, .depth_max = 4};

struct run {
	struct imap_lexer lx;
	struct buf out;
	uint64_t announced;
	bool over;
};

static void note(struct run *r, const struct imap_token *t)
{
	switch (t->type) {
	case IMAP_TOKEN_MORE: return;
	case IMAP_TOKEN_PIECE:
		assert(t->len > 0 && t->len <= r->announced);
		r->announced -= t->len;
		buf_add(&r->out, t->bytes, t->len);
		return;
	case IMAP_TOKEN_LITERAL:
		assert(t->size <= limits.literal_max);
		r->announced = t->size;
		break;
	case IMAP_TOKEN_LITERAL_END: assert(r->announced == 0); break;
	case IMAP_TOKEN_ATOM:
		assert(t->len > 0);
		if (imap_token_is(t, "OK"))
			imap_lexer_text(&r->lx);
		break;
	case IMAP_TOKEN_ERROR: r->over = true; break;
	default: break;
	}
	assert(t->len <= limits.token_max);
	buf_addf(&r->out, "\n%d:", (int)t->type);
	buf_add(&r->out, t->bytes, t->len);
}

static void feed(struct run *r, const char *data, size_t len)
{
	struct imap_token t;
	size_t used;

	do {
		imap_lexer_next(&r->lx, data, len, &used, &t);
		assert(used <= len);
		data += used;
		len -= used;
		note(r, &t);
	} while (t.type != IMAP_TOKEN_MORE && !r->over);
	assert(r->over || len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole = {.out = BUF_INIT};

	imap_lexer_init(&whole.lx, &limits);
	feed(&whole, (const char *)data, size);
	for (size_t step = 1; step < 6; step++) {
		struct run cut = {.out = BUF_INIT};
		imap_lexer_init(&cut.lx, &limits);
		for (size_t i = 0; i < size && !cut.over; i += step)
			feed(&cut, (const char *)data + i, size - i < step ? size - i : step);
		assert(
		    cut.out.len == whole.out.len && memcmp(cut.out.data, whole.out.data, cut.out.len) == 0);
		imap_lexer_free(&cut.lx);
		buf_free(&cut.out);
	}
	imap_lexer_free(&whole.lx);
	buf_free(&whole.out);
	return 0;
}
