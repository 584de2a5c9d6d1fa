# tests/imap: the IMAP client against faulty servers of our own and against a real Dovecot
check_PROGRAMS += tests/imap/imaptool
tests_imap_imaptool_LDADD = $(LIBMCVIMAP_LIBS)
IMAP_TESTS = \
	%D%/test_faulty.py \
	%D%/test_sasl.py \
	%D%/test_dovecot.py
TESTS += $(IMAP_TESTS)
EXTRA_DIST += $(IMAP_TESTS) \
	%D%/tap.py \
	%D%/certs.py \
	%D%/faulty.py
