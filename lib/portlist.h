/*
 * Lists of TCP ports as they are configured: each item a port ("993") or a range ("1024-65535").
 */
#ifndef MCV_LIB_PORTLIST_H
#define MCV_LIB_PORTLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

/* Whether all are ports from 1 to 65535.  ERR_INVALID: *bad_r is the first that is none. */
enum err portlist_check(const char *const *items, size_t count, size_t *bad_r) MUST_CHECK;

/* Whether port is one of them; items that portlist_check() refuses have none. */
bool portlist_has(const char *const *items, size_t count, unsigned port);

#endif
