# tests/store: the stores against a private MariaDB; cmocka printing TAP
if HAVE_CMOCKA
noinst_LIBRARIES += tests/store/libfixture.a
tests_store_libfixture_a_SOURCES = \
	%D%/fixture.c %D%/fixture.h \
	%D%/proxy.c
tests_store_libfixture_a_CPPFLAGS = $(AM_CPPFLAGS) -DMCV_TEST_SQL_DIR='"$(abs_top_srcdir)/sql"'
STORE_LIBS = tests/store/libfixture.a $(LIBSQL_LIBS) $(LIBMCV_LIBS) $(CMOCKA_LIBS)
STORE_TESTS = \
	tests/store/test_queue \
	tests/store/test_turns \
	tests/store/test_expiry \
	tests/store/test_log \
	tests/store/test_job \
	tests/store/test_job_list \
	tests/store/test_delete2 \
	tests/store/test_bulk \
	tests/store/test_batch_view \
	tests/store/test_tenants tests/store/test_sign_in \
	tests/store/test_migrate \
	tests/store/test_crash \
	tests/store/test_claims
check_PROGRAMS += $(STORE_TESTS)
TESTS += $(STORE_TESTS)
tests_store_test_queue_LDADD = $(STORE_LIBS)
tests_store_test_turns_LDADD = $(STORE_LIBS)
tests_store_test_expiry_LDADD = $(STORE_LIBS)
tests_store_test_log_LDADD = $(STORE_LIBS)
tests_store_test_job_LDADD = $(STORE_LIBS)
tests_store_test_job_list_LDADD = $(STORE_LIBS)
tests_store_test_delete2_LDADD = $(STORE_LIBS)
tests_store_test_bulk_LDADD = $(STORE_LIBS)
tests_store_test_batch_view_LDADD = $(STORE_LIBS)
tests_store_test_tenants_LDADD = $(STORE_LIBS)
tests_store_test_sign_in_LDADD = $(STORE_LIBS)
tests_store_test_migrate_LDADD = $(STORE_LIBS)
tests_store_test_migrate_CPPFLAGS = $(tests_store_libfixture_a_CPPFLAGS)
tests_store_test_crash_LDADD = $(STORE_LIBS)
tests_store_test_claims_LDADD = $(STORE_LIBS)
endif

# mailboxes on their way
if HAVE_CMOCKA
check_PROGRAMS += tests/store/test_mailboxes
TESTS += tests/store/test_mailboxes
tests_store_test_mailboxes_LDADD = $(STORE_LIBS)
endif

# batches and imports
if HAVE_CMOCKA
check_PROGRAMS += tests/store/test_batch tests/store/test_import
TESTS += tests/store/test_batch tests/store/test_import
tests_store_test_batch_LDADD = $(STORE_LIBS)
tests_store_test_import_LDADD = $(STORE_LIBS)
endif

# notifications
if HAVE_CMOCKA
check_PROGRAMS += tests/store/test_outbox tests/store/test_outbox_address tests/store/test_invite
TESTS += tests/store/test_outbox tests/store/test_outbox_address tests/store/test_invite
tests_store_test_outbox_LDADD = $(STORE_LIBS)
tests_store_test_outbox_address_LDADD = $(STORE_LIBS)
tests_store_test_invite_LDADD = $(STORE_LIBS)
endif

# links that sign in, and the names they are made by
if HAVE_CMOCKA
check_PROGRAMS += tests/store/test_sso tests/store/test_external
TESTS += tests/store/test_sso tests/store/test_external
tests_store_test_sso_LDADD = $(STORE_LIBS)
tests_store_test_external_LDADD = $(STORE_LIBS)
tests_store_test_external_CPPFLAGS = $(tests_store_libfixture_a_CPPFLAGS)
endif

# accounts, users, limits
if HAVE_CMOCKA
check_PROGRAMS += tests/store/test_admin
TESTS += tests/store/test_admin
tests_store_test_admin_LDADD = $(STORE_LIBS)
endif
