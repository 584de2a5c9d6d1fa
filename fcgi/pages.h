/*
 * The handlers, by the file that holds them; site.c gives each its address.  Statuses that every route may
 * have (400 malformed, 401 or 303 without a session, 403, 405, 503) are not repeated.
 */
#ifndef MCV_FCGI_PAGES_H
#define MCV_FCGI_PAGES_H

#include "fcgi/form.h"
#include "fcgi/visit.h"
#include "lib/err.h"

/* What the forms take, for the route table; each stands in the file that reads it. */
extern const struct form_table fields_server, fields_server_edit, fields_server_test, fields_batch_new,
    fields_job_new, fields_job_row, fields_job_edit, fields_job_rerun, fields_delete2, fields_import_confirm,
    fields_account, fields_user_new, fields_user_role, fields_user_link, fields_log_link;

/* page_login.c */
enum err page_root(struct visit *v) MUST_CHECK;          /* 303 to the jobs */
enum err page_login_form(struct visit *v) MUST_CHECK;    /* 200; 303 when signed in already */
enum err page_login_submit(struct visit *v) MUST_CHECK;  /* 303 to next; 401 refused; 422; 429 */
enum err page_logout_submit(struct visit *v) MUST_CHECK; /* 303 to the sign-in */
enum err page_session_show(struct visit *v) MUST_CHECK;  /* 200: who is signed in, and the CSRF token */
/* That, as JSON; the caller owns it. */
struct json_object *page_session_model(const struct visit *v);

/* page_login_code.c */
/* After auth_sign_in() said AUTH_CODE: lead a browser to where it gives the code, and then to next; tell a
 * script. */
enum err page_ask_code(struct visit *v, const char *next) MUST_CHECK;
enum err page_code_form(struct visit *v) MUST_CHECK; /* 200; 303 when no code is owed */
enum err page_code_submit(
    struct visit *v) MUST_CHECK; /* 303 to next; 401 refused or too late; 422; 429; 503 */

/* page_servers.c */
enum err page_servers_list(struct visit *v) MUST_CHECK;      /* 200 */
enum err page_server_new(struct visit *v) MUST_CHECK;        /* 200 */
enum err page_server_create(struct visit *v) MUST_CHECK;     /* 303/201; 422 */
enum err page_server_show(struct visit *v) MUST_CHECK;       /* 200; 404 */
enum err page_server_update(struct visit *v) MUST_CHECK;     /* 303/200; 403; 404; 422 */
enum err page_server_delete_ask(struct visit *v) MUST_CHECK; /* 200; 404 */
enum err page_server_delete_submit(
    struct visit *v) MUST_CHECK; /* 303/204; 403; 404; 409 in use; 422 not confirmed */

/* page_server_test.c */
enum err page_server_test(struct visit *v) MUST_CHECK; /* 200 with the result; 404; 422; 429 */

/* page_jobs.c */
enum err page_jobs_list(struct visit *v) MUST_CHECK; /* 200 */

/* page_job_new.c */
enum err page_job_new(struct visit *v) MUST_CHECK;    /* 200 */
enum err page_job_create(struct visit *v) MUST_CHECK; /* 303/201; 422 */

/* page_import.c */
enum err page_import_form(struct visit *v) MUST_CHECK;     /* 200 */
enum err page_import_template(struct visit *v) MUST_CHECK; /* 200: CSV */
enum err page_import_upload(struct visit *v) MUST_CHECK;   /* 303/201 to the preview; 413; 422 */

/* page_import_preview.c */
enum err page_import_show(struct visit *v) MUST_CHECK;    /* 200; 303 once confirmed; 404 */
enum err page_import_bad(struct visit *v) MUST_CHECK;     /* 200: CSV; 404 */
enum err page_import_confirm(struct visit *v) MUST_CHECK; /* 303/201; 404; 422 */
enum err page_import_discard(struct visit *v) MUST_CHECK; /* 303/204; 404 */

/* page_job.c */
enum err page_job_show(struct visit *v) MUST_CHECK; /* 200; 404 */

/* page_job_edit.c */
enum err page_job_edit_form(struct visit *v) MUST_CHECK;   /* 200; 404; 409 */
enum err page_job_edit_submit(struct visit *v) MUST_CHECK; /* 303/200; 404; 409; 422 */

/* page_job_actions.c */
enum err page_job_cancel_ask(struct visit *v) MUST_CHECK;       /* 200; 404; 409 */
enum err page_job_cancel_submit(struct visit *v) MUST_CHECK;    /* 303/200; 404; 409 */
enum err page_job_delete_ask(struct visit *v) MUST_CHECK;       /* 200; 404; 409 */
enum err page_job_delete_submit(struct visit *v) MUST_CHECK;    /* 303/204; 404; 409; 422 not confirmed */
enum err page_job_delete_hard(struct visit *v) MUST_CHECK;      /* DELETE ?hard=true: 204; 400; 404; 409 */
enum err page_job_passwords_ask(struct visit *v) MUST_CHECK;    /* 200; 404; 409 */
enum err page_job_passwords_remove(struct visit *v) MUST_CHECK; /* 303/200; 404; 409 */

/* page_job_rerun.c */
enum err page_job_rerun_form(struct visit *v) MUST_CHECK;   /* 200; 404; 409 */
enum err page_job_rerun_submit(struct visit *v) MUST_CHECK; /* 303/201; 404; 409; 422 */

/* page_delete2.c */
enum err page_delete2_form(struct visit *v) MUST_CHECK;   /* 200; 403; 404; 409 */
enum err page_delete2_submit(struct visit *v) MUST_CHECK; /* 303/201; 403; 404; 409; 422 */

/* page_batch.c */
enum err page_batches_list(struct visit *v) MUST_CHECK; /* 200; 400 */
enum err page_batch_show(struct visit *v) MUST_CHECK;   /* 200; 404 */
enum err page_batch_report(struct visit *v) MUST_CHECK; /* 200; 400; 404 */

/* page_batch_new.c */
enum err page_batch_create(struct visit *v) MUST_CHECK; /* 303/201, 200 it exists; 409 limit; 422 */

/* page_batch_csv.c */
enum err page_batch_csv(struct visit *v) MUST_CHECK; /* 200; 404 */

/* page_bulk.c */
enum err page_bulk_ask(
    struct visit *v) MUST_CHECK; /* 303/200 with the question; 422 no job, no action, too many */
enum err page_bulk_show(struct visit *v) MUST_CHECK; /* 200 with the question or the result; 404 */
enum err page_bulk_run(
    struct visit *v) MUST_CHECK; /* 303/200; 404; 409 asked too long ago, limit; 422 not confirmed */

/* page_settings.c */
enum err page_settings_form(struct visit *v) MUST_CHECK;   /* 200 */
enum err page_settings_submit(struct visit *v) MUST_CHECK; /* 303/200 */

/* page_second_factor.c */
enum err page_factor_show(struct visit *v) MUST_CHECK;    /* 200 */
enum err page_factor_begin(struct visit *v) MUST_CHECK;   /* 200 with the QR code; 409; 422; 429; 503 */
enum err page_factor_confirm(struct visit *v) MUST_CHECK; /* 200 with the recovery codes; 409; 422; 503 */
enum err page_factor_renew(struct visit *v) MUST_CHECK;   /* the same; 409; 422; 429; 503 */
enum err page_factor_off(struct visit *v) MUST_CHECK;     /* 303/204; 409; 422; 429; 503 */

/* page_job_log.c */
enum err page_job_tail(struct visit *v) MUST_CHECK; /* 200; 400; 404; 416 */
enum err page_job_log(struct visit *v) MUST_CHECK;  /* 200; 206; 404; 416 */

/* page_accounts.c */
enum err page_accounts_list(struct visit *v) MUST_CHECK;       /* 200 */
enum err page_account_new(struct visit *v) MUST_CHECK;         /* 200 */
enum err page_account_create(struct visit *v) MUST_CHECK;      /* 303/201, 200 it exists; 422 */
enum err page_account_show(struct visit *v) MUST_CHECK;        /* 200; 404 */
enum err page_account_update(struct visit *v) MUST_CHECK;      /* 303/200; 404; 422 */
enum err page_account_suspend_ask(struct visit *v) MUST_CHECK; /* 200; 404 */
enum err page_account_suspend(struct visit *v) MUST_CHECK;     /* 303/200; 404; 409 one's own */
enum err page_account_resume(struct visit *v) MUST_CHECK;      /* 303/200; 404 */
enum err page_account_close_ask(struct visit *v) MUST_CHECK;   /* 200; 404 */
enum err page_account_close(struct visit *v) MUST_CHECK;       /* 303/200; 404; 409 one's own; 422 */

/* page_users.c */
enum err page_users_list(struct visit *v) MUST_CHECK;    /* 200 */
enum err page_user_new(struct visit *v) MUST_CHECK;      /* 200 */
enum err page_user_create(struct visit *v) MUST_CHECK;   /* 201 with the one-time link; 303/201 mailed; 422 */
enum err page_user_show(struct visit *v) MUST_CHECK;     /* 200; 404 */
enum err page_user_role(struct visit *v) MUST_CHECK;     /* 303/200; 404; 409 oneself, the last; 422 */
enum err page_user_disable(struct visit *v) MUST_CHECK;  /* 303/200; 404; 409 oneself, the last */
enum err page_user_enable(struct visit *v) MUST_CHECK;   /* 303/200; 404; 409 oneself */
enum err page_user_sign_out(struct visit *v) MUST_CHECK; /* 303/200; 404 */
/* 200 with the one-time link; 303/200 mailed; 404; 422; 429 */
enum err page_user_link(struct visit *v) MUST_CHECK;
enum err page_user_factor_off(struct visit *v) MUST_CHECK; /* 303/200; 404; 409 one's own */

/* page_user_external.c */
enum err page_user_external_ids(struct visit *v) MUST_CHECK; /* 303/200; 404; 422 */

/* page_log_link.c */
enum err page_log_links(struct visit *v) MUST_CHECK;       /* 200; 404 */
enum err page_log_link_create(struct visit *v) MUST_CHECK; /* 303/201; 404; 422 */
enum err page_log_link_revoke(struct visit *v) MUST_CHECK; /* 303/204; 404 */
enum err page_log_link_open(struct visit *v) MUST_CHECK;   /* as page_job_log(); 404 whatever is wrong */

/* page_tokens.c */
enum err page_tokens_list(struct visit *v) MUST_CHECK;  /* 200 */
enum err page_token_create(struct visit *v) MUST_CHECK; /* 201 with the token, this once; 422 */
enum err page_token_revoke(struct visit *v) MUST_CHECK; /* 303/204; 404 */

/* page_openapi.c */
enum err page_openapi(struct visit *v) MUST_CHECK; /* 200 */

/* page_welcome.c */
enum err page_welcome_show(struct visit *v) MUST_CHECK;   /* 200; 404 */
enum err page_welcome_submit(struct visit *v) MUST_CHECK; /* 303/204; 404; 422 */

/* page_sso_links.c; for tokens alone */
extern const struct form_table fields_sso_link;
enum err page_sso_link_create(
    struct visit *v) MUST_CHECK; /* 201 with the link; 403; 404 no such account; 422 */
extern const struct form_table fields_sso_cpanel;
enum err page_sso_cpanel(
    struct visit *v) MUST_CHECK; /* 200 with the link; 403; 404; 422; as panel_view.h has it */

/* page_sso.c */
enum err page_sso_show(struct visit *v) MUST_CHECK;   /* 200; 404 whatever is wrong */
enum err page_sso_submit(struct visit *v) MUST_CHECK; /* 303/204, signed in; 200 when it must be asked; 404 */

/* page_installation.c */
enum err page_workers_list(struct visit *v) MUST_CHECK; /* 200 */
enum err page_audit_list(struct visit *v) MUST_CHECK;   /* 200; 400 */
enum err page_audit_csv(struct visit *v) MUST_CHECK;    /* 200: CSV; 400 */

#endif
