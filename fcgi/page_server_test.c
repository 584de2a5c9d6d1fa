/*
 * Testing a server: a live sign-in with credentials that are typed for it and forgotten.  Three forms lead
 * here: the server's own, either side of a job's (button "test"), and a script's (server_id, user, password).
 */
#include <string.h>
#include <strings.h>

#include "fcgi/job_form.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/probe_view.h"
#include "fcgi/security_view.h"
#include "fcgi/server_form.h"
#include "fcgi/view.h"
#include "imap/probe.h"
#include "lib/conf.h"
#include "lib/joboptions.h"
#include "lib/log.h"
#include "lib/netmask.h"
#include "sql/store_server.h"
#include "sql/store_throttle.h"

#define OPTION(name) REQUEST_NESTED "." name

/* Which fields carry what, by the form it came from. */
struct origin {
	const char *server_id, *user, *password, *mechanism, *auth_user;
};
static const struct origin own = {"server_id", "user", "password", "authmech", "authuser"};
static const struct origin source = {
    "source_server_id", "source_user", "source_password", OPTION("authmech1"), OPTION("authuser1")};
static const struct origin destination = {
    "dest_server_id", "dest_user", "dest_password", OPTION("authmech2"), OPTION("authuser2")};

static bool allowed(void *ctx, const struct sockaddr *addr)
{
	const struct visit *v = ctx;

	return !netmask_list_has(v->web->deny, addr);
}

/* Threat T4: not a port scanner.  *blocked_r: there were too many, and the 429 is prepared. */
static enum err count_use(struct visit *v, bool *blocked_r)
{
	const struct throttle_rule rule = {
	    .window_s = 60, .failures_max = (unsigned)v->web->conf->probe_max_per_minute, .block_s = 60};
	const char *key = arena_printf(v->arena, "%llu", (unsigned long long)v->viewer.account_id);
	unsigned wait_s = 0;
	enum err e = store_throttle_check(v->web->db, THROTTLE_PROBE, key, &wait_s);

	*blocked_r = false;
	if (e == ERR_OK && wait_s == 0)
		e = store_throttle_count(v->web->db, THROTTLE_PROBE, key, &rule, NULL);
	if (e != ERR_OK || wait_s == 0)
		return e;
	*blocked_r = true;
	response_header(v->rs, "Retry-After", arena_printf(v->arena, "%u", wait_s));
	page_error(v, &(struct page_error){.status = 429,
			  .code = "test_limit",
			  .title = "Too many tests",
			  .detail = arena_printf(v->arena, "An account can run %s in a minute.",
			      view_plural_text(v->arena, rule.failures_max, "test")),
			  .action = arena_printf(v->arena, "Go back and try again in %s.",
			      view_duration_text(v->arena, wait_s))});
	return ERR_OK;
}

/* As the job will sign in: a token tried as a password, or a master user's on another, is a failed login. */
static void read_signin(
    struct visit *v, const struct origin *o, struct form *f, struct imap_probe_request *pr)
{
	const struct {
		enum joboption option;
		const char *name;
	} rows[] = {{OPTION_AUTHMECH1, o->mechanism}, {OPTION_AUTHUSER1, o->auth_user}};
	struct joboptions asked = {0};
	enum joboption where;
	const char *why;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct form_field *fd = form_get(f, rows[i].name);

		if (fd->state == FORM_VALUE &&
		    joboptions_set(&asked, rows[i].option, fd->text, v->arena, &why) != ERR_OK)
			form_refuse(f, rows[i].name, why);
	}
	if (joboptions_check(&asked, &where, &why) != ERR_OK)
		form_refuse(f, where == OPTION_AUTHUSER1 ? o->auth_user : o->mechanism, why);
	if (joboptions_has(&asked, OPTION_AUTHUSER1))
		pr->auth_user = asked.values[OPTION_AUTHUSER1].words[0];
	if (joboptions_has(&asked, OPTION_AUTHMECH1) &&
	    imap_mechanism_named(asked.values[OPTION_AUTHMECH1].words[0], &pr->mechanism) != ERR_OK)
		form_refuse(f, o->mechanism, "This way to sign in cannot be tested.");
	pr->token = joboptions_takes_token(&asked, 0);
}

/*
 * The credentials o names in the request, into pr.  ERR_INVALID: f says which is missing or malformed.
 */
static enum err read_credentials(
    struct visit *v, const struct origin *o, struct form *f, struct imap_probe_request *pr)
{
	const struct form_field *user = form_get(f, o->user), *password = form_get(f, o->password);

	if (user->state == FORM_ABSENT)
		form_refuse(f, o->user, "Fill this in for the test.");
	if (password->state == FORM_ABSENT)
		form_refuse(f, o->password, "Type the password for the test. It is not stored.");
	read_signin(v, o, f, pr);
	if (user->error != NULL || password->error != NULL || form_get(f, o->mechanism)->error != NULL ||
	    form_get(f, o->auth_user)->error != NULL) {
		f->has_errors = true;
		return ERR_INVALID;
	}
	pr->user = user->text;
	pr->password = password->text;
	pr->password_len = strlen(password->text);
	pr->ca_file = v->web->conf->ca_file;
	pr->timeout_ms = (int64_t)v->web->conf->probe_timeout_s * 1000;
	if (!viewer_is_admin(&v->viewer)) {
		pr->allow = allowed;
		pr->allow_ctx = v;
	}
	return ERR_OK;
}

/* *test_r is NULL when the 429 is prepared instead. */
static enum err run(struct visit *v, const struct imap_probe_request *pr, struct json_object **test_r)
{
	struct imap_probe_result r;
	bool blocked;
	enum err e = count_use(v, &blocked);

	*test_r = NULL;
	if (e != ERR_OK || blocked)
		return e;
	/* the result says all; the error only sums it up */
	if (imap_probe(pr, v->arena, &r) != ERR_OK)
		log_debug("test of %s: %s", pr->host, r.code);
	*test_r = probe_view(v->arena, pr, &r);
	return ERR_OK;
}

static enum err answer_json(struct visit *v, struct json_object *test)
{
	struct json_object *m = json_object_new_object();

	view_add(m, "test", test);
	return page_json(v, 200, m);
}

static void use_server(struct imap_probe_request *pr, const struct server *s)
{
	pr->host = s->host;
	pr->port = (uint16_t)s->port;
	pr->security = security_for_imap(s->security);
	pr->verify = s->verify;
}

/*
 * The server's own form or a script's: what was typed is tested; the stored server where nothing was typed,
 * or where a member may not change it (else a shared server's name would lend itself to any address).
 */
static enum err test_server(struct visit *v)
{
	const struct server *known = NULL;
	struct imap_probe_request pr = {0};
	struct server_fields typed;
	struct json_object *test;
	struct server s;
	struct form f;
	uint64_t id;
	enum err e;

	if (form_id(params_get(&v->rq->body, own.server_id), &id)) {
		e = store_server_get(v->web->db, v->arena, &v->viewer, id, &s);
		if (e != ERR_OK)
			return e;
		known = &s;
	}
	e = server_form_read_test(v, &f, known, &typed);
	/* a shared server is the administrator's */
	if (e == ERR_OK && (known == NULL || known->account_id != 0))
		e = server_form_check_port(v, &f, "port", typed.port);
	if (e == ERR_OK)
		e = read_credentials(v, &own, &f, &pr);
	if (e != ERR_OK)
		return server_form_refused(v, known, &f);
	pr.host = typed.host;
	pr.port = (uint16_t)typed.port;
	pr.security = security_for_imap(typed.security);
	pr.verify = typed.verify;
	e = run(v, &pr, &test);
	if (e != ERR_OK || test == NULL)
		return e;
	return v->rq->wants_json ? answer_json(v, test) : server_form_show(v, 200, known, &f, test);
}

/* One side of a new job, by a browser without our JavaScript: the job's form again, with the result in it. */
static enum err test_side(struct visit *v, const struct origin *o)
{
	struct imap_probe_request pr = {0};
	struct json_object *test;
	struct server s;
	struct form f;
	enum err e = job_form_read_side(v, &f, o == &source);

	if (e == ERR_OK)
		e = read_credentials(v, o, &f, &pr);
	if (e == ERR_OK) {
		e = store_server_get(
		    v->web->db, v->arena, &v->viewer, form_get(&f, o->server_id)->number, &s);
		if (e != ERR_OK && e != ERR_NOT_FOUND)
			return e;
		if (e == ERR_NOT_FOUND)
			form_refuse(&f, o->server_id, "This server is not there any more. Choose another.");
		else if (s.account_id != 0)
			e = server_form_check_port(v, &f, o->server_id, s.port);
	}
	if (e != ERR_OK)
		return job_form_refused(v, &f);
	use_server(&pr, &s);
	e = run(v, &pr, &test);
	if (e != ERR_OK || test == NULL)
		return e;
	if (v->rq->wants_json)
		return answer_json(v, test);
	f.error = "Nothing is queued yet. For safety the passwords are not sent back: type them again.";
	return job_form_show(v, 200, &f, o == &source ? test : NULL, o == &source ? NULL : test);
}

enum err page_server_test(struct visit *v)
{
	const char *button = params_get(&v->rq->body, "test");

	if (button != NULL && strcmp(button, "source") == 0)
		return test_side(v, &source);
	if (button != NULL && strcmp(button, "destination") == 0)
		return test_side(v, &destination);
	return test_server(v);
}
