#include "lib/redact.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "lib/mem.h"

static const char mask[] = "********";

struct form {
	char *bytes;
	size_t len;
	bool alone; /* only where no letter or digit stands beside it */
};

struct redact {
	struct form *forms; /* longest first */
	size_t count;
	bool first[256]; /* whether any form begins with this byte */
	struct buf held;
	unsigned char before; /* the byte before held[0] */
};

struct redact *redact_new(void)
{
	struct redact *r = mem_alloc(sizeof(*r));

	r->held = (struct buf)BUF_INIT;
	return r;
}

void redact_free(struct redact **rp)
{
	struct redact *r = *rp;

	if (r == NULL)
		return;
	for (size_t i = 0; i < r->count; i++) {
		OPENSSL_cleanse(r->forms[i].bytes, r->forms[i].len);
		free(r->forms[i].bytes);
	}
	free(r->forms);
	buf_wipe(&r->held);
	free(r);
	*rp = NULL;
}

static void add_form(struct redact *r, const char *bytes, size_t len, bool alone)
{
	size_t at = 0;

	if (len == 0)
		return;
	for (size_t i = 0; i < r->count; i++)
		if (r->forms[i].len == len && memcmp(r->forms[i].bytes, bytes, len) == 0)
			return;
	r->forms = mem_resize(r->forms, r->count + 1, sizeof(*r->forms));
	while (at < r->count && r->forms[at].len >= len)
		at++;
	memmove(&r->forms[at + 1], &r->forms[at], (r->count - at) * sizeof(*r->forms));
	r->forms[at] = (struct form){.bytes = mem_strndup(bytes, len), .len = len, .alone = alone};
	r->first[(unsigned char)bytes[0]] = true;
	r->count++;
}

static void add_base64(struct redact *r, const char *secret, size_t len)
{
	unsigned char *plain = mem_alloc(len + 2);
	char *code = mem_alloc((len + 4) / 3 * 4 + 1);

	for (size_t shift = 0; shift < 3; shift++) {
		/* Characters that also hold bits of what stands before or after are not ours to know. */
		size_t from = shift == 0 ? 0 : shift + 1;
		size_t whole = (shift + len) * 8 / 6;
		int n;

		memset(plain, 0, shift);
		memcpy(plain + shift, secret, len);
		n = EVP_EncodeBlock((unsigned char *)code, plain, (int)(shift + len));
		if (shift == 0)
			add_form(r, code, (size_t)n, false);
		if (whole > from + 3)
			add_form(r, code + from, whole - from, false);
	}
	OPENSSL_cleanse(plain, len + 2);
	OPENSSL_cleanse(code, (len + 4) / 3 * 4);
	free(plain);
	free(code);
}

void redact_add(struct redact *r, const void *secret, size_t len)
{
	const unsigned char *s = secret;
	struct buf upper = BUF_INIT, lower = BUF_INIT, quoted = BUF_INIT;

	if (len == 0)
		return;
	add_form(r, secret, len, len < REDACT_SHORT_BYTES);
	if (len < REDACT_SHORT_BYTES)
		return;
	for (size_t i = 0; i < len; i++) {
		bool plain = isalnum(s[i]) || (s[i] != '\0' && strchr("-._~", s[i]) != NULL);

		buf_addf(&upper, plain ? "%c" : "%%%02X", s[i]);
		buf_addf(&lower, plain ? "%c" : "%%%02x", s[i]);
		if (s[i] == '"' || s[i] == '\\')
			buf_addc(&quoted, '\\');
		buf_addc(&quoted, (char)s[i]);
	}
	add_form(r, upper.data, upper.len, false);
	add_form(r, lower.data, lower.len, false);
	add_form(r, quoted.data, quoted.len, false);
	buf_wipe(&upper);
	buf_wipe(&lower);
	buf_wipe(&quoted);
	add_base64(r, secret, len);
}

enum match { MATCH_NO, MATCH_YES, MATCH_MORE };

/* Whether a form stands at s; MATCH_MORE when only more bytes can tell. */
static enum match match_at(
    const struct redact *r, const char *s, size_t len, unsigned char before, bool ended, size_t *len_r)
{
	if (!r->first[(unsigned char)*s])
		return MATCH_NO;
	for (size_t i = 0; i < r->count; i++) {
		const struct form *f = &r->forms[i];
		size_t n = f->len < len ? f->len : len;

		if (memcmp(f->bytes, s, n) != 0 || (f->alone && isalnum(before)))
			continue;
		if (!ended && (n < f->len || (f->alone && n == len)))
			return MATCH_MORE;
		if (n < f->len || (f->alone && n < len && isalnum((unsigned char)s[n])))
			continue;
		*len_r = f->len;
		return MATCH_YES;
	}
	return MATCH_NO;
}

static void scan(struct redact *r, bool ended, struct buf *out)
{
	const char *s = r->held.data;
	size_t len = r->held.len, clean = 0, i = 0;

	while (i < len) {
		size_t hit;
		enum match m =
		    match_at(r, s + i, len - i, i > 0 ? (unsigned char)s[i - 1] : r->before, ended, &hit);

		if (m == MATCH_MORE)
			break;
		if (m == MATCH_NO) {
			i++;
			continue;
		}
		buf_add(out, s + clean, i - clean);
		buf_adds(out, mask);
		i += hit;
		clean = i;
	}
	buf_add(out, s + clean, i - clean);
	if (i > 0)
		r->before = (unsigned char)s[i - 1];
	buf_consume(&r->held, i);
}

void redact_feed(struct redact *r, const void *bytes, size_t len, struct buf *out)
{
	if (r->count == 0) {
		buf_add(out, bytes, len);
		return;
	}
	buf_add(&r->held, bytes, len);
	scan(r, false, out);
}

void redact_end(struct redact *r, struct buf *out)
{
	scan(r, true, out);
	buf_wipe(&r->held);
	r->before = 0;
}
