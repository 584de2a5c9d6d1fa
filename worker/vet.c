#include "worker/vet.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/netmask.h"

enum { ASK_S = 3, ASK_TIMES = 2, TRY_MS = 3000, TRY_MAX = 4 };

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

/* Whether somebody takes a connection there. */
static bool takes_connections(const struct addrinfo *at)
{
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int error = 1;
	socklen_t size = sizeof(error);

	if (fd < 0)
		return false;
	/* connected at once, or under way: asked again either way */
	(void)connect(fd, at->ai_addr, at->ai_addrlen);
	if (poll(&p, 1, TRY_MS) != 1 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = 1;
	(void)close(fd);
	return error == 0;
}

static const struct addrinfo *choose(const struct addrinfo *list)
{
	unsigned tried = 0;

	for (const struct addrinfo *i = list; list->ai_next != NULL && i != NULL && tried < TRY_MAX;
	     i = i->ai_next, tried++)
		if (takes_connections(i))
			return i;
	return list;
}

enum err vet_host(const char *host, const char *port, const char *deny, char address_r[VET_ADDRESS_MAX])
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct addrinfo hints = {
	    .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct netmask_list *list = read_networks(a, deny);
	struct addrinfo *found = NULL;
	const struct addrinfo *chosen;
	enum err e = ERR_OK;

	if (list == NULL)
		return ERR_DENIED;
	if (res_init() == 0) {
		_res.retrans = ASK_S;
		_res.retry = ASK_TIMES;
	}
	if (getaddrinfo(host, port, &hints, &found) != 0)
		e = ERR_NOT_FOUND;
	/* one is enough: a host that has both is not to be trusted with either */
	for (const struct addrinfo *i = found; i != NULL; i = i->ai_next)
		if (netmask_list_has(list, i->ai_addr))
			e = ERR_DENIED;
	if (e == ERR_OK) {
		chosen = choose(found);
		if (getnameinfo(chosen->ai_addr, chosen->ai_addrlen, address_r, VET_ADDRESS_MAX, NULL, 0,
			NI_NUMERICHOST) != 0)
			e = ERR_NOT_FOUND;
	}
	if (found != NULL)
		freeaddrinfo(found);
	netmask_list_free(&list);
	return e;
}
