# tests/worker: the worker's pure parts, and the worker itself against a real database and faulty programs
if HAVE_CMOCKA
WORKER_UNIT_TESTS = \
	tests/unit/test_worker_argv \
	tests/unit/test_worker_progress \
	tests/unit/test_worker_outcome \
	tests/unit/test_worker_notify \
	tests/unit/test_worker_verified \
	tests/unit/test_worker_keeper \
	tests/unit/test_worker_keeper_begin
check_PROGRAMS += $(WORKER_UNIT_TESTS)
TESTS += $(WORKER_UNIT_TESTS)
WORKER_UNIT_LIBS = worker/libmcvworker.a $(LIBSQL_LIBS) $(LIBMCVIMAP_LIBS) $(ESMTP_LIBS) $(CMOCKA_LIBS)
tests_unit_test_worker_argv_LDADD = $(WORKER_UNIT_LIBS)
tests_unit_test_worker_progress_LDADD = $(WORKER_UNIT_LIBS)
tests_unit_test_worker_verified_LDADD = $(WORKER_UNIT_LIBS)
tests_unit_test_worker_outcome_LDADD = $(WORKER_UNIT_LIBS)
tests_unit_test_worker_notify_LDADD = $(WORKER_UNIT_LIBS)
tests_unit_test_worker_keeper_SOURCES = tests/unit/test_worker_keeper.c tests/unit/keeper_run.c tests/unit/keeper_run.h
tests_unit_test_worker_keeper_LDADD = $(WORKER_UNIT_LIBS)
tests_unit_test_worker_keeper_begin_SOURCES = tests/unit/test_worker_keeper_begin.c tests/unit/keeper_run.c \
	tests/unit/keeper_run.h
tests_unit_test_worker_keeper_begin_LDADD = $(WORKER_UNIT_LIBS)
endif

check_PROGRAMS += tests/worker/helper
tests_worker_helper_LDADD = $(LIBSQL_LIBS) $(LIBMCV_LIBS)
WORKER_TESTS = \
	tests/worker/test_limits.py \
	tests/worker/test_queue.py \
	tests/worker/test_log.py \
	tests/worker/test_crash.py \
	tests/worker/test_lease.py \
	tests/worker/test_expiry.py \
	tests/worker/test_clock.py \
	tests/worker/test_tls.py \
	tests/worker/test_notify.py tests/worker/test_invite.py \
	tests/worker/test_verify.py \
	tests/worker/test_full_disk.py \
	tests/worker/test_options.py \
	tests/worker/test_delete2.py \
	tests/worker/test_signin.py \
	tests/worker/test_many.py
TESTS += $(WORKER_TESTS)
EXTRA_DIST += $(WORKER_TESTS) tests/worker/harness.py tests/worker/stub.py
