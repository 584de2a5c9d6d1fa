# tests/engine: whole migrations between real servers, by the engine and, where it is installed, by imapsync
ENGINE_TESTS = \
	tests/engine/test_capabilities.py \
	tests/engine/test_compress.py \
	tests/engine/test_contract.py \
	tests/engine/test_copy.py \
	tests/engine/test_crosscheck.py \
	tests/engine/test_cuts.py \
	tests/engine/test_dates.py \
	tests/engine/test_delete.py \
	tests/engine/test_destination.py \
	tests/engine/test_faults.py \
	tests/engine/test_hostile.py \
	tests/engine/test_kin.py \
	tests/engine/test_login.py \
	tests/engine/test_matrix.py \
	tests/engine/test_options.py \
	tests/engine/test_refusals.py \
	tests/engine/test_situations.py \
	tests/engine/test_state.py \
	tests/engine/test_transient.py \
	tests/engine/test_utf8.py \
	tests/engine/test_verify.py
TESTS += $(ENGINE_TESTS)
check_PROGRAMS += tests/engine/judge
tests_engine_judge_LDADD = worker/libmcvworker.a $(LIBMCV_LIBS)
EXTRA_DIST += $(ENGINE_TESTS) \
	tests/engine/awkward.py \
	tests/engine/courier.py \
	tests/engine/crowd.py \
	tests/engine/cyrus.py \
	tests/engine/dovecot.py \
	tests/engine/ports.py \
	tests/engine/harness.py \
	tests/engine/imapbox.py \
	tests/engine/miscopier.py \
	tests/engine/oauth.py \
	tests/engine/proxy.py \
	tests/engine/unpacked.py \
	tests/engine/utf8box.py
