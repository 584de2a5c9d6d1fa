/*
 * A set of (source host, user, destination host, user), ASCII letters whatever their case: the mailboxes that
 * a file has had so far, or that are queued or running.  Two servers of one host have the same mailboxes.  24
 * bytes each.
 */
#ifndef MCV_FCGI_IMPORT_SEEN_H
#define MCV_FCGI_IMPORT_SEEN_H

#include <stdint.h>

struct import_seen;

struct import_seen *import_seen_new(void) __attribute__((returns_nonnull));
void import_seen_free(struct import_seen **s);

struct import_mailboxes {
	const char *src_host, *src_user, *dst_host, *dst_user;
};

/* What was noted when these mailboxes came first; 0: they are new, and noted with mark (> 0) now. */
uint64_t import_seen_add(struct import_seen *s, const struct import_mailboxes *m, uint64_t mark);

/* What was noted with these mailboxes; 0: nothing. */
uint64_t import_seen_find(struct import_seen *s, const struct import_mailboxes *m);

#endif
