/*
 * What one web process keeps between requests, and how it comes to be.
 */
#ifndef MCV_FCGI_WEB_H
#define MCV_FCGI_WEB_H

#include "fcgi/visit.h"
#include "lib/err.h"

/*
 * Everything one process needs, from the configuration in file (NULL = the default place).  Ends the process
 * when something is missing.  The database is connected to at the first request that needs it.
 */
struct web *web_open(const char *file) __attribute__((returns_nonnull));
void web_close(struct web **web);

/* Make sure that web->db is connected: opens it, or reconnects when the server has gone meanwhile.  As
 * db_open(). */
enum err web_db(struct web *web) MUST_CHECK;

#endif
