# tests/lint: house rules as programs; each rule refuses a sample of its own before it looks at the tree
LINT_TESTS = \
	tests/lint/test_rooms.py \
	tests/lint/test_repo.py \
	tests/lint/test_templates.py \
	tests/lint/test_tools.py
TESTS += $(LINT_TESTS)
EXTRA_DIST += $(LINT_TESTS) tests/lint/lint.py tests/lint/raw_output.txt
