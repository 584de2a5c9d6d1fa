/*
 * A set of (source server, user, destination server, user), the users' ASCII letters whatever their case: the
 * mailboxes that a file has had so far, or that are queued or running.  24 bytes a mailbox.
 */
#ifndef MCV_FCGI_IMPORT_SEEN_H
#define MCV_FCGI_IMPORT_SEEN_H

#include <stdint.h>

struct import_seen;

struct import_seen *import_seen_new(void) __attribute__((returns_nonnull));
void import_seen_free(struct import_seen **s);

struct import_mailboxes {
	uint64_t src_server_id, dst_server_id;
	const char *src_user, *dst_user;
};

/* What was noted when these mailboxes came first; 0: they are new, and noted with mark (> 0) now. */
uint64_t import_seen_add(struct import_seen *s, const struct import_mailboxes *m, uint64_t mark);

/* What was noted with these mailboxes; 0: nothing. */
uint64_t import_seen_find(struct import_seen *s, const struct import_mailboxes *m);

#endif
