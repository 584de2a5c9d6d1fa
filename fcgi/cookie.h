/*
 * Our cookies: how they are named and written, and which of those that a browser shows look like ours.
 */
#ifndef MCV_FCGI_COOKIE_H
#define MCV_FCGI_COOKIE_H

#include "fcgi/visit.h"

#define COOKIE_SESSION "mailconvoy"
#define COOKIE_LOGIN "mailconvoy-login"   /* proves that the sign-in form was ours */
#define COOKIE_DEVICE "mailconvoy-device" /* a browser that once signed in */
#define COOKIE_TICKET "mailconvoy-code"   /* a sign-in that owes its code */

/* A browser may show two of a name: one that it keeps for frames of a panel on our own site, and one of a
 * window. */
enum { COOKIE_SESSIONS_MAX = 2 };

/* The name as it goes over the wire: over TLS with a prefix that keeps sub-domains from planting it. */
const char *cookie_name(const struct visit *v, const char *name);

/* Give the browser a cookie.  max_age_s 0: until it closes; negative: take it away. */
void cookie_set(struct visit *v, const char *name, const char *value, int max_age_s);

/* The n-th cookie of that name (from 0) that looks like one of our tokens, or NULL. */
const char *cookie_token(const struct visit *v, const char *name, unsigned n);

/* A public value that only who knows secret can make: SHA-256 of "purpose|secret" in hex. */
const char *cookie_derive(struct visit *v, const char *purpose, const char *secret);

#endif
