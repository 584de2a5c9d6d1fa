# tests/imap: the IMAP client against faulty servers of our own and against a real Dovecot
check_PROGRAMS += tests/imap/imaptool
tests_imap_imaptool_LDADD = $(LIBMCVIMAP_LIBS)
TESTS += %D%/test_faulty.py
EXTRA_DIST += \
	%D%/tap.py \
	%D%/certs.py \
	%D%/faulty.py \
	%D%/test_faulty.py
