/*
 * The addresses of this site, each built in one place: nobody prints "/migration/…" by hand.  Results live in
 * a.
 */
#ifndef MCV_FCGI_URL_H
#define MCV_FCGI_URL_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"

#define URL_LOGIN "/login"
#define URL_LOGIN_CODE "/login/code"
#define URL_LOGOUT "/logout"
#define URL_JOBS "/migration/jobs"
#define URL_JOBS_NEW "/migration/jobs/new"
#define URL_JOBS_BULK "/migration/jobs/bulk"
#define URL_BULK "/migration/bulk"
#define URL_IMPORT "/migration/import"
#define URL_BATCHES "/migration/batches"
#define URL_SERVERS "/migration/servers"
#define URL_SERVERS_NEW "/migration/servers/new"
#define URL_SERVERS_TEST "/migration/servers/test"
#define URL_ACCOUNTS "/migration/accounts"
#define URL_USERS "/migration/users"
#define URL_WORKERS "/migration/workers"
#define URL_AUDIT "/migration/audit"
#define URL_SETTINGS "/migration/settings"
#define URL_SECOND_FACTOR "/migration/second-factor"
#define URL_TOKENS "/migration/tokens"
#define URL_WELCOME "/welcome" /* USER_LINK_PATH of sql/store_user_admin.h */
#define URL_LOG "/log"         /* LOG_LINK_PATH of sql/store_log_link.h */
#define URL_LOG_LINKS "/migration/log-links"
#define URL_SSO "/sso"
#define URL_SSO_CPANEL URL_SSO "/cpanel" /* no token: the route table knows it before "/sso/:token" */
#define URL_SSO_LINKS "/migration/sso-links"
#define URL_STATIC "/static"

/* /migration/jobs/ID, or with "/" and what follows when action is not NULL. */
const char *url_job(struct arena *a, uint64_t id, const char *action);
const char *url_server(struct arena *a, uint64_t id, const char *action);
const char *url_batch(struct arena *a, uint64_t id, const char *action);
const char *url_bulk(struct arena *a, uint64_t id);
const char *url_account(struct arena *a, uint64_t id, const char *action);
const char *url_user(struct arena *a, uint64_t id, const char *action);
const char *url_log_link(struct arena *a, uint64_t id, const char *action);
const char *url_token(struct arena *a, uint64_t id, const char *action);
const char *url_import(struct arena *a, uint64_t id, const char *action);

/* s with every byte but RFC 3986's unreserved ones as %XX. */
const char *url_encode(struct arena *a, const char *s);

/*
 * base with ?name=value or &name=value added, both encoded; base itself when value is NULL.  So a query is
 * built by calling again and again.
 */
const char *url_with(struct arena *a, const char *base, const char *name, const char *value);
const char *url_with_number(struct arena *a, const char *base, const char *name, uint64_t value);

#endif
