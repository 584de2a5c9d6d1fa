#include "lib/origin.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "lib/parse.h"

enum { HOST_MAX_BYTES = 253, PORT_MAX = 65535 };

static const char parting[] = " \t\r\n,;";

static bool is_origin(const char *s)
{
	bool tls = strncmp(s, "https://", 8) == 0;
	char host[HOST_MAX_BYTES + 1];
	uint64_t port;
	size_t len;

	if (!tls && strncmp(s, "http://", 7) != 0)
		return false;
	s += tls ? 8 : 7;
	len = strcspn(s, ":");
	if (len > HOST_MAX_BYTES)
		return false;
	memcpy(host, s, len);
	host[len] = '\0';
	/* '_' is in use in names, but has no place in a policy */
	if (!parse_is_hostname(host) || strchr(host, '_') != NULL || (!tls && !parse_is_loopback(host)))
		return false;
	if (s[len] == '\0')
		return true;
	return s[len + 1] != '0' && parse_u64(s + len + 1, 1, PORT_MAX, &port) == ERR_OK;
}

static bool has_word(const struct buf *list, const char *word, size_t len)
{
	for (const char *at = list->len > 0 ? list->data : ""; *at != '\0'; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		if (n == len && strncmp(at, word, len) == 0)
			return true;
		at += n;
	}
	return false;
}

enum err origin_list_add(struct buf *list, const char *text)
{
	while (text != NULL && text[strspn(text, parting)] != '\0') {
		char word[ORIGIN_LIST_MAX_BYTES + 1];
		size_t len;

		text += strspn(text, parting);
		len = strcspn(text, parting);
		if (len >= sizeof(word))
			return ERR_TOO_BIG;
		for (size_t i = 0; i < len; i++)
			word[i] = (char)tolower((unsigned char)text[i]);
		word[len] = '\0';
		text += len;
		if (!is_origin(word))
			return ERR_INVALID;
		if (has_word(list, word, len))
			continue;
		if (list->len + (list->len > 0) + len > ORIGIN_LIST_MAX_BYTES)
			return ERR_TOO_BIG;
		buf_addf(list, "%s%s", list->len > 0 ? " " : "", word);
	}
	return ERR_OK;
}
