/*
 * From a host name to a connected TCP socket, before a deadline.  For stream.c only.
 */
#ifndef MCV_IMAP_DIAL_H
#define MCV_IMAP_DIAL_H

#include <stddef.h>

#include "imap/stream.h"

/*
 * A connected, non-blocking, close-on-exec socket in *fd_r; address_r[size] gets its numeric address (also
 * that of the last one tried on failure).  The name look-up runs in a thread of the C library
 * (getaddrinfo_a), which is left behind when the deadline passes first: getaddrinfo itself cannot be
 * interrupted.
 */
enum err imap_dial(const struct imap_endpoint *ep, mono_time deadline, int *fd_r, char *address_r,
    size_t size, struct imap_failure *f) MUST_CHECK;

/* Wait until fd is ready for events (poll's).  ERR_OK (also on POLLERR, POLLHUP), ERR_TIMEOUT, ERR_IO. */
enum err imap_wait(int fd, short events, mono_time deadline) MUST_CHECK;

/* f for the errno of a failed connect, read or write. */
enum err imap_fail_errno(struct imap_failure *f, int error, const char *what);

#endif
