/*
 * The link itself, for who was found to ask through the local socket.
 */
#ifndef MCV_FCGI_SSO_LOCAL_H
#define MCV_FCGI_SSO_LOCAL_H

#include "fcgi/sso_ask.h"
#include "fcgi/sso_peer.h"
#include "fcgi/visit.h"
#include "lib/arena.h"
#include "lib/err.h"

/*
 * A link for what was asked, judged before (sso_ask_judge()), as a member: account and user are made on first
 * use.  An account of the peer's own name is bound to its uid (store_sso.h).  *url_r lives in a.  Noted in
 * the audit trail with the uid.  ERR_OK; ERR_INVALID and ERR_DENIED: *why_r says why; and those of web_db()
 * and the stores.
 */
enum err sso_local_link(struct web *web, struct arena *a, const struct sso_peer *peer,
    const struct sso_ask *ask, const char **url_r, const char **why_r) MUST_CHECK;

/* Whether links can be made now.  As web_db(); *why_r says what is wrong. */
enum err sso_local_check(struct web *web, const char **why_r) MUST_CHECK;

#endif
