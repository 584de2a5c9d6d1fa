# tests/stack: starts the real servers, for tests and for ./demo
EXTRA_DIST += \
	%D%/packages \
	%D%/install.sh \
	%D%/stack.sh \
	%D%/stack.py \
	%D%/process.py \
	%D%/mariadb.py \
	%D%/web.py \
	%D%/sample.py \
	%D%/panel.py \
	%D%/demo.py \
	%D%/smtp_catcher.py
