# worker/: what this room builds and installs; a file calls only files listed above it
noinst_LIBRARIES += worker/libmcvworker.a
worker_libmcvworker_a_CFLAGS = $(AM_CFLAGS) $(ESMTP_CFLAGS)
worker_libmcvworker_a_SOURCES = \
	%D%/option_words.c %D%/option_words.h \
	%D%/argv.c %D%/argv.h \
	%D%/trouble.c %D%/trouble.h \
	%D%/progress.c %D%/progress.h \
	%D%/verified.c %D%/verified.h \
	%D%/outcome.h \
	%D%/endings.c %D%/endings.h \
	%D%/outcome.c \
	%D%/spawn.c %D%/spawn.h \
	%D%/proctree.c %D%/proctree.h \
	%D%/vet.c %D%/vet.h \
	%D%/keeper_wire.h \
	%D%/keeper.c %D%/keeper.h \
	%D%/keeper_main.c \
	%D%/report.c %D%/report.h \
	%D%/ready.c %D%/ready.h \
	%D%/crash.h \
	%D%/link.c %D%/link.h \
	%D%/program.c %D%/program.h \
	%D%/jobdir.c %D%/jobdir.h \
	%D%/mail_line.c %D%/mail_line.h \
	%D%/mail.c %D%/mail.h \
	%D%/notify_text.c %D%/notify_text.h \
	%D%/notify.c %D%/notify.h \
	%D%/notifier.c %D%/notifier.h \
	%D%/recover.c %D%/recover.h \
	%D%/output.c %D%/output.h \
	%D%/launch.c %D%/launch.h \
	%D%/verification.c %D%/verification.h \
	%D%/able.c %D%/able.h \
	%D%/runner.c %D%/runner.h \
	%D%/lease.c %D%/lease.h \
	%D%/queue.c %D%/queue.h \
	%D%/housekeeping.c %D%/housekeeping.h

sbin_PROGRAMS += worker/mailconvoy-worker
worker_mailconvoy_worker_SOURCES = %D%/main.c
worker_mailconvoy_worker_LDADD = worker/libmcvworker.a $(LIBSQL_LIBS) $(LIBMCVIMAP_LIBS) $(ESMTP_LIBS)
