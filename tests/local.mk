# The tests, one folder for each layer.
include tests/unit/local.mk
include tests/store/local.mk
include tests/http/local.mk
include tests/imap/local.mk
include tests/worker/local.mk
include tests/engine/local.mk
include tests/e2e/local.mk
include tests/lint/local.mk
include tests/fuzz/local.mk
include tests/bench/local.mk
include tests/ctl/local.mk
include tests/stack/local.mk
include tests/scan/local.mk
include tests/panels/local.mk
