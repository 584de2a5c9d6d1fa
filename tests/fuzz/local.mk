# tests/fuzz: one program for each parser of what comes from outside.
#
# With --enable-fuzzers (clang) each is a libFuzzer program that run.sh runs; in any other build the same
# target is linked with replay.c and make check feeds it the inputs kept in corpus/NAME, whole and cut short.
# A target NAME is fuzz_NAME.c, a directory corpus/NAME and the four lines below.
FUZZ_TARGETS = \
	tests/fuzz/fuzz_template \
	tests/fuzz/fuzz_redact \
	tests/fuzz/fuzz_request \
	tests/fuzz/fuzz_form \
	tests/fuzz/fuzz_json_body \
	tests/fuzz/fuzz_headers \
	tests/fuzz/fuzz_multipart \
	tests/fuzz/fuzz_csv \
	tests/fuzz/fuzz_progress \
	tests/fuzz/fuzz_imap_token \
	tests/fuzz/fuzz_imap_mutf7 \
	tests/fuzz/fuzz_imap_session

check_PROGRAMS += $(FUZZ_TARGETS)
if ENABLE_FUZZERS
FUZZ_MAIN =
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
else
FUZZ_MAIN = tests/fuzz/replay.c
FUZZ_LINK = $(AM_LDFLAGS)
TESTS += $(FUZZ_TARGETS)
endif

.PHONY: fuzzers
fuzzers: $(FUZZ_TARGETS)

tests_fuzz_fuzz_template_SOURCES = tests/fuzz/fuzz_template.c $(FUZZ_MAIN)
tests_fuzz_fuzz_template_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_template_LDADD = $(LIBMCV_LIBS)

tests_fuzz_fuzz_redact_SOURCES = tests/fuzz/fuzz_redact.c $(FUZZ_MAIN)
tests_fuzz_fuzz_redact_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_redact_LDADD = $(LIBMCV_LIBS)

tests_fuzz_fuzz_request_SOURCES = tests/fuzz/fuzz_request.c $(FUZZ_MAIN)
tests_fuzz_fuzz_request_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_request_LDADD = $(LIBMCVFCGI_LIBS) $(LIBMCV_LIBS)

tests_fuzz_fuzz_form_SOURCES = tests/fuzz/fuzz_form.c $(FUZZ_MAIN)
tests_fuzz_fuzz_form_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_form_LDADD = $(LIBMCVFCGI_LIBS) $(LIBMCV_LIBS)

tests_fuzz_fuzz_json_body_SOURCES = tests/fuzz/fuzz_json_body.c $(FUZZ_MAIN)
tests_fuzz_fuzz_json_body_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_json_body_LDADD = $(LIBMCVFCGI_LIBS) $(LIBMCV_LIBS)

tests_fuzz_fuzz_headers_SOURCES = tests/fuzz/fuzz_headers.c $(FUZZ_MAIN)
tests_fuzz_fuzz_headers_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_headers_LDADD = $(LIBMCVFCGI_LIBS) $(LIBMCV_LIBS)

tests_fuzz_fuzz_multipart_SOURCES = tests/fuzz/fuzz_multipart.c $(FUZZ_MAIN)
tests_fuzz_fuzz_multipart_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_multipart_LDADD = $(LIBMCVFCGI_LIBS) $(LIBMCV_LIBS)

tests_fuzz_fuzz_csv_SOURCES = tests/fuzz/fuzz_csv.c $(FUZZ_MAIN)
tests_fuzz_fuzz_csv_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_csv_LDADD = $(LIBMCVFCGI_LIBS) $(LIBMCV_LIBS)

tests_fuzz_fuzz_progress_SOURCES = tests/fuzz/fuzz_progress.c $(FUZZ_MAIN)
tests_fuzz_fuzz_progress_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_progress_LDADD = worker/libmcvworker.a $(LIBMCV_LIBS)

tests_fuzz_fuzz_imap_token_SOURCES = tests/fuzz/fuzz_imap_token.c $(FUZZ_MAIN)
tests_fuzz_fuzz_imap_token_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_imap_token_LDADD = $(LIBMCVIMAP_LIBS)

tests_fuzz_fuzz_imap_mutf7_SOURCES = tests/fuzz/fuzz_imap_mutf7.c $(FUZZ_MAIN)
tests_fuzz_fuzz_imap_mutf7_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_imap_mutf7_LDADD = $(LIBMCVIMAP_LIBS)

tests_fuzz_fuzz_imap_session_SOURCES = tests/fuzz/fuzz_imap_session.c $(FUZZ_MAIN)
tests_fuzz_fuzz_imap_session_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_imap_session_LDADD = $(LIBMCVIMAP_LIBS)

EXTRA_DIST += tests/fuzz/run.sh tests/fuzz/corpus
