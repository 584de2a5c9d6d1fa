# tests/ctl: mailconvoyctl: its verbs, and what doctor sees on an installation with users of its own
CTL_TESTS = \
	%D%/test_connection.py \
	%D%/test_doctor.py \
	%D%/test_import.py \
	%D%/test_jobs.py \
	%D%/test_journey.py \
	%D%/test_keys.py \
	%D%/test_remote_database.py \
	%D%/test_sso_socket.py \
	%D%/test_tail.py \
	%D%/test_verbs.py
TESTS += $(CTL_TESTS)
EXTRA_DIST += $(CTL_TESTS) %D%/apicli.py %D%/ssohost.py
