/*
 * Our pages in a frame of a control panel: whose panels may show them, the cookies that takes, and what the
 * pages leave out there.
 *
 * Nobody may frame anything unless panel_origins in the configuration or the account's own list says so.  An
 * account's list counts for pages shown to that account: once its session is known, or where a link names it.
 */
#ifndef MCV_FCGI_EMBED_H
#define MCV_FCGI_EMBED_H

#include "fcgi/visit.h"

/* Of a new visit: whether the page is to be shown without our header and footer, as "?embed=1" asks, or asked
 * before ("?embed=0" ends it); and the installation's panels as those that may frame it. */
void embed_begin(struct visit *v);

/* This visit's pages may be framed by the installation's panels and by origins, an account's panel_origins
 * as the database has them (NULL: none), and by no others.  What is no origin there is left out. */
void embed_for_account(struct visit *v, const char *origins);

/*
 * How a cookie's line ends that is to reach us from the frame, too: "SameSite=Lax", or, where somebody may
 * frame the page, TLS is used and the browser does not say that this is a window of its own,
 * "SameSite=None; Partitioned": a browser then keeps it for frames of that one panel (CHIPS).  "Secure" is
 * added by who writes the line.
 */
const char *embed_same_site(const struct visit *v);

/*
 * Whether a page of another site fetched this, without showing it: then nobody is signed in, since cookies
 * with SameSite=None come along.
 */
bool embed_is_foreign_fetch(const struct visit *v);

/* Before the answer is sent: tell the browser who may frame it, and let it remember "?embed=". */
void embed_finish(struct visit *v);

#endif
