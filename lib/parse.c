#include "lib/parse.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/utf8.h"

enum { LABEL_MAX_BYTES = 63, HOSTNAME_MAX_BYTES = 253, EMAIL_MAX_BYTES = 254 };

enum err parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *n_r)
{
	uint64_t n = 0;

	if (s == NULL || *s == '\0')
		return ERR_INVALID;
	for (; *s != '\0'; s++) {
		uint64_t digit = (uint64_t)(*s - '0');

		if (*s < '0' || *s > '9' || n > (UINT64_MAX - digit) / 10)
			return ERR_INVALID;
		n = n * 10 + digit;
	}
	if (n < min || n > max)
		return ERR_INVALID;
	*n_r = n;
	return ERR_OK;
}

enum err parse_i64(const char *s, int64_t min, int64_t max, int64_t *n_r)
{
	bool negative = s != NULL && *s == '-';
	uint64_t magnitude;
	int64_t n;

	if (parse_u64(negative ? s + 1 : s, 0, (uint64_t)INT64_MAX + negative, &magnitude) != ERR_OK)
		return ERR_INVALID;
	n = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	if (n < min || n > max)
		return ERR_INVALID;
	*n_r = n;
	return ERR_OK;
}

bool parse_is_address(const char *s)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, s, bytes) == 1 || inet_pton(AF_INET6, s, bytes) == 1;
}

bool parse_is_loopback(const char *s)
{
	struct in6_addr six;
	struct in_addr four;

	if (inet_pton(AF_INET, s, &four) == 1)
		return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
	return strcmp(s, "localhost") == 0 ||
	       (inet_pton(AF_INET6, s, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six));
}

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool parse_is_hostname(const char *s)
{
	size_t label = 0, len = strlen(s);

	if (len == 0 || len > HOSTNAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool at_edge = label == 0 || s[i + 1] == '.' || s[i + 1] == '\0';

		if (s[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!is_alphanumeric(s[i]) && s[i] != '_' && (s[i] != '-' || at_edge))
			return false;
		if (++label > LABEL_MAX_BYTES)
			return false;
	}
	return label > 0;
}

bool parse_is_email(const char *s)
{
	const char *at = strchr(s, '@');

	if (at == NULL || at == s || strlen(s) > EMAIL_MAX_BYTES)
		return false;
	for (const char *c = s; c < at; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7F || *c == '<' || *c == '>')
			return false;
	for (size_t i = 0, n; s + i < at; i += n) {
		n = utf8_sequence(s + i, (size_t)(at - s) - i);
		if (n == 0 || utf8_is_control(s + i, n) || utf8_is_hidden(s + i, n))
			return false;
	}
	return parse_is_hostname(at + 1);
}
