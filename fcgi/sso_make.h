/*
 * A link that signs somebody in, made: a new token, of which the database keeps the hash, in an address of
 * ours.  For whoever asks, the local socket or the API; who may ask for what is theirs to judge, and what was
 * made theirs to note in the audit trail.
 */
#ifndef MCV_FCGI_SSO_MAKE_H
#define MCV_FCGI_SSO_MAKE_H

#include "fcgi/visit.h"
#include "lib/arena.h"
#include "lib/err.h"
#include "sql/store_sso.h"

/*
 * web->db must be connected.  *url_r is a secret and lives in secret.  Old links are removed meanwhile.  As
 * store_sso_issue().
 */
enum err sso_make(struct web *web, struct arena *secret, const struct sso_issuer *by,
    const struct sso_wish *wish, struct sso_issued *issued_r, const char **url_r,
    enum sso_refusal *why_r) MUST_CHECK;

#endif
