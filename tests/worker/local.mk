# tests/worker: the worker's pure parts, and the worker itself against a real database and faulty programs
if HAVE_CMOCKA
WORKER_UNIT_TESTS = \
	tests/unit/test_worker_argv \
	tests/unit/test_worker_progress \
	tests/unit/test_worker_outcome
check_PROGRAMS += $(WORKER_UNIT_TESTS)
TESTS += $(WORKER_UNIT_TESTS)
WORKER_UNIT_LIBS = worker/libmcvworker.a $(LIBMCV_LIBS) $(CMOCKA_LIBS)
tests_unit_test_worker_argv_LDADD = $(WORKER_UNIT_LIBS)
tests_unit_test_worker_progress_LDADD = $(WORKER_UNIT_LIBS)
tests_unit_test_worker_outcome_LDADD = $(WORKER_UNIT_LIBS)
endif
