#include "engine/identity.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <openssl/evp.h>

#include "lib/buf.h"

#define HINT_FIELDS "DATE SUBJECT FROM TO CC"

/* Set once, before there are threads. */
static struct {
	const char *const *names;
	unsigned count;
	char fields[4096];
} used = {.fields = "MESSAGE-ID RECEIVED " HINT_FIELDS};

void identity_use(const char *const *names, unsigned count)
{
	AUTO_BUF struct buf fields = BUF_INIT;

	if (count == 0)
		return;
	for (unsigned i = 0; i < count && i < IDENTITY_FIELDS_MAX; i++)
		buf_addf(&fields, "%s ", names[i]);
	buf_adds(&fields, HINT_FIELDS);
	used.names = names;
	used.count = count < IDENTITY_FIELDS_MAX ? count : IDENTITY_FIELDS_MAX;
	(void)snprintf(used.fields, sizeof(used.fields), "%s", fields.data);
}

const char *identity_fields(void)
{
	return used.fields;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Length of the field that begins at s: up to the newline that no blank follows. */
static size_t field_length(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\n' && (i + 1 >= len || (s[i + 1] != ' ' && s[i + 1] != '\t')))
			return i + 1;
	}
	return len;
}

/* s trimmed, every run of blanks and line ends one space. */
static void add_collapsed(struct buf *b, const char *s, size_t len)
{
	bool gap = false;
	bool any = false;
	for (size_t i = 0; i < len; i++) {
		if (is_blank(s[i])) {
			gap = true;
			continue;
		}
		if (gap && any)
			buf_addc(b, ' ');
		buf_addc(b, s[i]);
		gap = false;
		any = true;
	}
}

/* Length of the field's name, blanks before the colon not counted; 0 when this is no field. */
static size_t name_length(const char *field, size_t len, size_t *value_r)
{
	const char *colon = memchr(field, ':', len);
	if (colon == NULL)
		return 0;
	size_t n = (size_t)(colon - field);
	*value_r = n + 1;
	while (n > 0 && (field[n - 1] == ' ' || field[n - 1] == '\t'))
		n--;
	return n;
}

static bool named(const char *field, size_t name_len, const char *name)
{
	return strlen(name) == name_len && strncasecmp(field, name, name_len) == 0;
}

bool identity_is_imapsyncs_mark(const char *field, size_t len)
{
	static const char tail[] = "@imapsync>";
	size_t value = 0;
	size_t name = name_length(field, len, &value);
	size_t digits = 0;

	if (!named(field, name, "Message-Id"))
		return false;
	while (value < len && is_blank(field[value]))
		value++;
	while (len > value && is_blank(field[len - 1]))
		len--;
	if (value >= len || field[value++] != '<')
		return false;
	while (value + digits < len && isdigit((unsigned char)field[value + digits]))
		digits++;
	value += digits;
	return digits > 0 && len - value == sizeof(tail) - 1 &&
	       memcmp(field + value, tail, sizeof(tail) - 1) == 0;
}

static enum err digest(const struct buf *b, uint8_t out[32])
{
	unsigned len = 0;
	return EVP_Digest(b->data, b->len, out, &len, EVP_sha256(), NULL) == 1 ? ERR_OK : ERR_CRYPTO;
}

static enum err fill(struct identity *id, const struct buf *key, const struct buf *hint)
{
	uint8_t full[32];
	enum err e = digest(key, full);
	if (e != ERR_OK)
		return e;
	memcpy(id->key, full, sizeof(id->key));
	e = digest(hint, full);
	if (e == ERR_OK)
		memcpy(&id->hint, full, sizeof(id->hint));
	return e;
}

/* Of --useheader, field by field: servers need not give them in the header's order. */
static void add_used(struct buf *ids, const char *header, size_t len)
{
	for (unsigned i = 0; i < used.count; i++) {
		size_t n;
		for (size_t at = 0; at < len; at += n) {
			size_t value = 0;
			n = field_length(header + at, len - at);
			size_t name = name_length(header + at, n, &value);
			if (!named(header + at, name, used.names[i]) ||
			    identity_is_imapsyncs_mark(header + at, n))
				continue;
			buf_addf(ids, "\nu%u:", i);
			add_collapsed(ids, header + at + value, n - value);
		}
	}
}

enum err identity_from_fields(struct identity *id_r, const char *header, size_t len)
{
	static const char *const hints[] = {"Date", "Subject", "From", "To", "Cc"};
	AUTO_BUF struct buf ids = BUF_INIT;
	AUTO_BUF struct buf ways = BUF_INIT;
	AUTO_BUF struct buf hint = BUF_INIT;
	bool usual = used.count == 0;

	add_used(&ids, header, len);
	while (len > 0) {
		size_t n = field_length(header, len);
		size_t value = 0;
		size_t name = name_length(header, n, &value);
		if (usual && named(header, name, "Message-Id") && !identity_is_imapsyncs_mark(header, n)) {
			buf_adds(&ids, "\nm:");
			add_collapsed(&ids, header + value, n - value);
		} else if (usual && named(header, name, "Received")) {
			buf_adds(&ways, "\nr:");
			add_collapsed(&ways, header + value, n - value);
		}
		for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
			if (named(header, name, hints[i])) {
				buf_addf(&hint, "\n%zu:", i);
				add_collapsed(&hint, header + value, n - value);
			}
		}
		header += n;
		len -= n;
	}
	if (ids.len == 0 && ways.len == 0)
		return ERR_NOT_FOUND;
	buf_add(&ids, ways.data, ways.len);
	return fill(id_r, &ids, &hint);
}

enum err identity_from_header(struct identity *id_r, const char *header, size_t len)
{
	AUTO_BUF struct buf all = BUF_INIT;
	buf_adds(&all, "h:");
	while (len > 0) {
		size_t n = field_length(header, len);
		size_t before = all.len;
		buf_addc(&all, '\n');
		if (!identity_is_imapsyncs_mark(header, n))
			add_collapsed(&all, header, n);
		if (all.len == before + 1)
			buf_truncate(&all, before);
		header += n;
		len -= n;
	}
	return fill(id_r, &all, &all);
}

uint64_t identity_of_words(uint64_t so_far, const char *word)
{
	uint64_t h = 14695981039346656037U;
	for (; *word != '\0'; word++)
		h = (h ^ (uint64_t)(unsigned char)tolower((unsigned char)*word)) * 1099511628211U;
	return so_far + (h | 1);
}
