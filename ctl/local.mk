# ctl/: mailconvoyctl, one file a verb
sbin_PROGRAMS += ctl/mailconvoyctl
ctl_mailconvoyctl_SOURCES = \
	%D%/ctl.h \
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
	%D%/doctor.h \
	%D%/doctor_files.c \
	%D%/doctor_program.c \
	%D%/doctor_web.c \
	%D%/verb_doctor.c \
	%D%/main.c
ctl_mailconvoyctl_LDADD = $(LIBSQL_LIBS) $(LIBMCV_LIBS)
