#include "fcgi/site.h"

#include <stddef.h>

#include "fcgi/pages.h"
#include "fcgi/url.h"

/* A page is read with jobs:read and changed with jobs:write, an administrator's with accounts:write, unless
 * its row says otherwise. */
#define READ_SCOPE(who) ((who) == ROUTE_ADMIN ? SCOPE_ACCOUNTS_WRITE : SCOPE_JOBS_READ)
#define WRITE_SCOPE(who) ((who) == ROUTE_ADMIN ? SCOPE_ACCOUNTS_WRITE : SCOPE_JOBS_WRITE)
#define GET_WITH(mask, path, who, fn, ...) \
	{ \
		.method = METHOD_GET, .pattern = (path), .need = (who), .csrf = ROUTE_CSRF_NONE, \
		.effect = ROUTE_HARMLESS, .scopes = (mask), .handler = (fn), ##__VA_ARGS__ \
	}
#define CHANGE(how, what, mask, path, who, fn, ...) \
	{ \
		.method = (how), .pattern = (path), .need = (who), .csrf = ROUTE_CSRF_TOKEN, \
		.effect = (what), .scopes = (mask), .handler = (fn), ##__VA_ARGS__ \
	}
#define GET(path, who, fn, ...) GET_WITH(READ_SCOPE(who), path, who, fn, ##__VA_ARGS__)
#define POST(path, who, fn, ...) \
	CHANGE(METHOD_POST, ROUTE_STARTS, WRITE_SCOPE(who), path, who, fn, ##__VA_ARGS__)
#define POST_WITH(mask, path, who, fn, ...) \
	CHANGE(METHOD_POST, ROUTE_STARTS, mask, path, who, fn, ##__VA_ARGS__)
#define POST_HARMLESS(path, who, fn, ...) \
	CHANGE(METHOD_POST, ROUTE_HARMLESS, WRITE_SCOPE(who), path, who, fn, ##__VA_ARGS__)

/* The same with what they take, for the description. */
#define ASKS(words) .query = (words)
#define TAKES(table) .fields = &(table)
#define VERSIONED .is_versioned = true

/* Below /api/v1 the same rows stand again: the prefix is taken off by request.c. */
const struct route site_routes[] = {
    GET_WITH(ROUTE_NO_TOKEN, "/", ROUTE_ANYONE, page_root),
    GET_WITH(ROUTE_NO_TOKEN, URL_LOGIN, ROUTE_ANYONE, page_login_form),
    {.method = METHOD_POST,
	.pattern = URL_LOGIN,
	.need = ROUTE_ANYONE,
	.csrf = ROUTE_CSRF_LOGIN,
	.effect = ROUTE_HARMLESS,
	.scopes = ROUTE_NO_TOKEN,
	.handler = page_login_submit},
    GET_WITH(ROUTE_NO_TOKEN, URL_LOGIN_CODE, ROUTE_ANYONE, page_code_form),
    {.method = METHOD_POST,
	.pattern = URL_LOGIN_CODE,
	.need = ROUTE_ANYONE,
	.csrf = ROUTE_CSRF_LOGIN,
	.effect = ROUTE_HARMLESS,
	.scopes = ROUTE_NO_TOKEN,
	.handler = page_code_submit},
    CHANGE(METHOD_POST, ROUTE_HARMLESS, ROUTE_NO_TOKEN, URL_LOGOUT, ROUTE_MEMBER, page_logout_submit),
    GET_WITH(SCOPE_ALL, "/session", ROUTE_MEMBER, page_session_show),

    GET_WITH(SCOPE_JOBS_READ | SCOPE_SERVERS_WRITE, URL_SERVERS, ROUTE_MEMBER, page_servers_list),
    POST_WITH(SCOPE_SERVERS_WRITE, URL_SERVERS, ROUTE_MEMBER, page_server_create, TAKES(fields_server)),
    GET_WITH(SCOPE_JOBS_READ | SCOPE_SERVERS_WRITE, URL_SERVERS_NEW, ROUTE_MEMBER, page_server_new),
    POST_WITH(
	SCOPE_SERVERS_WRITE, URL_SERVERS_TEST, ROUTE_MEMBER, page_server_test, TAKES(fields_server_test)),
    GET_WITH(
	SCOPE_JOBS_READ | SCOPE_SERVERS_WRITE, URL_SERVERS "/:id", ROUTE_MEMBER, page_server_show, VERSIONED),
    POST_WITH(SCOPE_SERVERS_WRITE, URL_SERVERS "/:id", ROUTE_MEMBER, page_server_update,
	TAKES(fields_server_edit), VERSIONED),
    GET_WITH(SCOPE_SERVERS_WRITE, URL_SERVERS "/:id/delete", ROUTE_MEMBER, page_server_delete_ask),
    POST_WITH(
	SCOPE_SERVERS_WRITE, URL_SERVERS "/:id/delete", ROUTE_MEMBER, page_server_delete_submit, VERSIONED),

    GET(URL_JOBS, ROUTE_MEMBER, page_jobs_list,
	ASKS("state q batch kind reason latest sort dir after before ids")),
    POST(URL_JOBS, ROUTE_MEMBER, page_job_create, TAKES(fields_job_new)),
    GET(URL_JOBS_NEW, ROUTE_MEMBER, page_job_new),
    GET(URL_BATCHES, ROUTE_MEMBER, page_batches_list, ASKS("tag before")),
    POST(URL_BATCHES, ROUTE_MEMBER, page_batch_create, TAKES(fields_batch_new), .rows = &fields_job_row),
    GET(URL_BATCHES "/:id", ROUTE_MEMBER, page_batch_show),
    GET(URL_BATCHES "/:id/report", ROUTE_MEMBER, page_batch_report),
    GET(URL_BATCHES "/:id/report.csv", ROUTE_MEMBER, page_batch_csv),

    POST(URL_JOBS_BULK, ROUTE_MEMBER, page_bulk_ask),
    GET(URL_BULK "/:id", ROUTE_MEMBER, page_bulk_show, ASKS("outcome after")),
    POST(URL_BULK "/:id", ROUTE_MEMBER, page_bulk_run),
    GET(URL_JOBS "/:id", ROUTE_MEMBER, page_job_show, VERSIONED),
    CHANGE(METHOD_DELETE, ROUTE_STARTS, SCOPE_JOBS_WRITE, URL_JOBS "/:id", ROUTE_MEMBER, page_job_delete_hard,
	ASKS("hard"), VERSIONED),
    GET(URL_JOBS "/:id/edit", ROUTE_MEMBER, page_job_edit_form),
    POST(URL_JOBS "/:id/edit", ROUTE_MEMBER, page_job_edit_submit, TAKES(fields_job_edit), VERSIONED),
    GET(URL_JOBS "/:id/cancel", ROUTE_MEMBER, page_job_cancel_ask),
    POST_HARMLESS(URL_JOBS "/:id/cancel", ROUTE_MEMBER, page_job_cancel_submit),
    GET(URL_JOBS "/:id/rerun", ROUTE_MEMBER, page_job_rerun_form),
    POST(URL_JOBS "/:id/rerun", ROUTE_MEMBER, page_job_rerun_submit, TAKES(fields_job_rerun)),
    GET(URL_JOBS "/:id/confirm-deletion", ROUTE_MEMBER, page_delete2_form),
    POST(URL_JOBS "/:id/confirm-deletion", ROUTE_MEMBER, page_delete2_submit, TAKES(fields_delete2)),
    GET(URL_JOBS "/:id/remove-passwords", ROUTE_MEMBER, page_job_passwords_ask),
    POST_HARMLESS(URL_JOBS "/:id/remove-passwords", ROUTE_MEMBER, page_job_passwords_remove),
    GET(URL_JOBS "/:id/delete", ROUTE_MEMBER, page_job_delete_ask),
    POST(URL_JOBS "/:id/delete", ROUTE_MEMBER, page_job_delete_submit, VERSIONED),
    GET(URL_JOBS "/:id/tail", ROUTE_MEMBER, page_job_tail, ASKS("offset limit")),
    GET(URL_JOBS "/:id/log", ROUTE_MEMBER, page_job_log),

    GET(URL_IMPORT, ROUTE_MEMBER, page_import_form, ASKS("options_of")),
    POST(URL_IMPORT, ROUTE_MEMBER, page_import_upload),
    GET(URL_IMPORT "/template.csv", ROUTE_MEMBER, page_import_template),
    GET(URL_IMPORT "/:id", ROUTE_MEMBER, page_import_show, ASKS("after")),
    GET(URL_IMPORT "/:id/bad.csv", ROUTE_MEMBER, page_import_bad),
    POST(URL_IMPORT "/:id/confirm", ROUTE_MEMBER, page_import_confirm, TAKES(fields_import_confirm)),
    POST_HARMLESS(URL_IMPORT "/:id/discard", ROUTE_MEMBER, page_import_discard),

    GET(URL_ACCOUNTS, ROUTE_ADMIN, page_accounts_list, ASKS("external_id issuer")),
    POST(URL_ACCOUNTS, ROUTE_ADMIN, page_account_create, TAKES(fields_account)),
    GET(URL_ACCOUNTS "/new", ROUTE_ADMIN, page_account_new),
    GET(URL_ACCOUNTS "/:id", ROUTE_ADMIN, page_account_show, VERSIONED),
    POST(URL_ACCOUNTS "/:id", ROUTE_ADMIN, page_account_update, TAKES(fields_account), VERSIONED),
    GET(URL_ACCOUNTS "/:id/suspend", ROUTE_ADMIN, page_account_suspend_ask),
    POST(URL_ACCOUNTS "/:id/suspend", ROUTE_ADMIN, page_account_suspend),
    POST(URL_ACCOUNTS "/:id/resume", ROUTE_ADMIN, page_account_resume),
    GET(URL_ACCOUNTS "/:id/close", ROUTE_ADMIN, page_account_close_ask),
    POST(URL_ACCOUNTS "/:id/close", ROUTE_ADMIN, page_account_close),
    GET(URL_USERS, ROUTE_ADMIN, page_users_list),
    POST(URL_USERS, ROUTE_ADMIN, page_user_create, TAKES(fields_user_new)),
    GET(URL_USERS "/new", ROUTE_ADMIN, page_user_new),
    GET(URL_USERS "/:id", ROUTE_ADMIN, page_user_show),
    /* a token makes no administrator, and takes nobody's second factor */
    POST_WITH(ROUTE_NO_TOKEN, URL_USERS "/:id/role", ROUTE_ADMIN, page_user_role, TAKES(fields_user_role)),
    POST(URL_USERS "/:id/disable", ROUTE_ADMIN, page_user_disable),
    POST(URL_USERS "/:id/enable", ROUTE_ADMIN, page_user_enable),
    POST(URL_USERS "/:id/sign-out", ROUTE_ADMIN, page_user_sign_out),
    POST(URL_USERS "/:id/link", ROUTE_ADMIN, page_user_link, TAKES(fields_user_link)),
    POST_WITH(ROUTE_NO_TOKEN, URL_USERS "/:id/second-factor-off", ROUTE_ADMIN, page_user_factor_off),
    POST_WITH(ROUTE_NO_TOKEN, URL_USERS "/:id/external-ids", ROUTE_ADMIN, page_user_external_ids),
    GET(URL_WORKERS, ROUTE_ADMIN, page_workers_list),
    GET(URL_AUDIT, ROUTE_ADMIN, page_audit_list,
	ASKS("action object email user account address from to before")),
    GET(URL_AUDIT ".csv", ROUTE_ADMIN, page_audit_csv,
	ASKS("action object email user account address from to")),

    GET(URL_JOBS "/:id/log-links", ROUTE_MEMBER, page_log_links),
    POST(URL_JOBS "/:id/log-links", ROUTE_MEMBER, page_log_link_create, TAKES(fields_log_link)),
    POST_HARMLESS(URL_LOG_LINKS "/:id/revoke", ROUTE_MEMBER, page_log_link_revoke),
    GET_WITH(ROUTE_NO_TOKEN, URL_LOG "/:token", ROUTE_ANYONE, page_log_link_open),

    /* a token makes no tokens */
    GET_WITH(ROUTE_NO_TOKEN, URL_SETTINGS, ROUTE_MEMBER, page_settings_form),
    POST_WITH(ROUTE_NO_TOKEN, URL_SETTINGS, ROUTE_MEMBER, page_settings_submit),

    GET_WITH(ROUTE_NO_TOKEN, URL_SECOND_FACTOR, ROUTE_MEMBER, page_factor_show),
    POST_WITH(ROUTE_NO_TOKEN, URL_SECOND_FACTOR, ROUTE_MEMBER, page_factor_begin),
    POST_WITH(ROUTE_NO_TOKEN, URL_SECOND_FACTOR "/confirm", ROUTE_MEMBER, page_factor_confirm),
    POST_WITH(ROUTE_NO_TOKEN, URL_SECOND_FACTOR "/codes", ROUTE_MEMBER, page_factor_renew),
    POST_WITH(ROUTE_NO_TOKEN, URL_SECOND_FACTOR "/off", ROUTE_MEMBER, page_factor_off),

    GET_WITH(SCOPE_ACCOUNTS_WRITE, URL_TOKENS, ROUTE_MEMBER, page_tokens_list),
    POST_WITH(ROUTE_NO_TOKEN, URL_TOKENS, ROUTE_MEMBER, page_token_create),
    CHANGE(METHOD_POST, ROUTE_HARMLESS, ROUTE_NO_TOKEN, URL_TOKENS "/:id/revoke", ROUTE_MEMBER,
	page_token_revoke),

    GET_WITH(ROUTE_NO_TOKEN, "/openapi.json", ROUTE_ANYONE, page_openapi),
    GET_WITH(ROUTE_NO_TOKEN, URL_WELCOME "/:token", ROUTE_ANYONE, page_welcome_show),
    {.method = METHOD_POST,
	.pattern = URL_WELCOME "/:token",
	.need = ROUTE_ANYONE,
	.csrf = ROUTE_CSRF_LOGIN,
	.effect = ROUTE_HARMLESS,
	.scopes = ROUTE_NO_TOKEN,
	.handler = page_welcome_submit},
    /* a suspended account's users sign in, too */
    CHANGE(METHOD_POST, ROUTE_HARMLESS, SCOPE_SSO_CREATE, URL_SSO_LINKS, ROUTE_TOKEN, page_sso_link_create,
	TAKES(fields_sso_link)),
    CHANGE(METHOD_POST, ROUTE_HARMLESS, SCOPE_SSO_CREATE, URL_SSO_CPANEL, ROUTE_TOKEN, page_sso_cpanel,
	TAKES(fields_sso_cpanel), .is_panel_call = true),
    GET_WITH(ROUTE_NO_TOKEN, URL_SSO "/:token", ROUTE_ANYONE, page_sso_show),
    {.method = METHOD_POST,
	.pattern = URL_SSO "/:token",
	.need = ROUTE_ANYONE,
	.csrf = ROUTE_CSRF_LOGIN,
	.effect = ROUTE_HARMLESS,
	.scopes = ROUTE_NO_TOKEN,
	.handler = page_sso_submit},
    {.pattern = NULL},
};
