# tests/scan: other people's scanners of web sites against the whole of the panel; run by ./check --long, for minutes
EXTRA_DIST += \
	tests/scan/targets.py \
	tests/scan/vulnerable.py \
	tests/scan/test_sqlmap.py \
	tests/scan/test_wapiti.py
