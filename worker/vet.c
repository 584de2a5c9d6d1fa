#include "worker/vet.h"

#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdbool.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/netmask.h"

enum { ASK_S = 3, ASK_TIMES = 2 };

static struct netmask_list *read_networks(struct arena *a, const char *deny)
{
	char *copy = arena_strdup(a, deny);
	char **items = arena_array(a, strlen(deny) + 1, sizeof(*items));
	struct netmask_list *list = NULL;
	char *rest = NULL;
	size_t count = 0;
	size_t bad;

	for (char *one = strtok_r(copy, ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest))
		items[count++] = one;
	return netmask_list_new((const char *const *)items, count, &list, &bad) == ERR_OK ? list : NULL;
}

enum err vet_host(const char *host, const char *deny)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct netmask_list *list = read_networks(a, deny);
	struct addrinfo *found = NULL;
	enum err e = ERR_OK;

	if (list == NULL)
		return ERR_DENIED;
	if (res_init() == 0) {
		_res.retrans = ASK_S;
		_res.retry = ASK_TIMES;
	}
	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		e = ERR_NOT_FOUND;
	/* one is enough: which of them the program takes is not ours to say */
	for (const struct addrinfo *i = found; i != NULL; i = i->ai_next)
		if (netmask_list_has(list, i->ai_addr))
			e = ERR_DENIED;
	if (found != NULL)
		freeaddrinfo(found);
	netmask_list_free(&list);
	return e;
}
