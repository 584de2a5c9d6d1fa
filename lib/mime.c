#include "lib/mime.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "lib/parse.h"
#include "lib/utf8.h"

enum {
	LINE_MAX_BYTES = 76,
	WORD_BYTES = 39, /* of text in one encoded word: with "Subject: " before it the line still fits */
};

/* "=_" is never part of quoted-printable (RFC 2045 section 6.7), so no line of a body can be this. */
static const char boundary[] = "=_mailconvoy_part";

bool mime_address_fits(const char *address)
{
	const char *at = address != NULL ? strrchr(address, '@') : NULL;
	bool after_dot = true;

	if (at == NULL || !parse_is_email(address) || at - address > 64)
		return false;
	for (const char *p = address; p < at; p++) {
		if (*p == '.' ? after_dot
			      : !(isascii((unsigned char)*p) && isalnum((unsigned char)*p)) &&
				    strchr("!#$%&'*+-/=?^_`{|}~", *p) == NULL)
			return false;
		after_dot = *p == '.';
	}
	return !after_dot;
}

/* Valid UTF-8 on one line. */
static void clean_line(struct buf *out, const char *s)
{
	size_t len = strlen(s);

	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_sequence(s + i, len - i);
		if (n == 0) {
			buf_adds(out, "\xEF\xBF\xBD");
			n = 1;
		} else if (utf8_is_control(s + i, n)) {
			buf_addc(out, ' ');
		} else {
			buf_add(out, s + i, n);
		}
	}
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		buf_truncate(out, out->len - 1);
}

static void add_base64(struct buf *out, const unsigned char *p, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		unsigned v = (unsigned)p[i] << 16 | (i + 1 < len ? (unsigned)p[i + 1] << 8 : 0) |
			     (i + 2 < len ? p[i + 2] : 0);

		buf_addc(out, digits[v >> 18]);
		buf_addc(out, digits[v >> 12 & 63]);
		buf_addc(out, i + 1 < len ? digits[v >> 6 & 63] : '=');
		buf_addc(out, i + 2 < len ? digits[v & 63] : '=');
	}
}

/* RFC 2047: words of whole characters, each on a line of its own. */
static void add_encoded(struct buf *out, const char *s, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = 0;
		while (i + n < len) {
			size_t c = utf8_sequence(s + i + n, len - i - n);

			if (n + c > WORD_BYTES)
				break;
			n += c;
		}
		buf_adds(out, i > 0 ? "\r\n =?UTF-8?B?" : "=?UTF-8?B?");
		add_base64(out, (const unsigned char *)s + i, n);
		buf_adds(out, "?=");
	}
}

/* Text that needs no encoding and can be folded at its blanks. */
static bool is_plain(const char *s, size_t len)
{
	size_t word = 0;

	for (size_t i = 0; i < len; i++) {
		word = s[i] == ' ' ? 0 : word + 1;
		if (s[i] < ' ' || s[i] > '~' || word > 60 || (s[i] == '=' && s[i + 1] == '?'))
			return false;
	}
	return true;
}

static void add_folded(struct buf *out, const char *s, size_t len, size_t column)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == ' ') {
			size_t word = strcspn(s + i + 1, " ");

			if (column + 1 + word > LINE_MAX_BYTES && word > 0) {
				buf_adds(out, "\r\n");
				column = 0;
			}
		}
		buf_addc(out, s[i]);
		column++;
	}
}

static void add_text_header(struct buf *out, const char *name, const char *value)
{
	AUTO_BUF struct buf line = BUF_INIT;
	size_t skip;

	clean_line(&line, value);
	skip = strspn(line.data, " ");
	buf_addf(out, "%s: ", name);
	if (is_plain(line.data + skip, line.len - skip))
		add_folded(out, line.data + skip, line.len - skip, strlen(name) + 2);
	else
		add_encoded(out, line.data + skip, line.len - skip);
	buf_adds(out, "\r\n");
}

static void add_from(struct buf *out, const struct mime_mail *m)
{
	AUTO_BUF struct buf name = BUF_INIT;
	size_t start = out->len;

	clean_line(&name, m->from_name);
	buf_adds(out, "From: ");
	if (name.len > 0 && name.len <= 40 &&
	    name.data[strspn(
		name.data, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 -")] == '\0')
		buf_adds(out, name.data);
	else
		add_encoded(out, name.data, name.len);
	/* an address must not be folded, so a long one gets a line of its own */
	buf_addf(out, "%s<%s>\r\n", out->len - start + strlen(m->from) + 3 > LINE_MAX_BYTES ? "\r\n " : " ",
	    m->from);
}

static void add_date(struct buf *out, int64_t at_s)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t t = (time_t)at_s;
	struct tm tm = {0};

	(void)gmtime_r(&t, &tm);
	buf_addf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday,
	    months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* One byte of a line, or its "=XX".  A dot or "From " at the beginning would mean something to those on the
 * way. */
static void add_qp_byte(struct buf *out, unsigned char c, bool is_first, bool is_last, size_t *column)
{
	static const char hex[] = "0123456789ABCDEF";
	bool bare = c == ' ' || c == '\t' ? !is_last : c > ' ' && c <= '~' && c != '=';

	bare = bare && !(is_first && (c == '.' || c == 'F'));
	if (*column + (bare ? 1 : 3) >= LINE_MAX_BYTES) {
		buf_adds(out, "=\r\n");
		*column = 0;
		bare = bare && c != '.' && c != 'F';
	}
	if (bare) {
		buf_addc(out, (char)c);
		*column += 1;
		return;
	}
	buf_addc(out, '=');
	buf_addc(out, hex[c >> 4]);
	buf_addc(out, hex[c & 15]);
	*column += 3;
}

static void add_qp_line(struct buf *out, const char *s, size_t len)
{
	size_t column = 0;

	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_sequence(s + i, len - i);
		if (n == 0) {
			for (size_t k = 0; k < 3; k++)
				add_qp_byte(out, (unsigned char)"\xEF\xBF\xBD"[k], false, false, &column);
			n = 1;
			continue;
		}
		for (size_t k = 0; k < n; k++)
			add_qp_byte(out, (unsigned char)s[i + k], i == 0, i + k + 1 == len, &column);
	}
	buf_adds(out, "\r\n");
}

static void add_part(struct buf *out, const char *type, const char *body)
{
	buf_addf(out,
	    "--%s\r\nContent-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
	    boundary, type);
	while (*body != '\0') {
		size_t len = strcspn(body, "\r\n");

		add_qp_line(out, body, len);
		body += len;
		if (body[0] == '\r' && body[1] == '\n')
			body++;
		if (*body != '\0')
			body++;
	}
	buf_adds(out, "\r\n"); /* the boundary's own, so that the last line keeps its end */
}

enum err mime_build(const struct mime_mail *m, struct buf *out)
{
	if (!mime_address_fits(m->from) || !mime_address_fits(m->to) || !mime_address_fits(m->message_id))
		return ERR_INVALID;
	add_from(out, m);
	buf_addf(out, "To:%s<%s>\r\n", strlen(m->to) > 60 ? "\r\n " : " ", m->to);
	add_text_header(out, "Subject", m->subject);
	add_date(out, m->date_s);
	buf_addf(out, "Message-ID:%s<%s>\r\n", strlen(m->message_id) > 60 ? "\r\n " : " ", m->message_id);
	buf_adds(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
	buf_addf(out, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n", boundary);
	add_part(out, "text/plain", m->text);
	add_part(out, "text/html", m->html);
	buf_addf(out, "--%s--\r\n", boundary);
	return ERR_OK;
}
