# tests/engine: whole migrations between real servers, by the engine and, where it is installed, by imapsync
ENGINE_TESTS = \
	tests/engine/test_copy.py
TESTS += $(ENGINE_TESTS)
EXTRA_DIST += $(ENGINE_TESTS) \
	tests/engine/dovecot.py \
	tests/engine/harness.py \
	tests/engine/imapbox.py
