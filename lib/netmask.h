/*
 * Lists of networks in CIDR notation ("10.0.0.0/8", "fe80::/10", "127.0.0.1").
 */
#ifndef MCV_LIB_NETMASK_H
#define MCV_LIB_NETMASK_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/socket.h>

#include "lib/err.h"

struct netmask_list;

/*
 * Read count networks.  ERR_OK; ERR_INVALID: *bad_r is the index of the one that is none.  Freed with
 * netmask_list_free().
 */
enum err netmask_list_new(
    const char *const *items, size_t count, struct netmask_list **list_r, size_t *bad_r) MUST_CHECK;
void netmask_list_free(struct netmask_list **list);

/*
 * Whether the list holds this address.  An IPv4 address inside an IPv6 one (::ffff:0:0/96 mapped,
 * 64:ff9b::/96 NAT64, ::/96 compatible, 2002::/16 6to4) is judged as both.  A family that is neither is
 * always held.
 */
bool netmask_list_has(const struct netmask_list *list, const struct sockaddr *sa);

/* The same for an address in text; text that is no address is not held. */
bool netmask_list_has_text(const struct netmask_list *list, const char *address);

#endif
