/*
 * The other end of the local socket that mailconvoy-web --sso answers (what is asked and said: sso_ask.h of
 * fcgi/).  Nothing of the environment matters here.
 */
#ifndef MCV_CTL_SSO_CLIENT_H
#define MCV_CTL_SSO_CLIENT_H

struct json_object;

/*
 * Ask at the socket path, and wait for the answer for up to 30 s.  asked stays the caller's, what comes back
 * is theirs to json_object_put().  NULL: nobody answers there, errno says why.
 */
struct json_object *sso_client_ask(const char *path, struct json_object *asked);

/* The string called name in what was said, or NULL; it lies in said. */
const char *sso_client_word(const struct json_object *said, const char *name);

#endif
