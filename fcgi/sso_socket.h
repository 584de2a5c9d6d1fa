/*
 * The local socket: a Unix socket for everybody on this machine, where processes ask for a link that signs
 * their user in (what may be asked: sso_ask.h; who asks: sso_peer.h).
 *
 * One process, one poll loop.  A connection has SSO_DEADLINE_MS for its one line and one uid SSO_PER_UID of
 * the SSO_CONNECTIONS there are, so that who is slow or silent keeps nobody else waiting; what is over that
 * is told so and closed at once.  While the database works on one link the others wait: a few milliseconds.
 */
#ifndef MCV_FCGI_SSO_SOCKET_H
#define MCV_FCGI_SSO_SOCKET_H

#include <signal.h>

#include "fcgi/visit.h"
#include "lib/err.h"

enum { SSO_CONNECTIONS = 64, SSO_PER_UID = 4, SSO_DEADLINE_MS = 5000 };

/*
 * The socket to serve: descriptor 0 where that is a listening Unix socket (systemd, spawn-fcgi), else one
 * made at sso_socket, open to all, in the place of what is left there of an earlier one.  Ends the process
 * where there is none to be had.
 */
int sso_socket_open(const struct conf *conf);

/* Answer on fd until *stopping; SIGTERM, SIGINT and SIGUSR1 come through only between requests. */
void sso_socket_serve(struct web *web, int fd, const volatile sig_atomic_t *stopping);

#endif
