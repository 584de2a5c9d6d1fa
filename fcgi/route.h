/*
 * The route table's rows and how a path finds its row.  Pure: who may pass is decided in serve.c from the
 * row's columns, never in a handler.
 */
#ifndef MCV_FCGI_ROUTE_H
#define MCV_FCGI_ROUTE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "fcgi/request.h"
#include "lib/err.h"
#include "lib/scope.h"

struct visit;
struct form_table;

enum { ROUTE_TOKEN_MAX = 200 };

enum route_need {
	ROUTE_ANYONE = 1, /* also without a session */
	ROUTE_MEMBER,     /* any signed-in user */
	ROUTE_ADMIN,      /* role admin */
	ROUTE_TOKEN       /* whoever shows an API token; nobody else, signed in or not */
};

enum route_csrf {
	ROUTE_CSRF_NONE = 1, /* changes nothing */
	ROUTE_CSRF_TOKEN,    /* the session's token, and an Origin that is ours */
	ROUTE_CSRF_LOGIN     /* the sign-in form's own token: there is no session yet */
};

/* What a suspended account may still do: look, stop and leave. */
enum route_effect {
	ROUTE_HARMLESS = 1, /* reads, cancels or signs out */
	ROUTE_STARTS        /* makes or changes something: refused while the account is suspended */
};

/* Beside the scopes: no token at all, for what belongs to browsers and people. */
enum { ROUTE_NO_TOKEN = 1 << 16 };

struct route {
	enum method method;
	/*
	 * "/a/:id/b": ":id" takes a decimal number without leading zeros, 1 to 2^63-1; "/a/:token", at the
	 * end only, 1 to ROUTE_TOKEN_MAX of the letters, digits, '-' and '_'.
	 */
	const char *pattern;
	enum route_need need;
	enum route_csrf csrf;
	enum route_effect effect;
	bool is_versioned; /* takes If-Match (version.h); elsewhere a change that comes with it is refused */
	unsigned scopes;   /* an API token needs one of these; or ROUTE_NO_TOKEN */
	/* For the description of the interface alone: what the body holds; NULL: nothing, or what no table
	 * says. */
	const struct form_table *fields;
	const struct form_table *rows; /* what each object of its list (REQUEST_ROWS) holds; NULL: no list */
	const char *query;             /* words the address may carry, blanks between; NULL: none */
	bool is_panel_call; /* asked by a script of cPanel, and answered so, errors too (panel_view.h) */
	/*
	 * Fills the visit's response and returns ERR_OK, or returns an error that serve.c turns into its
	 * page: NOT_FOUND 404, INVALID 400, CONFLICT 409, DENIED 403, TOO_BIG 413, BUSY and UNAVAILABLE and
	 * UNCERTAIN 503, others 500.
	 */
	enum err (*handler)(struct visit *v);
};

/*
 * The row for method and path in table (ended by a row whose pattern is NULL), and the :id in it (0 when the
 * pattern has none).  A pattern that is the path itself goes before all others, for every method: "/a/b" is
 * never the token "b" of "/a/:token".  ERR_NOT_FOUND: no pattern fits.  ERR_INVALID: one fits, but not the
 * method; *allowed_r is then the mask of the methods that would (it is set on ERR_OK, too).
 */
enum err route_find(const struct route *table, enum method method, const char *path,
    const struct route **route_r, uint64_t *id_r, unsigned *allowed_r) MUST_CHECK;

/* The :token in path, which fitted r; NULL: r has none.  It lies in path. */
const char *route_token(const struct route *r, const char *path);

/* Ends the process when a row lacks a column or a method that changes things lacks its CSRF rule: at
 * start-up. */
void route_verify(const struct route *table);

/* One row a line, columns parted by tabs: method, pattern, need, csrf, effect, scopes (with
 * blanks between; "-": no token). */
void route_print(const struct route *table, FILE *out);

#endif
