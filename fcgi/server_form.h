/*
 * The form of a server, which two pages share: page_servers.c saves it, page_server_test.c tries it.
 */
#ifndef MCV_FCGI_SERVER_FORM_H
#define MCV_FCGI_SERVER_FORM_H

#include <json-c/json.h>

#include "fcgi/form.h"
#include "fcgi/visit.h"
#include "lib/err.h"
#include "sql/store_server.h"

/* "server" of a view model; the caller owns it. */
struct json_object *server_view(const struct visit *v, const struct server *s);

/* Empty, with the usual values: SSL/TLS, port 993, verify on. */
void server_form_blank(const struct visit *v, struct form *f);
/* Filled from the row. */
void server_form_fill(const struct visit *v, struct form *f, const struct server *s);
/* Filled from the preset of that id; an unknown id or NULL changes nothing. */
void server_form_preset(struct form *f, struct arena *a, const char *id);

/* Read the request's body.  ERR_INVALID: f says why; fields_r is then not set. */
enum err server_form_read(const struct visit *v, struct form *f, struct server_fields *fields_r) MUST_CHECK;

/*
 * The same for a test: the name may be missing, and where known (may be NULL) is given and the request has no
 * host, or the viewer may not change it, its stored details are used.
 */
enum err server_form_read_test(const struct visit *v, struct form *f, const struct server *known,
    struct server_fields *fields_r) MUST_CHECK;

/*
 * Whether a server of the viewer's own may have that port (member_ports, threat T2); ERR_INVALID: the field
 * says why not.
 */
enum err server_form_check_port(
    const struct visit *v, struct form *f, const char *field, unsigned port) MUST_CHECK;

/* Answer with the form; s NULL: a new one.  test (may be NULL) is taken. */
enum err server_form_show(struct visit *v, unsigned status, const struct server *s, const struct form *f,
    struct json_object *test) MUST_CHECK;
/* The same for a form that was refused: 422, or a problem object. */
enum err server_form_refused(struct visit *v, const struct server *s, const struct form *f) MUST_CHECK;
/* The same where s, as it is now, is not what was to be changed: 412. */
enum err server_form_stale(struct visit *v, const struct server *s, struct form *f) MUST_CHECK;

#endif
