/*
 * The client's side of SCRAM-SHA-256 (RFC 5802, 7677), without channel binding: the password does not travel,
 * and the server proves that it knows it, too.
 *
 * Our own lines above OpenSSL's PBKDF2 and HMAC, and not libgsasl: that keeps copies of the password in
 * memory it frees unwiped, and computes as many rounds as any server asks for.
 *
 * Messages are as they are before base64.  Errors: ERR_PROTOCOL (a message that is none, or not an answer to
 * ours), ERR_TOO_BIG (rounds out of bounds), ERR_DENIED (the server says it refuses), ERR_CRYPTO (the server
 * does not know the password; or OpenSSL failed).
 */
#ifndef MCV_IMAP_SCRAM_H
#define MCV_IMAP_SCRAM_H

#include <stddef.h>

#include "lib/buf.h"
#include "lib/err.h"

/* Rounds of PBKDF2 taken from a server: RFC 7677's least, and about half a second of work. */
#define SCRAM_ROUNDS_MIN 4096
#define SCRAM_ROUNDS_MAX 1000000

#define SCRAM_BYTES 32 /* of SHA-256 */

struct scram {
	struct buf header; /* GS2: "n,," or "n,a=MAILBOX," */
	struct buf bare;   /* our first message without it */
	size_t nonce_at;   /* where in bare our nonce begins: it goes to its end */
	unsigned char expected[SCRAM_BYTES];
};

/*
 * The first message into out.  authzid: whose mailbox, or NULL for user's own.  nonce: printable ASCII
 * without comma; NULL for a random one.
 */
enum err scram_first(
    struct scram *s, const char *user, const char *authzid, const char *nonce, struct buf *out) MUST_CHECK;

/* The answer to the server's first message into out. */
enum err scram_answer(struct scram *s, const char *challenge, size_t len, const char *password,
    size_t password_len, struct buf *out) MUST_CHECK;

/* Whether the server's last message proves that it knows the password. */
enum err scram_check(const struct scram *s, const char *last, size_t len) MUST_CHECK;

/* A name within a message: "," as "=2C", "=" as "=3D". */
void scram_name(const char *name, struct buf *out);

/* Wipes; s may be all zero. */
void scram_free(struct scram *s);

#endif
