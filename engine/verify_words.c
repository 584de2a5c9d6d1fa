#include "config.h"

#include "engine/verify_words.h"

#include <string.h>
#include <strings.h>

#include "lib/buf.h"

struct wanted {
	struct arena *arena;
	struct verify_words *words;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A value without folding, in one line, cut. */
static const char *line_of(struct arena *a, const char *s, size_t len)
{
	AUTO_BUF struct buf b = BUF_INIT;
	for (size_t i = 0; i < len && b.len < VERIFY_WORDS_MAX; i++) {
		if (!is_blank(s[i]))
			buf_addc(&b, s[i] != '\0' ? s[i] : '?');
		else if (b.len > 0 && b.data[b.len - 1] != ' ')
			buf_addc(&b, ' ');
	}
	while (b.len > 0 && b.data[b.len - 1] == ' ')
		buf_truncate(&b, b.len - 1);
	return arena_strndup(a, b.data, b.len);
}

void verify_words_parse(const char *header, size_t len, struct arena *a, struct verify_words *w)
{
	while (len > 0) {
		size_t n = 0;
		do {
			const char *end = memchr(header + n, '\n', len - n);
			n = end != NULL ? (size_t)(end - header) + 1 : len;
		} while (n < len && (header[n] == ' ' || header[n] == '\t'));
		if (n > 5 && strncasecmp(header, "From:", 5) == 0 && w->from[0] == '\0')
			w->from = line_of(a, header + 5, n - 5);
		else if (n > 8 && strncasecmp(header, "Subject:", 8) == 0 && w->subject[0] == '\0')
			w->subject = line_of(a, header + 8, n - 8);
		header += n;
		len -= n;
	}
}

static enum err on_row(void *ctx, const struct imap_row *row)
{
	const struct wanted *w = ctx;
	verify_words_parse(row->header, row->header_len, w->arena, w->words);
	return ERR_OK;
}

enum err verify_words_read(struct link *l, uint32_t uid, struct arena *a, struct verify_words *words_r)
{
	const struct imap_range one = {.first = uid, .last = uid};
	struct wanted w = {.arena = a, .words = words_r};
	uint64_t rows = 0;

	*words_r = (struct verify_words){.from = "", .subject = ""};
	if (imap_fetch_rows(l->session, &one, 1, IMAP_FETCH_HEADER, "FROM SUBJECT", on_row, &w, &rows) ==
		ERR_OK ||
	    imap_session_alive(l->session))
		return ERR_OK;
	return link_revive(l);
}
