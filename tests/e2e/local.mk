# tests/e2e: the whole product through a browser.
# The journey of a first migration, with JavaScript and without; every page, to everybody.
E2E_JOURNEY_TESTS = \
	tests/e2e/test_access.mjs \
	tests/e2e/test_bulk.mjs \
	tests/e2e/test_embed.mjs \
	tests/e2e/test_import.mjs \
	tests/e2e/test_journey.mjs \
	tests/e2e/test_live.mjs \
	tests/e2e/test_second_factor.mjs \
	tests/e2e/test_plain.mjs \
	tests/e2e/test_sso.mjs
TESTS += $(E2E_JOURNEY_TESTS)
EXTRA_DIST += $(E2E_JOURNEY_TESTS) \
	%D%/package.json \
	%D%/package-lock.json \
	%D%/browser.mjs \
	%D%/journey.mjs \
	%D%/mailboxes.py \
	%D%/puppet.py \
	%D%/stack.mjs \
	%D%/tap.mjs
