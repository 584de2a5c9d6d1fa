/*
 * What a handler is given: the process's own things (web) and one request's (visit).  Nothing in a visit
 * outlives the request.
 */
#ifndef MCV_FCGI_VISIT_H
#define MCV_FCGI_VISIT_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgi/request.h"
#include "fcgi/response.h"
#include "lib/arena.h"
#include "sql/viewer.h"

struct conf;
struct netmask_list;
struct db;
struct templates;
struct vault_public_key;

/* One process; kept between requests (web.h). */
struct web {
	const struct conf *conf;
	struct db *db;
	struct templates *templates;
	const struct vault_public_key *key;
	const struct netmask_list *deny;    /* deny_networks */
	const struct netmask_list *proxies; /* trusted_proxies */
	bool secure;                        /* base_url is https */
	void (*alive)(void); /* NULL, or what a handler calls that works long: it is not stuck */
};

struct visit {
	struct web *web;
	struct request *rq;
	struct response *rs;
	struct arena *arena; /* rq->arena */
	int64_t now_s;       /* for relative times; leases and sessions are judged by the database */
	uint64_t id;         /* :id of the route, 0 when it has none */

	const char *token; /* :token of the route, NULL when it has none; a secret */

	bool signed_in;
	struct viewer viewer; /* only when signed_in */
	const char *email;    /* only when signed_in */
	const char *support;  /* who is here, or signs in, in that user's place; NULL: the user */
	bool is_noted;        /* something of this visit is in the audit trail */
	uint64_t token_id;    /* the API token that was shown; 0: a session */
	unsigned scopes;      /* what it may do; only when token_id */
	const char *issuer;   /* whose external ids it speaks of; NULL: a session */
	bool is_installation; /* the token is not of one account; only when token_id */
	bool is_providers;    /* it is of the whole installation, also where it acts for one account */
	bool is_suspended;    /* a member of a suspended account: looks, stops, starts nothing */
	bool is_panel_call;   /* of the route */
	bool is_embedded;     /* shown without our header and footer (embed.h) */
	const char *framers;  /* origins that may frame the answer, blanks between; "": nobody (embed.h) */
	const char *version;  /* of what is answered, for its ETag (version.h); NULL: it has none */
	const char *csrf;     /* the token forms must carry, signed in or on the login page; or NULL */
};

/* The path, without the secret in it: for logs. */
const char *visit_path(const struct visit *v);

/*
 * Note in the audit trail what the visitor did.  What was done stays done when the note cannot be written;
 * that is logged.  object and detail may be NULL; nothing secret.
 */
void visit_audit(struct visit *v, const char *action, const char *object, const char *detail);

#endif
