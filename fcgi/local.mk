# fcgi/: what this room builds and installs; a file calls only files listed above it
noinst_LIBRARIES += fcgi/libmcvfcgi.a
fcgi_libmcvfcgi_a_SOURCES = \
	%D%/json_read.c %D%/json_read.h \
	%D%/request.h %D%/params.c \
	%D%/multipart.c %D%/multipart.h \
	%D%/request.c \
	%D%/form.c %D%/form.h \
	%D%/url.c %D%/url.h \
	%D%/view.c %D%/view.h \
	%D%/tail.c %D%/tail.h \
	%D%/range.c %D%/range.h \
	%D%/response.c %D%/response.h \
	%D%/route.c %D%/route.h \
	%D%/csv_read.c %D%/csv_read.h \
	%D%/csv_write.c %D%/csv_write.h \
	%D%/import_columns.c %D%/import_columns.h \
	%D%/import_seen.c %D%/import_seen.h \
	%D%/import_check.c %D%/import_check.h \
	%D%/security_view.c %D%/security_view.h \
	%D%/probe_view.c %D%/probe_view.h \
	%D%/verify_view.c %D%/verify_view.h \
	%D%/mail_view.c %D%/mail_view.h \
	%D%/options_form.c %D%/options_form.h \
	%D%/job_view.c %D%/job_view.h \
	%D%/jobs_query.c %D%/jobs_query.h \
	%D%/openapi_parts.c %D%/openapi_parts.h \
	%D%/openapi.c %D%/openapi.h \
	%D%/totp.c %D%/totp.h \
	%D%/qr.c %D%/qr.h \
	%D%/recovery.c %D%/recovery.h \
	%D%/bulk_view.c %D%/bulk_view.h \
	%D%/batch_view.c %D%/batch_view.h \
	%D%/panel_view.c %D%/panel_view.h \
	%D%/sso_peer.c %D%/sso_peer.h \
	%D%/sso_ask.c %D%/sso_ask.h \
	%D%/sso_rate.c %D%/sso_rate.h
LIBMCVFCGI_LIBS = fcgi/libmcvfcgi.a $(CSV_LIBS) $(OATH_LIBS) $(QRENCODE_LIBS)

sbin_PROGRAMS += fcgi/mailconvoy-web
fcgi_mailconvoy_web_SOURCES = \
	%D%/visit.c %D%/visit.h \
	%D%/web.c %D%/web.h \
	%D%/embed.c %D%/embed.h \
	%D%/cookie.c %D%/cookie.h \
	%D%/attempt.c %D%/attempt.h \
	%D%/factor.c %D%/factor.h \
	%D%/auth.c %D%/auth.h \
	%D%/bearer.c %D%/bearer.h \
	%D%/limit_view.c %D%/limit_view.h \
	%D%/page.h %D%/version.h \
	%D%/page_error.c \
	%D%/version.c \
	%D%/page.c \
	%D%/page_confirm.c \
	%D%/pages.h \
	%D%/factor_view.c %D%/factor_view.h \
	%D%/page_login.c \
	%D%/page_login_code.c \
	%D%/server_form.c %D%/server_form.h \
	%D%/page_servers.c \
	%D%/job_form.c %D%/job_form.h \
	%D%/page_server_test.c \
	%D%/job_seal.c %D%/job_seal.h \
	%D%/user_view.c %D%/user_view.h \
	%D%/account_view.c %D%/account_view.h \
	%D%/page_accounts.c %D%/page_account_state.c \
	%D%/user_link.c %D%/user_link.h \
	%D%/page_users.c \
	%D%/page_user_external.c \
	%D%/page_welcome.c \
	%D%/page_sso.c \
	%D%/sso_make.c %D%/sso_make.h \
	%D%/page_sso_links.c \
	%D%/page_tokens.c \
	%D%/page_installation.c \
	%D%/page_jobs.c \
	%D%/page_bulk.c \
	%D%/page_batch.c \
	%D%/page_batch_csv.c \
	%D%/page_job_new.c \
	%D%/job_log_view.c %D%/job_log_view.h \
	%D%/page_job.c \
	%D%/page_settings.c \
	%D%/page_second_factor.c \
	%D%/page_job_edit.c \
	%D%/page_job_actions.c \
	%D%/page_job_rerun.c \
	%D%/page_delete2.c \
	%D%/page_job_log.c \
	%D%/page_log_link.c \
	%D%/import_options.c %D%/import_options.h \
	%D%/import_stage.c %D%/import_stage.h \
	%D%/page_import.c \
	%D%/page_batch_new.c \
	%D%/page_import_preview.c \
	%D%/site.c %D%/site.h \
	%D%/page_openapi.c \
	%D%/serve.c %D%/serve.h \
	%D%/sso_local.c %D%/sso_local.h \
	%D%/sso_socket.c %D%/sso_socket.h \
	%D%/main.c
fcgi_mailconvoy_web_LDADD = $(LIBMCVFCGI_LIBS) $(LIBSQL_LIBS) $(LIBMCVIMAP_LIBS) $(LIBMCV_LIBS) $(FCGI_LIBS)
dist_man_MANS += %D%/mailconvoy-web.8
EXTRA_DIST += fcgi/VIEWMODELS.md
