# tests/unit: pure code, one file under test each; cmocka printing TAP
if HAVE_CMOCKA
UNIT_LIBS = $(CMOCKA_LIBS)
UNIT_TESTS = \
	tests/unit/test_buf \
	tests/unit/test_utf8
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
tests_unit_test_buf_LDADD = $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_utf8_LDADD = $(LIBMCV_LIBS) $(UNIT_LIBS)
endif
EXTRA_DIST += tests/unit/unit.h
