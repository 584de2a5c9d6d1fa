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
EXTRA_DIST += tests/unit/unit.h tests/unit/cmocka_tap.sh

# fcgi/
if HAVE_CMOCKA
FCGI_UNIT_TESTS = \
	tests/unit/test_fcgi_request \
	tests/unit/test_fcgi_form \
	tests/unit/test_fcgi_factor \
	tests/unit/test_fcgi_route \
	tests/unit/test_fcgi_sso \
	tests/unit/test_fcgi_view \
	tests/unit/test_fcgi_tail
check_PROGRAMS += $(FCGI_UNIT_TESTS)
TESTS += $(FCGI_UNIT_TESTS)
tests_unit_test_fcgi_request_LDADD = $(LIBMCVFCGI_LIBS) $(LIBMCV_LIBS) $(UNIT_LIBS)
# what json-c is about to free is looked at
tests_unit_test_fcgi_request_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=json_object_put -Wl,--wrap=json_tokener_free
tests_unit_test_fcgi_factor_LDADD = $(LIBMCVFCGI_LIBS) $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_fcgi_form_LDADD = $(LIBMCVFCGI_LIBS) $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_fcgi_route_LDADD = $(LIBMCVFCGI_LIBS) $(LIBSQL_LIBS) $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_fcgi_sso_LDADD = $(LIBMCVFCGI_LIBS) $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_fcgi_view_LDADD = $(LIBMCVFCGI_LIBS) $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_fcgi_tail_LDADD = $(LIBMCVFCGI_LIBS) $(LIBMCV_LIBS) $(UNIT_LIBS)
endif

# lib/: settings, secrets
if HAVE_CMOCKA
LIB_UNIT_TESTS = tests/unit/test_escape tests/unit/test_log tests/unit/test_parse tests/unit/test_token tests/unit/test_password tests/unit/test_vault tests/unit/test_secretbox tests/unit/test_conf tests/unit/test_template tests/unit/test_template_spec tests/unit/test_redact tests/unit/test_netmask tests/unit/test_origin tests/unit/test_joboptions
check_PROGRAMS += $(LIB_UNIT_TESTS)
TESTS += $(LIB_UNIT_TESTS)
tests_unit_test_escape_LDADD = $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_parse_LDADD = $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_log_LDADD = $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_token_LDADD = $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_password_LDADD = $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_vault_LDADD = $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_secretbox_LDADD = $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_conf_LDADD = $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_redact_LDADD = $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_netmask_LDADD = $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_joboptions_LDADD = $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_origin_LDADD = $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_template_LDADD = $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_template_spec_LDADD = $(LIBMCV_LIBS) $(UNIT_LIBS)
endif

# engine/
if HAVE_CMOCKA
ENGINE_UNIT_LIBS = engine/libengine.a $(LIBMCVIMAP_LIBS) -lm $(UNIT_LIBS)
ENGINE_UNIT_TESTS = \
	tests/unit/test_engine_options \
	tests/unit/test_engine_match \
	tests/unit/test_engine_output \
	tests/unit/test_engine_verify \
	tests/unit/test_engine_folders
check_PROGRAMS += $(ENGINE_UNIT_TESTS)
TESTS += $(ENGINE_UNIT_TESTS)
tests_unit_test_engine_options_LDADD = $(ENGINE_UNIT_LIBS)
tests_unit_test_engine_verify_LDADD = $(ENGINE_UNIT_LIBS)
tests_unit_test_engine_match_LDADD = $(ENGINE_UNIT_LIBS)
tests_unit_test_engine_output_LDADD = $(ENGINE_UNIT_LIBS)
tests_unit_test_engine_folders_LDADD = $(ENGINE_UNIT_LIBS)
endif

# imap/
if HAVE_CMOCKA
IMAP_UNIT_TESTS = \
	tests/unit/test_imap_token \
	tests/unit/test_imap_mutf7 \
	tests/unit/test_imap_flags \
	tests/unit/test_imap_scram
check_PROGRAMS += $(IMAP_UNIT_TESTS)
TESTS += $(IMAP_UNIT_TESTS)
tests_unit_test_imap_token_LDADD = $(LIBMCVIMAP_LIBS) $(UNIT_LIBS)
tests_unit_test_imap_mutf7_LDADD = $(LIBMCVIMAP_LIBS) $(UNIT_LIBS)
tests_unit_test_imap_flags_LDADD = $(LIBMCVIMAP_LIBS) $(UNIT_LIBS)
tests_unit_test_imap_scram_LDADD = $(LIBMCVIMAP_LIBS) $(UNIT_LIBS)
endif

# fcgi/: imports
if HAVE_CMOCKA
IMPORT_UNIT_TESTS = tests/unit/test_fcgi_csv tests/unit/test_fcgi_multipart tests/unit/test_fcgi_import
check_PROGRAMS += $(IMPORT_UNIT_TESTS)
TESTS += $(IMPORT_UNIT_TESTS)
tests_unit_test_fcgi_csv_LDADD = $(LIBMCVFCGI_LIBS) $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_fcgi_multipart_LDADD = $(LIBMCVFCGI_LIBS) $(LIBMCV_LIBS) $(UNIT_LIBS)
tests_unit_test_fcgi_import_LDADD = $(LIBMCVFCGI_LIBS) $(LIBMCV_LIBS) $(UNIT_LIBS)
endif
# mails, read by a parser that is not ours
check_PROGRAMS += tests/unit/mime_build
TESTS += tests/unit/test_mime.py
EXTRA_DIST += tests/unit/test_mime.py
tests_unit_mime_build_LDADD = $(LIBMCV_LIBS)
