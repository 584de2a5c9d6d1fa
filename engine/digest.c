#include "config.h"

#include "engine/digest.h"

#include <string.h>
#include <openssl/evp.h>

#include "lib/buf.h"
#include "engine/identity.h"
#include "engine/output.h"

/* Longer first lines are not imapsync's. */
#define MARK_MAX 64

#define TRIES_MAX 2 /* of one message that breaks the connection */

struct reading {
	const struct link *link;
	uint32_t uid;
	EVP_MD_CTX *exact;
	EVP_MD_CTX *kept;
	char head[MARK_MAX]; /* of the first line, until it is known what that is */
	size_t head_len;
	bool head_done;
	bool marked;
	bool in_header;
	bool line_is_empty; /* so far */
	bool after_cr;
	uint64_t lines, lone;           /* ends of lines that something followed */
	uint64_t open_lines, open_lone; /* those since then */
	uint64_t eight;
	uint64_t size;
	uint64_t passed;
};

static const char instead_of_nul = '\x80';

static void line_ends(struct reading *r, char c)
{
	if (c == '\n') {
		r->open_lines++;
		r->open_lone += !r->after_cr;
		r->after_cr = false;
	} else {
		r->open_lone += r->after_cr;
		r->after_cr = true;
	}
}

static void line_goes_on(struct reading *r)
{
	r->lines += r->open_lines;
	r->lone += r->open_lone + r->after_cr;
	r->open_lines = r->open_lone = 0;
	r->after_cr = false;
}

/* FNV-1a: tells apart what people write, nothing is proven by it. */
static uint64_t add_eight(uint64_t so_far, unsigned char c)
{
	return ((so_far == 0 ? 14695981039346656037U : so_far) ^ c) * 1099511628211U;
}

/* The header's bytes up to its end, or len: as the digest takes them. */
static size_t add_header(struct reading *r, const char *bytes, size_t len, struct buf *out)
{
	size_t n = 0;

	for (; n < len && r->in_header; n++) {
		char c = bytes[n];
		if (c == '\n' || c == '\r')
			line_ends(r, c);
		if (c == '\n') {
			r->in_header = !r->line_is_empty;
			r->line_is_empty = true;
		} else if (c != '\r') {
			line_goes_on(r);
			r->line_is_empty = false;
			if (c == '\0')
				c = instead_of_nul;
			if ((unsigned char)c >= 0x80)
				r->eight = add_eight(r->eight, (unsigned char)c);
			buf_addc(out, (unsigned char)c >= 0x80 ? 'X' : c);
		}
	}
	return n;
}

static enum err add_kept(struct reading *r, const char *bytes, size_t len)
{
	AUTO_BUF struct buf header = BUF_INIT;
	size_t n = r->in_header ? add_header(r, bytes, len, &header) : 0;

	if (header.len > 0 && EVP_DigestUpdate(r->kept, header.data, header.len) != 1)
		return ERR_CRYPTO;
	bytes += n;
	len -= n;
	while (len > 0) {
		for (n = 0; n < len && bytes[n] != '\n' && bytes[n] != '\r' && bytes[n] != '\0';)
			n++;
		if (n > 0 && EVP_DigestUpdate(r->kept, bytes, n) != 1)
			return ERR_CRYPTO;
		if (n < len && bytes[n] == '\0' && EVP_DigestUpdate(r->kept, &instead_of_nul, 1) != 1)
			return ERR_CRYPTO;
		if (n > 0 || bytes[n] == '\0')
			line_goes_on(r);
		if (n < len && bytes[n] != '\0')
			line_ends(r, bytes[n]);
		n += n < len;
		bytes += n;
		len -= n;
	}
	return ERR_OK;
}

/* The first line is complete, or too long to be imapsync's, or the message has ended. */
static enum err judge_head(struct reading *r)
{
	r->head_done = true;
	r->marked = identity_is_imapsyncs_mark(r->head, r->head_len) && r->head[r->head_len - 1] == '\n';
	return r->marked ? ERR_OK : add_kept(r, r->head, r->head_len);
}

static enum err on_begin(void *ctx, uint64_t size)
{
	struct reading *r = ctx;
	r->head_len = 0;
	r->head_done = r->marked = false;
	r->in_header = r->line_is_empty = true;
	r->after_cr = false;
	r->lines = r->lone = r->open_lines = r->open_lone = 0;
	r->eight = 0;
	r->passed = 0;
	r->size = size;
	return EVP_DigestInit_ex(r->exact, EVP_sha256(), NULL) == 1 &&
		       EVP_DigestInit_ex(r->kept, EVP_sha256(), NULL) == 1
		   ? ERR_OK
		   : ERR_CRYPTO;
}

static enum err on_piece(void *ctx, const char *bytes, size_t len)
{
	struct reading *r = ctx;

	if (EVP_DigestUpdate(r->exact, bytes, len) != 1)
		return ERR_CRYPTO;
	r->passed += len;
	out_alive("%s: msg %s/%u: %llu of %llu bytes compared", link_name(r->link), r->link->selected, r->uid,
	    (unsigned long long)r->passed, (unsigned long long)r->size);
	while (len > 0 && !r->head_done) {
		r->head[r->head_len++] = *bytes++;
		len--;
		if ((r->head[r->head_len - 1] == '\n' || r->head_len == MARK_MAX) && judge_head(r) != ERR_OK)
			return ERR_CRYPTO;
	}
	return add_kept(r, bytes, len);
}

static enum err finish(struct reading *r, struct digest_pair *d)
{
	if (!r->head_done && judge_head(r) != ERR_OK)
		return ERR_CRYPTO;
	d->marked = r->marked;
	d->lines = r->lines;
	d->lone = r->lone;
	d->eight = r->eight;
	d->known = EVP_DigestFinal_ex(r->exact, d->exact, NULL) == 1 &&
		   EVP_DigestFinal_ex(r->kept, d->kept, NULL) == 1;
	return d->known ? ERR_OK : ERR_CRYPTO;
}

static enum err begin(struct reading *r, struct link *l)
{
	*r = (struct reading){.link = l, .exact = EVP_MD_CTX_new(), .kept = EVP_MD_CTX_new()};
	return r->exact != NULL && r->kept != NULL ? ERR_OK : ERR_CRYPTO;
}

static void end(struct reading *r)
{
	EVP_MD_CTX_free(r->exact);
	EVP_MD_CTX_free(r->kept);
}

enum err digest_read(struct link *l, uint32_t uid, struct digest_pair *d_r)
{
	struct reading r;
	const struct imap_sink sink = {.begin = on_begin, .piece = on_piece, .ctx = &r};
	enum err e = begin(&r, l);

	*d_r = (struct digest_pair){0};
	r.uid = uid;
	for (unsigned tries = 0; e == ERR_OK && tries < TRIES_MAX; tries++) {
		e = imap_fetch_body(l->session, uid, &sink);
		if (e == ERR_OK) {
			link_worked(l);
			e = finish(&r, d_r);
			break;
		}
		if (e == ERR_CRYPTO)
			break;
		if (imap_session_alive(l->session)) {
			e = ERR_OK;
			break;
		}
		e = link_revive(l);
	}
	end(&r);
	return e;
}

void digest_ask(struct link *l, const uint32_t *uids, unsigned count)
{
	enum err e = ERR_OK;
	/* what could not be sent does not come, and is read alone then */
	for (unsigned i = 0; i < count && e == ERR_OK && imap_session_alive(l->session); i++)
		e = imap_fetch_body_send(l->session, uids[i]);
}

enum err digest_take(struct link *l, const uint32_t *uids, unsigned count, struct digest_pair *digests_r)
{
	struct reading r;
	const struct imap_sink sink = {.begin = on_begin, .piece = on_piece, .ctx = &r};
	enum err e = begin(&r, l);

	memset(digests_r, 0, count * sizeof(*digests_r));
	for (unsigned came = 0; e == ERR_OK && came < count && imap_session_alive(l->session); came++) {
		uint32_t uid = 0;
		enum err body = imap_fetch_body_next(l->session, &sink, &uid);
		for (unsigned i = 0; body == ERR_OK && i < count; i++) {
			if (uids[i] == uid)
				e = finish(&r, &digests_r[i]);
		}
		if (body == ERR_OK)
			link_worked(l);
		else if (body == ERR_CRYPTO)
			e = body;
		else if (body == ERR_INTERNAL)
			break;
	}
	end(&r);
	if (e == ERR_OK && !imap_session_alive(l->session))
		e = link_revive(l);
	for (unsigned i = 0; i < count && e == ERR_OK; i++) {
		if (!digests_r[i].known)
			e = digest_read(l, uids[i], &digests_r[i]);
	}
	return e;
}

bool digest_same(const struct digest_pair *a, const struct digest_pair *b)
{
	return a->known && b->known && memcmp(a->exact, b->exact, DIGEST_BYTES) == 0;
}

bool digest_same_kept(const struct digest_pair *a, const struct digest_pair *b)
{
	bool both_kept = a->eight != 0 && b->eight != 0;
	return a->known && b->known && memcmp(a->kept, b->kept, DIGEST_BYTES) == 0 &&
	       (!both_kept || a->eight == b->eight);
}

bool digest_same_lines(const struct digest_pair *a, const struct digest_pair *b)
{
	uint64_t more = a->lines > b->lines ? a->lines - b->lines : b->lines - a->lines;
	return digest_same_kept(a, b) && more <= (a->lone > b->lone ? a->lone : b->lone);
}
