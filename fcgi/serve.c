#include "fcgi/serve.h"

#include <stdlib.h>
#include <string.h>

#include "fcgi/auth.h"
#include "fcgi/bearer.h"
#include "fcgi/embed.h"
#include "fcgi/page.h"
#include "fcgi/route.h"
#include "fcgi/site.h"
#include "fcgi/url.h"
#include "lib/clock.h"
#include "lib/log.h"

enum { NEXT_MAX_BYTES = 800 };

static void tell_allowed(struct visit *v, unsigned mask)
{
	AUTO_BUF struct buf b = BUF_INIT;

	if (mask & METHOD_GET)
		buf_adds(&b, "GET, HEAD");
	if (mask & METHOD_POST)
		buf_addf(&b, "%sPOST", b.len ? ", " : "");
	if (mask & METHOD_DELETE)
		buf_addf(&b, "%sDELETE", b.len ? ", " : "");
	response_header(v->rs, "Allow", b.data);
	page_error(v, &(struct page_error){.status = 405});
}

/* A page leads to the sign-in and back; anything else is told that it needs a session. */
static void ask_to_sign_in(struct visit *v)
{
	if (v->rq->method == METHOD_GET && !v->rq->wants_json) {
		/* a longer one could outgrow what the server in front takes as a header */
		const char *next = strlen(v->rq->uri) <= NEXT_MAX_BYTES ? v->rq->uri : NULL;
		const char *url = url_with(v->arena, URL_LOGIN, "next", next);
		bool had_session = auth_has_cookie(v);

		(void)page_redirect(v, url, had_session ? "session_over" : NULL);
		return;
	}
	page_error(v, &(struct page_error){.status = 401});
}

/* Who is this?  Browsers by their cookie, scripts by their token.  ERR_DENIED: the answer is prepared. */
static enum err identify(struct visit *v)
{
	unsigned wait_s;
	enum err e;

	if (!bearer_is_shown(v))
		return auth_load(v);
	e = bearer_load(v, &wait_s);
	if (e == ERR_BUSY && wait_s > 0) {
		response_header(v->rs, "Retry-After", arena_printf(v->arena, "%u", wait_s));
		page_error(v, &(struct page_error){.status = 429,
				  .code = "too_many",
				  .title = "Too many requests",
				  .detail = "This token made too many requests in a minute."});
		return ERR_DENIED;
	}
	if (e == ERR_NOT_FOUND) {
		page_error(v, &(struct page_error){.status = 403,
				  .code = "account",
				  .title = "The token may not act for this account",
				  .detail = "There is no account of this name, or it is not the token's."});
		return ERR_DENIED;
	}
	if (e == ERR_DENIED) {
		response_header(v->rs, "WWW-Authenticate", "Bearer");
		page_error(v, &(struct page_error){.status = 401,
				  .code = "token",
				  .title = "The token is not accepted",
				  .detail = "It is unknown, revoked or expired, or may not be used from "
					    "this address."});
	}
	return e;
}

static bool has_scope(struct visit *v, const struct route *r)
{
	if (v->token_id == 0 || r->need == ROUTE_ANYONE || (r->scopes & v->scopes) != 0)
		return true;
	page_error(
	    v, &(struct page_error){.status = 403,
		   .code = "scope",
		   .title = "The token may not do this",
		   .detail = r->scopes & ROUTE_NO_TOKEN ? "No token may: sign in."
							: arena_printf(v->arena, "It needs the scope %s.",
							      scope_list(v->arena, r->scopes))});
	return false;
}

/* ERR_OK when the handler may run; else the answer is prepared. */
static enum err admit(struct visit *v, const struct route *r)
{
	if (r->need != ROUTE_ANYONE && !v->signed_in) {
		ask_to_sign_in(v);
		return ERR_DENIED;
	}
	if (!has_scope(v, r))
		return ERR_DENIED;
	if (r->need == ROUTE_ADMIN && !viewer_is_admin(&v->viewer)) {
		page_error(v, &(struct page_error){.status = 403});
		return ERR_DENIED;
	}
	if (r->need == ROUTE_TOKEN && v->token_id == 0) {
		page_error(v, &(struct page_error){.status = 403,
				  .code = "scope",
				  .title = "This is for API tokens",
				  .detail = arena_printf(v->arena, "It needs a token with the scope %s.",
				      scope_list(v->arena, r->scopes))});
		return ERR_DENIED;
	}
	if (r->effect == ROUTE_STARTS && v->is_suspended) {
		page_error(v, &(struct page_error){.status = 403,
				  .code = "suspended",
				  .title = "Your account is suspended",
				  .detail = "You can look at everything and cancel jobs, but start and "
					    "change nothing. Nothing was changed.",
				  .action = "Ask the administrator."});
		return ERR_DENIED;
	}
	/* a token is sent by whoever knows it, never by a browser on its own */
	if (r->csrf != ROUTE_CSRF_NONE && v->token_id == 0 && !auth_csrf_ok(v, r->csrf)) {
		page_error(
		    v, &(struct page_error){.status = 403,
			   .code = "csrf",
			   .title = "This form is too old, or came from elsewhere",
			   .detail =
			       "The proof that the form came from this site is missing or wrong. Nothing was "
			       "changed.",
			   .action = "Load the page again and repeat what you did."});
		return ERR_DENIED;
	}
	/* ignored, it would promise what is not kept */
	if (r->method != METHOD_GET && !r->is_versioned && request_env(v->rq, "HTTP_IF_MATCH") != NULL) {
		page_error(v, &(struct page_error){.status = 400,
				  .code = "if_match",
				  .title = "If-Match is not taken here",
				  .detail = "This has no version to compare. Nothing was changed."});
		return ERR_DENIED;
	}
	return ERR_OK;
}

/*
 * The user's own jobs have their own history, by user; somebody in their place is named for every change.
 * Where it led tells what was made.
 */
static void note_support(struct visit *v)
{
	static const char location[] = "Location: ";
	const char *at = v->rs->headers.len > 0 ? strstr(v->rs->headers.data, location) : NULL;

	if (!v->signed_in || v->support == NULL || v->is_noted || v->rq->method == METHOD_GET ||
	    v->rs->status >= 400)
		return;
	if (at != NULL) {
		at += strlen(location);
		at = arena_strndup(v->arena, at, strcspn(at, "\r\n"));
	}
	visit_audit(v, "support_change", visit_path(v), at);
}

static void answer(struct visit *v)
{
	const struct route *r;
	unsigned allowed;
	enum err e;

	if (v->rq->bad_status != 0) {
		page_error(v, &(struct page_error){.status = v->rq->bad_status, .detail = v->rq->bad_reason});
		return;
	}
	e = route_find(site_routes, v->rq->method, v->rq->path, &r, &v->id, &allowed);
	if (e == ERR_INVALID) {
		tell_allowed(v, allowed);
		return;
	}
	if (e == ERR_OK) {
		v->token = route_token(r, v->rq->path);
		v->is_panel_call = r->is_panel_call;
		v->rq->wants_json = v->rq->wants_json || r->is_panel_call;
	}
	if (e == ERR_OK)
		e = identify(v);
	if (e == ERR_DENIED)
		return;
	if (e == ERR_OK) {
		if (admit(v, r) != ERR_OK)
			return;
		e = bearer_take_key(v);
		if (e == ERR_OK)
			e = r->handler(v);
		if (e == ERR_OK)
			note_support(v);
	}
	if (e != ERR_OK) {
		response_reset(v->rs);
		page_error_from(v, e);
	}
}

enum err serve(struct web *web, const struct request_source *src, struct response_sink *sink)
{
	struct response rs = RESPONSE_INIT;
	struct visit v = {.web = web, .rs = &rs};
	mono_time begun = mono_now();
	enum err e;

	/* what is wrong with it is in bad_status, which answer() turns into a page */
	if (request_parse(src, web->proxies, &v.rq) != ERR_OK)
		log_debug("a malformed request");
	log_context(v.rq->shown_id == v.rq->id
			? arena_printf(v.rq->arena, "request %s", v.rq->id)
			: arena_printf(v.rq->arena, "request %s (%s)", v.rq->id, v.rq->shown_id));
	v.arena = v.rq->arena;
	v.now_s = unix_now_s();
	embed_begin(&v);
	answer(&v);
	embed_finish(&v);
	log_debug("%s %s: %u in %d ms",
	    v.rq->is_head                ? "HEAD"
	    : v.rq->method == METHOD_GET ? "GET"
					 : "POST/DELETE",
	    visit_path(&v), rs.status, (int)mono_diff_ms(begun, mono_now()));
	e = response_send(&rs, v.rq->shown_id, v.rq->is_head, web->secure, sink);
	response_free(&rs);
	request_free(&v.rq);
	return e;
}
