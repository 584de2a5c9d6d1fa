/*
 * What a client says within AUTHENTICATE, mechanism by mechanism: first message, answers to what the server
 * says, and whether that was all.  No I/O; messages are as they are before base64.
 */
#ifndef MCV_IMAP_SASL_H
#define MCV_IMAP_SASL_H

#include <stdbool.h>
#include <stddef.h>

#include "imap/cause.h"
#include "imap/scram.h"
#include "imap/session.h"
#include "lib/buf.h"
#include "lib/err.h"

/* Longest user, password and token; longer than any server takes. */
#define SASL_NAME_MAX 1024
#define SASL_TOKEN_MAX 8192

struct sasl {
	enum imap_mechanism mechanism; /* any but automatic and LOGIN */
	const struct imap_credentials *credentials;
	unsigned answers;
	struct scram scram;
	bool complete;   /* the server has said all that it must */
	struct buf told; /* what it said of why it refuses, RAW: of XOAUTH2 and OAUTHBEARER */
};

/* Whether the credentials can be sent at all; *why_r says why not. */
bool sasl_sendable(const struct imap_credentials *c, const char **why_r);

/* Begins, the first message into out, which is the caller's to wipe.  ERR_CRYPTO. */
enum err sasl_first(struct sasl *x, struct buf *out) MUST_CHECK;

/*
 * The answer to a challenge into out.  Any failure, told in f, means that the exchange is to be cancelled:
 * IMAP_PROTOCOL_ERROR, IMAP_LIMIT_EXCEEDED, IMAP_SERVER_UNPROVEN, IMAP_PASSWORD_REFUSED, IMAP_INTERNAL.
 */
enum err sasl_answer(
    struct sasl *x, const char *challenge, size_t len, struct buf *out, struct imap_failure *f) MUST_CHECK;

/* Wipes. */
void sasl_free(struct sasl *x);

#endif
