# sql/: the schema, and the only C that holds SQL; a file calls only files listed above it
noinst_LIBRARIES += sql/libsql.a
sql_libsql_a_CFLAGS = $(AM_CFLAGS) $(MARIADB_CFLAGS)
sql_libsql_a_SOURCES = \
	%D%/db.h \
	%D%/db_value.c %D%/db_value.h \
	%D%/db_error.c %D%/db_error.h \
	%D%/db.c \
	%D%/connect.c %D%/connect.h \
	%D%/viewer.h \
	%D%/job.c %D%/job.h \
	%D%/job_say.c %D%/job_say.h \
	%D%/tx.c %D%/tx.h \
	%D%/version.c %D%/version.h \
	%D%/job_row.c %D%/job_row.h \
	%D%/migrate.c %D%/migrate.h \
	%D%/provision.c %D%/provision.h \
	%D%/logzip.c %D%/logzip.h \
	%D%/limits.c %D%/limits.h \
	%D%/admin.c %D%/admin.h \
	%D%/user_links.c %D%/user_links.h \
	%D%/sign_ins.c %D%/sign_ins.h \
	%D%/store_external.c %D%/store_external.h \
	%D%/store_account.c %D%/store_account.h \
	%D%/store_account_save.c %D%/store_account_close.c %D%/store_account_hand_over.c \
	%D%/store_user.c %D%/store_user.h \
	%D%/store_user_admin.c %D%/store_user_admin.h \
	%D%/store_session.c %D%/store_session.h \
	%D%/store_second_factor.c %D%/store_second_factor.h \
	%D%/store_login_ticket.c %D%/store_login_ticket.h \
	%D%/store_token.c %D%/store_token.h \
	%D%/store_log_link.c %D%/store_log_link.h \
	%D%/store_throttle.c %D%/store_throttle.h \
	%D%/store_audit.c %D%/store_audit.h \
	%D%/store_sso.c %D%/store_sso.h %D%/store_sso_use.c \
	%D%/store_server.c %D%/store_server.h \
	%D%/store_batch.c %D%/store_batch.h \
	%D%/store_job.h \
	%D%/job_filter.c %D%/job_filter.h \
	%D%/outbox_sql.h %D%/store_outbox.c %D%/store_outbox.h %D%/store_outbox_show.c \
	%D%/store_invite.c %D%/store_invite.h \
	%D%/store_queue.h \
	%D%/store_log.c %D%/store_log.h \
	%D%/store_job.c %D%/store_job_list.c %D%/store_job_passwords.c \
	%D%/store_delete2.c %D%/store_delete2.h \
	%D%/store_expiry.c %D%/store_expiry.h \
	%D%/store_chore.c %D%/store_chore.h \
	%D%/store_batch_view.c %D%/store_batch_view.h \
	%D%/store_bulk.h %D%/bulk_sql.h \
	%D%/store_bulk.c %D%/store_bulk_run.c \
	%D%/store_import.c %D%/store_import.h %D%/store_import_confirm.c \
	%D%/turns.c %D%/turns.h \
	%D%/store_queue.c %D%/store_queue_end.c \
	%D%/store_worker.c %D%/store_worker.h \
	%D%/store_check.c %D%/store_check.h
LIBSQL_LIBS = sql/libsql.a $(MARIADB_LIBS) $(ZLIB_LIBS)

dist_sql_DATA = %D%/0001_initial.sql \
	%D%/0002_import.sql \
	%D%/0003_bulk.sql \
	%D%/0004_outbox.sql \
	%D%/0005_verify.sql \
	%D%/0006_accounts.sql \
	%D%/0007_turns.sql \
	%D%/0008_panels.sql \
	%D%/0009_closed.sql \
	%D%/0010_once.sql \
	%D%/0011_lifetime.sql \
	%D%/0012_mails.sql \
	%D%/0013_issuers.sql \
	%D%/0014_batch_key.sql \
	%D%/0015_options.sql \
	%D%/0016_second_factor.sql \
	%D%/0017_bulk_account.sql \
	%D%/0018_tokens.sql \
	%D%/0019_local_uid.sql \
	%D%/0020_notify_email.sql \
	%D%/0021_invite.sql \
	%D%/0022_support.sql \
	%D%/0023_import_options.sql \
	%D%/0024_delete2.sql \
	%D%/0025_delete2_digest.sql \
	%D%/0026_max_running.sql
