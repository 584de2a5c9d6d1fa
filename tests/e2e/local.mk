# tests/e2e: the whole product through a browser
E2E_TESTS = \
	tests/e2e/test_migrate.mjs
TESTS += $(E2E_TESTS)
EXTRA_DIST += $(E2E_TESTS) \
	%D%/lib.mjs \
	%D%/tasks.mjs \
	%D%/look.py \
	%D%/package.json \
	%D%/package-lock.json
