/*
 * Scripts sign their requests below /api/v1 with a token: "Authorization: Bearer mcv_…" (RFC 6750 section
 * 2.1).  Elsewhere, and from browsers, the header means nothing.
 */
#ifndef MCV_FCGI_BEARER_H
#define MCV_FCGI_BEARER_H

#include <stdbool.h>

#include "fcgi/visit.h"
#include "lib/err.h"

/* Whether the request is to be judged by its token alone, and no cookie looked at: below /api/v1, and where
 * panels call. */
bool bearer_is_shown(const struct visit *v);

/*
 * Fill signed_in, viewer, email, token_id, scopes, issuer and is_installation of v.  ERR_DENIED: the token is
 * not good, or not from here; ERR_NOT_FOUND: it names an account (header Mailconvoy-Account) that it may not
 * act for, or that there is not; ERR_BUSY with *wait_s_r > 0: too many requests with it.  Errors of
 * sql/db.h.
 */
enum err bearer_load(struct visit *v, unsigned *wait_s_r) MUST_CHECK;

/*
 * "Idempotency-Key" of a POST below /api/v1 becomes the form's request_key, unless it has one: what makes
 * jobs makes them once for a key, and answers the second time with what it made.  ERR_INVALID: a key longer
 * than IDEMPOTENCY_KEY_MAX_BYTES, or none at all.
 */
enum { IDEMPOTENCY_KEY_MAX_BYTES = 255 };
enum err bearer_take_key(struct visit *v) MUST_CHECK;

#endif
