/*
 * TLS on a connected socket: handshake, verification, and what to tell a person when it fails.  For stream.c.
 */
#ifndef MCV_IMAP_TLS_H
#define MCV_IMAP_TLS_H

#include "imap/stream.h"

struct ssl_st;

/*
 * Shake hands as a client on the non-blocking fd: TLS 1.2 or later, SNI, and unless verify is false the chain
 * and the host name (or IP address).  *ssl_r is the caller's to SSL_free(); it does not own fd.  peer gets
 * what is known, of a refused certificate too.  starttls only chooses the word for plain text where TLS
 * should be.
 */
enum err imap_tls_start(int fd, const char *host, bool verify, const char *ca_file, bool starttls,
    mono_time deadline, struct ssl_st **ssl_r, struct imap_peer *peer, struct imap_failure *f) MUST_CHECK;

/* f for a failed SSL_read() or SSL_write() that will never succeed. */
enum err imap_tls_failure(struct ssl_st *ssl, int result, struct imap_failure *f);

#endif
