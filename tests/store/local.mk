# tests/store: the stores against a private MariaDB; cmocka printing TAP
if HAVE_CMOCKA
noinst_LIBRARIES += tests/store/libfixture.a
tests_store_libfixture_a_SOURCES = \
	%D%/fixture.c %D%/fixture.h \
	%D%/proxy.c
STORE_LIBS = tests/store/libfixture.a $(LIBSQL_LIBS) $(LIBMCV_LIBS) $(CMOCKA_LIBS)
STORE_TESTS = \
	tests/store/test_queue
check_PROGRAMS += $(STORE_TESTS)
TESTS += $(STORE_TESTS)
tests_store_test_queue_LDADD = $(STORE_LIBS)
endif
