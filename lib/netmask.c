#include "lib/netmask.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct network {
	int family;
	unsigned char bytes[16];
	unsigned bits;
};

struct netmask_list {
	size_t count;
	struct network networks[];
};

static enum err parse(const char *text, struct network *n)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	unsigned max;

	if (len >= sizeof(address))
		return ERR_INVALID;
	memcpy(address, text, len);
	address[len] = '\0';
	if (inet_pton(AF_INET, address, n->bytes) == 1)
		n->family = AF_INET;
	else if (inet_pton(AF_INET6, address, n->bytes) == 1)
		n->family = AF_INET6;
	else
		return ERR_INVALID;
	max = n->family == AF_INET ? 32 : 128;
	n->bits = max;
	if (slash != NULL) {
		size_t digits = strspn(slash + 1, "0123456789");

		if (digits == 0 || digits > 3 || slash[1 + digits] != '\0')
			return ERR_INVALID;
		n->bits = (unsigned)strtoul(slash + 1, NULL, 10);
	}
	return n->bits <= max ? ERR_OK : ERR_INVALID;
}

enum err netmask_list_new(const char *const *items, size_t count, struct netmask_list **list_r, size_t *bad_r)
{
	struct netmask_list *list = mem_alloc(sizeof(*list) + count * sizeof(list->networks[0]));

	for (size_t i = 0; i < count; i++) {
		if (parse(items[i], &list->networks[i]) != ERR_OK) {
			*bad_r = i;
			free(list);
			return ERR_INVALID;
		}
	}
	list->count = count;
	*list_r = list;
	return ERR_OK;
}

void netmask_list_free(struct netmask_list **list)
{
	free(*list);
	*list = NULL;
}

static bool covers(const struct network *n, int family, const unsigned char *bytes)
{
	unsigned whole = n->bits / 8, rest = n->bits % 8;

	if (n->family != family || memcmp(n->bytes, bytes, whole) != 0)
		return false;
	return rest == 0 || ((n->bytes[whole] ^ bytes[whole]) & (0xFF << (8 - rest)) & 0xFF) == 0;
}

static bool has(const struct netmask_list *list, int family, const unsigned char *bytes)
{
	for (size_t i = 0; i < list->count; i++)
		if (covers(&list->networks[i], family, bytes))
			return true;
	return false;
}

/* The IPv4 address an IPv6 one stands for, or NULL. */
static const unsigned char *inner_ipv4(const unsigned char *b)
{
	static const unsigned char mapped[12] = {[10] = 0xFF, [11] = 0xFF}, compatible[12];
	static const unsigned char nat64[12] = {0x00, 0x64, 0xFF, 0x9B};

	if (memcmp(b, mapped, 12) == 0 || memcmp(b, nat64, 12) == 0 || memcmp(b, compatible, 12) == 0)
		return b + 12;
	if (b[0] == 0x20 && b[1] == 0x02)
		return b + 2;
	return NULL;
}

bool netmask_list_has(const struct netmask_list *list, const struct sockaddr *sa)
{
	const unsigned char *six, *four;

	if (sa->sa_family == AF_INET)
		return has(list, AF_INET,
		    (const unsigned char *)&((const struct sockaddr_in *)(const void *)sa)->sin_addr);
	if (sa->sa_family != AF_INET6)
		return true;
	six = ((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr.s6_addr;
	four = inner_ipv4(six);
	return has(list, AF_INET6, six) || (four != NULL && has(list, AF_INET, four));
}

bool netmask_list_has_text(const struct netmask_list *list, const char *address)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		return netmask_list_has(list, (const struct sockaddr *)(const void *)&v4);
	if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1)
		return netmask_list_has(list, (const struct sockaddr *)(const void *)&v6);
	return false;
}
