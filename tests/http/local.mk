# tests/http: the web as a browser and a script see it, behind nginx and on a real database
HTTP_TESTS = \
	tests/http/test_login.py \
	tests/http/test_flood.py \
	tests/http/test_settings.py \
	tests/http/test_second_factor.py \
	tests/http/test_login_code.py \
	tests/http/test_servers.py \
	tests/http/test_jobs.py \
	tests/http/test_edit.py \
	tests/http/test_versions.py \
	tests/http/test_options.py \
	tests/http/test_delete2.py \
	tests/http/test_passwords.py \
	tests/http/test_bulk.py \
	tests/http/test_batch.py \
	tests/http/test_batch_new.py \
	tests/http/test_import.py \
	tests/http/test_import_options.py \
	tests/http/test_log.py \
	tests/http/test_log_link.py \
	tests/http/test_security.py \
	tests/http/test_isolation.py \
	tests/http/test_sso_cpanel.py \
	tests/http/test_admin.py \
	tests/http/test_invite_mail.py \
	tests/http/test_api.py \
	tests/http/test_openapi.py \
	tests/http/test_api_noise.py \
	tests/http/test_https.py \
	tests/http/test_embed.py \
	tests/http/test_sso.py
TESTS += $(HTTP_TESTS)
EXTRA_DIST += $(HTTP_TESTS) tests/http/tap.py tests/http/webstack.py tests/http/route_rows.py tests/http/factor_person.py tests/http/redocly.yaml
