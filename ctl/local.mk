# ctl/: mailconvoyctl, one file a verb
sbin_PROGRAMS += ctl/mailconvoyctl
ctl_mailconvoyctl_SOURCES = \
	%D%/ctl.h \
	%D%/ask.c \
	%D%/words.c %D%/words.h \
	%D%/model.c %D%/model.h \
	%D%/table.c %D%/table.h \
	%D%/options.c %D%/options.h \
	%D%/passfile.c %D%/passfile.h \
	%D%/http.c %D%/http.h \
	%D%/api.c %D%/api.h \
	%D%/batch_find.c %D%/batch_find.h \
	%D%/job.h \
	%D%/job_add.c \
	%D%/job_list.c \
	%D%/job_show.c \
	%D%/job_tail.c \
	%D%/job_change.c \
	%D%/verb_job.c \
	%D%/verb_import.c \
	%D%/verb_batch.c \
	%D%/verb_db.c \
	%D%/verb_key.c \
	%D%/verb_conf.c \
	%D%/verb_slots.c \
	%D%/verb_passwords.c \
	%D%/verb_check.c \
	%D%/verb_mail.c \
	%D%/verb_user.c \
	%D%/verb_account.c \
	%D%/verb_token.c \
	%D%/verb_setup.c \
	%D%/sso_client.c %D%/sso_client.h \
	%D%/verb_sso.c \
	%D%/doctor.h \
	%D%/doctor_files.c \
	%D%/doctor_program.c \
	%D%/doctor_web.c \
	%D%/doctor_sso.c \
	%D%/verb_doctor.c \
	%D%/main.c
ctl_mailconvoyctl_LDADD = $(LIBSQL_LIBS) $(LIBMCV_LIBS) $(CURL_LIBS)
