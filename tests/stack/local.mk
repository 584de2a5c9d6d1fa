# tests/stack: starts the real servers, for tests and for ./demo
STACK_TESTS = \
	%D%/test_batch.py \
	%D%/test_hostile_options.py \
	%D%/test_import_options.py \
	%D%/test_install.py \
	%D%/test_separation.py \
	%D%/test_stack.py
TESTS += $(STACK_TESTS)
EXTRA_DIST += $(STACK_TESTS) \
	%D%/packages \
	%D%/install.sh \
	%D%/unpack.sh \
	%D%/stack.sh \
	%D%/stack.py \
	%D%/process.py \
	%D%/namespace.py \
	%D%/mariadb.py \
	%D%/galera.py \
	%D%/test_galera.py \
	%D%/web.py \
	%D%/sample.py \
	%D%/panel.py \
	%D%/whole.py \
	%D%/demo.py \
	%D%/smtp_catcher.py
