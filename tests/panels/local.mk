# tests/panels: the plugins for control panels, run as each panel runs them, against the real stack
PANEL_TESTS = \
	%D%/test_directadmin.py \
	%D%/test_cpanel.py \
	%D%/test_whmcs.py \
	%D%/test_webmin.py
TESTS += $(PANEL_TESTS)
EXTRA_DIST += $(PANEL_TESTS) \
	%D%/panelstack.py \
	%D%/cpanel_class.php \
	%D%/whmcs_call.php \
	%D%/webmin/WebminCore.pm
