# tests/ctl: mailconvoyctl: its verbs, and what doctor sees on an installation with users of its own
CTL_TESTS = \
	%D%/test_doctor.py \
	%D%/test_keys.py \
	%D%/test_remote_database.py \
	%D%/test_verbs.py
TESTS += $(CTL_TESTS)
EXTRA_DIST += $(CTL_TESTS)
