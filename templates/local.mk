# templates/: pages, parts, and what the browser loads
dist_templates_DATA = \
	%D%/account_form.html \
	%D%/accounts_list.html \
	%D%/audit_list.html \
	%D%/batch_report.html \
	%D%/batch_show.html \
	%D%/batches_list.html \
	%D%/bulk_ask.html \
	%D%/bulk_result.html \
	%D%/confirm.html \
	%D%/error.html \
	%D%/import_new.html \
	%D%/import_preview.html \
	%D%/job_delete2.html \
	%D%/job_edit.html \
	%D%/job_new.html \
	%D%/job_rerun.html \
	%D%/job_show.html \
	%D%/jobs_list.html \
	%D%/layout.html \
	%D%/log_links.html \
	%D%/login.html \
	%D%/login_code.html \
	%D%/part_bar.html \
	%D%/part_job_row.html \
	%D%/part_options.html \
	%D%/part_rerun.html \
	%D%/part_state.html \
	%D%/part_step.html \
	%D%/part_test.html \
	%D%/part_user_state.html \
	%D%/recovery_codes.html \
	%D%/second_factor.html \
	%D%/second_factor_new.html \
	%D%/server_form.html \
	%D%/servers_list.html \
	%D%/settings.html \
	%D%/token_made.html \
	%D%/tokens_list.html \
	%D%/user_link.html \
	%D%/user_new.html \
	%D%/user_show.html \
	%D%/users_list.html \
	%D%/sso.html \
	%D%/welcome.html \
	%D%/workers_list.html

dist_static_DATA = \
	%D%/static/app.js \
	%D%/static/batch.js \
	%D%/static/sso.js \
	%D%/static/bulk.js \
	%D%/static/icon.svg \
	%D%/static/job.js \
	%D%/static/jobs.js \
	%D%/static/log.js \
	%D%/static/poll.js \
	%D%/static/servers.js \
	%D%/static/style.css \
	%D%/static/theme.js \
	%D%/static/themeswitch.js

mailtemplatesdir = $(templatesdir)/mail
dist_mailtemplates_DATA = \
	%D%/mail/batch.html \
	%D%/mail/batch.txt \
	%D%/mail/invite.html \
	%D%/mail/invite.txt \
	%D%/mail/job.html \
	%D%/mail/job.txt
