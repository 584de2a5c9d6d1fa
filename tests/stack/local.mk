# tests/stack: starts the real servers, for tests and for ./demo
EXTRA_DIST += \
	%D%/packages \
	%D%/install.sh
